r"""Clusters for representatives: seconds and how tight they are, ours beside scikit-learn's.

    python benchmarks/representatives.py map=/tmp/scale/150000/map-jpg

Ours: k-means of all points from far-apart centres (`mapping.representatives.nested`). Beside it the
same nest, each cluster split into up to four, by MiniBatchKMeans above 10,000 points and KMeans
below, as they come. *Tight*: root of the mean squared distance of a place from its cluster's
centre, in picture widths.
"""

import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans, MiniBatchKMeans
from threadpoolctl import threadpool_limits

from butterflies.files import read_json
from butterflies.mapping.representatives import FOLD, first_count, nested, representative_zooms
from butterflies.tables import ok_rows, read_table

MANY = 10_000

Places = npt.NDArray[np.int32]
Parts = list[npt.NDArray[np.intp]]


def main(words: list[str]) -> None:
    given = dict(word.split("=", 1) for word in words)
    place = Path(given["map"])
    shown = read_json(place / "site" / "map.json")
    rows = ok_rows(read_table(place / "places.parquet", "render.py"))
    places = np.array([(row["place_x"], row["place_y"]) for row in rows], np.int32)
    tile_px, px = shown["tile_px"], shown["picture_px"]
    rooms = np.ones(len(places))
    count = first_count(places, rooms, tile_px << shown["zoom"], tile_px)
    zooms = representative_zooms(shown["zoom"])
    with threadpool_limits(1):  # thousands of small clusters: threads only wait for each other
        for name, nest in {"ours": _ours, "scikit-learn": _peer}.items():
            list(islice(nest(places[:1000], count), 2))  # compiles
            start = time.perf_counter()
            levels = list(islice(nest(places, count), zooms))
            seconds = time.perf_counter() - start
            tight = ", ".join(f"{_tight(places, parts) / px:.2f}" for parts in levels)
            sizes = ", ".join(f"{len(parts):,}" for parts in levels)
            print(f"{name}: {seconds:.1f} s; tight {tight}; clusters {sizes}", flush=True)


def _ours(places: Places, count: int) -> Iterator[Parts]:
    for clusters in nested(places, np.zeros((len(places), 1), np.float32), count):
        yield [cluster.members for cluster in clusters]


def _peer(places: Places, count: int) -> Iterator[Parts]:
    parts = _split(places, np.arange(len(places)), count)
    while True:
        yield parts
        parts = [part for whole in parts for part in _split(places, whole, FOLD)]


def _split(places: Places, members: npt.NDArray[np.intp], count: int) -> Parts:
    points = places[members].astype(np.float64)
    count = min(count, len(np.unique(points, axis=0)))
    method = MiniBatchKMeans if len(points) > MANY else KMeans
    label = method(count, random_state=0).fit_predict(points)
    return [members[label == number] for number in np.unique(label)]


def _tight(places: Places, parts: Parts) -> float:
    off = [((places[part] - places[part].mean(axis=0)) ** 2).sum() for part in parts]
    return float(np.sqrt(sum(off) / len(places)))


if __name__ == "__main__":
    main(sys.argv[1:])
