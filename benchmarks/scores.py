"""Scores of a walk: reconstruction, and how far neighbours agree on the genus.

    python benchmarks/scores.py out=/tmp/walk

k nearest neighbours: k = 5, Euclidean, 5 folds by specimen. All cut-outs are asked, those that the
autoencoder was trained on among them (it saw no label); `test` asks the test specimens only, and
the training specimens answer.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import PCA

from butterflies.collection.records import read_records
from butterflies.collection.splits import split_of
from butterflies.quality import pca_error, pixels, read_points
from butterflies.scores.neighbours import Known, knn_accuracy, species_held_out, told_by
from butterflies.tables import ok_rows, read_table
from butterflies.tracking.provenance import read_provenance

Vectors = dict[str, npt.NDArray[Any]]


def main(words: list[str]) -> None:
    place = Path(dict(word.split("=", 1) for word in words)["out"])
    collection = place / "collection"
    for run in ("segmenter", "autoencoder"):
        for name, value in read_provenance(place / run).get("scores", {}).items():
            print(f"{run} {name}: {value:.4f}")
    print(f"PCA of 128 components, test L1: {pca_error(collection):.4f}\n")
    print("| vectors | genus | balanced | majority | species held out | test genus | n |")
    print("|---|---|---|---|---|---|---|")
    for name, vectors in _spaces(place, collection).items():
        print(f"| {name} | {_row(collection, vectors)} |")


def _spaces(place: Path, collection: Path) -> dict[str, Vectors]:
    raw = pixels(collection)
    codes = ok_rows(read_table(place / "embedding" / "codes.parquet", "python embed.py"))
    train = [k for k, s in _specimens(collection).items() if k in raw and split_of(s) == "train"]
    stacked = np.stack(list(raw.values()))
    fit = np.stack([raw[key] for key in train])
    pca = PCA(min(128, len(fit)), svd_solver="randomized", random_state=0).fit(fit)
    return {
        "pixels, PCA to 128": dict(zip(raw, pca.transform(stacked), strict=True)),
        "codes": {row["assetID"]: np.array(row["code"]) for row in codes},
        "map": dict(read_points(place / "embedding")),
    }


def _specimens(collection: Path) -> dict[str, str]:
    return {row["assetID"]: row["specimen"] for row in ok_rows(read_records(collection))}


def _row(collection: Path, vectors: Vectors) -> str:
    rows = [r for r in ok_rows(read_records(collection)) if r["assetID"] in vectors]
    stacked = np.stack([vectors[row["assetID"]] for row in rows])
    genera = [row["genus"] for row in rows]
    species = [f"{row['genus']} {row['specificEpithet']}" for row in rows]
    specimens = [row["specimen"] for row in rows]
    found = knn_accuracy(stacked, genera, specimens)
    held = species_held_out(stacked, genera, species)
    train, test = (
        [g if split_of(s) == part else None for g, s in zip(genera, specimens, strict=True)]
        for part in ("train", "test")
    )
    told = told_by(Known(stacked, train, specimens), stacked, test, specimens)
    shown = [found.plain, found.balanced, found.majority, held.plain, told.plain]
    return " | ".join([*(f"{value:.3f}" for value in shown), str(found.n)])


if __name__ == "__main__":
    main(sys.argv[1:])
