"""Representatives: specimens that stand for their neighbourhood on zooms too far out to see all.

Nested k-means in the plane: each cluster of a zoom splits into up to four on the next. A cluster
is shown by the member nearest its mean latent code, drawn at the cluster's centre; the child that
contains its parent's representative keeps it, so that it stays when one zooms in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.spatial import ConvexHull, QhullError

from butterflies.mapping.compiled import compiled
from butterflies.mapping.spread import Places, separate
from butterflies.tables import from_rows, schema

SCHEMA = schema(
    *(
        pa.field(name, pa.int32())
        for name in ("zoom", "cluster", "parent", "place_x", "place_y", "size_px", "members")
    )
)
"""`place_*`: the drawn picture's centre, world units; `size_px`: its width in pixels of `zoom`."""

BELOW = 2
"""Representatives are drawn from this many zooms above the deepest: pictures are 32 px there."""

SIZE_PX = 80
"""Width of a representative in pixels of its zoom."""

SPACING = 1.25
"""Distance of two representatives, over their width, where they cover the map evenly."""

MARGIN_PX = 56
"""No representative's centre lies nearer to the map's edge, in pixels of its zoom."""

FOLD = 4
"""Most children of a cluster."""

SWEEPS = 25
"""Most of k-means, which at this pace takes all points however many there are."""

WIDTHS_PX = (56, 112)
"""Least and largest width of a representative that is drawn by its members."""

Members = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Cluster:
    """Specimens that one of them represents.

    Attributes:
        parent: number of its cluster on the zoom above, -1 on the first.
        members: their numbers.
        chosen: the number of the one.
    """

    parent: int
    members: Members
    chosen: int


def representatives(
    ids: Sequence[str],
    places: Places,
    codes: npt.NDArray[np.float32],
    rooms: npt.NDArray[np.float64],
    zoom: int,
    tile_px: int,
    by_members: bool = False,
) -> pa.Table:
    """Chooses and places the representatives of zooms 0 to Z - 2.

    Args:
        ids: assetIDs (n,).
        places: (n, 2) centres in world units.
        codes: (n, d) latent codes.
        rooms: (n,) diameters kept free for a picture, over the picture's width.
        zoom: Z, the zoom whose pixel is the world unit.
        tile_px: the map is `tile_px * 2**Z` world units wide.
        by_members: draw those larger that stand for more, see `widths_of`.

    Returns:
        Rows of SCHEMA by zoom and cluster; no two of a zoom overlap.
    """
    rows: list[dict[str, Any]] = []
    count = first_count(places, rooms, tile_px * 2**zoom, tile_px)
    levels = nested(places, codes, count)
    for z, clusters in zip(range(zoom - BELOW + 1), levels, strict=False):
        widths = widths_of([len(c.members) for c in clusters], by_members)
        drawn = _drawn(clusters, widths, places, rooms, 2 ** (zoom - z), tile_px * 2**z)
        for number, (cluster, width, (x, y)) in enumerate(
            zip(clusters, widths.tolist(), drawn, strict=True)
        ):
            rows.append(
                {
                    "zoom": z,
                    "cluster": number,
                    "parent": cluster.parent if z else None,
                    "assetID": ids[cluster.chosen],
                    "status": "ok",
                    "place_x": int(x),
                    "place_y": int(y),
                    "size_px": width,
                    "members": len(cluster.members),
                }
            )
    return from_rows(rows, SCHEMA)


def first_count(places: Places, rooms: npt.NDArray[np.float64], map_px: int, tile_px: int) -> int:
    """How many representatives zoom 0 has room for on the part of the map that is covered."""
    inner = tile_px - 2 * MARGIN_PX
    across = inner / (SPACING * SIZE_PX) + 1
    widest = drawn_room(rooms, np.full(len(rooms), SIZE_PX)).max(initial=1)
    at_most = int(inner / float(widest) + 1) ** 2
    try:
        covered = float(ConvexHull(places.astype(np.float64)).volume) / map_px**2
    except (QhullError, ValueError):
        covered = 0.1
    return max(1, min(at_most, round(covered * across**2)))


def nested(places: Places, codes: npt.NDArray[np.float32], count: int) -> Iterator[list[Cluster]]:
    """Clusters of zoom 0, 1, ...: `count` at first, then each split into up to four."""
    everyone = np.arange(len(places))
    parts = _split(places, everyone, count) if len(everyone) else []
    clusters = [Cluster(-1, part, _central(codes, part)) for part in parts]
    while True:
        yield clusters
        clusters = [
            Cluster(number, part, parent.chosen if parent.chosen in part else _central(codes, part))
            for number, parent in enumerate(clusters)
            for part in _split(places, parent.members, FOLD)
        ]


def _split(places: Places, members: Members, count: int) -> list[Members]:
    """k-means (Lloyd, 1982) from points far from one another; no part is empty."""
    points = places[members].astype(np.float64)
    label = _lloyd(points, _far_apart(points, count))
    return [members[label == number] for number in np.unique(label)]


@compiled
def _lloyd(points: Floats, centres: Floats) -> Members:
    """The nearest centre (n,) of each point once centres (k, 2) have moved amid theirs."""
    label, k = np.zeros(len(points), np.intp), len(centres)
    for _ in range(SWEEPS):
        sums, counts, changed = np.zeros((k, 2)), np.zeros(k), False
        for i in range(len(points)):
            x, y = points[i]
            best, nearest = np.inf, 0
            for number in range(k):
                far = (x - centres[number, 0]) ** 2 + (y - centres[number, 1]) ** 2
                if far < best:
                    best, nearest = far, number
            changed = changed or nearest != label[i]
            label[i] = nearest
            counts[nearest] += 1
            sums[nearest, 0] += x
            sums[nearest, 1] += y
        if not changed:
            break
        for number in range(k):
            if counts[number]:
                centres[number] = sums[number] / counts[number]
    return label


def _far_apart(points: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.float64]:
    """Up to `count` different points: the middlemost, then each the farthest from those before."""
    far = ((points - points.mean(axis=0)) ** 2).sum(axis=1)
    chosen = [int(far.argmin())]
    nearest = ((points - points[chosen[0]]) ** 2).sum(axis=1)
    while len(chosen) < count and nearest.max() > 0:
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
    return points[chosen]


def _central(codes: npt.NDArray[np.float32], members: Members) -> int:
    """The member nearest the members' mean code."""
    own = codes[members].astype(np.float64)
    nearest = ((own - own.mean(axis=0)) ** 2).sum(axis=1).argmin()
    return int(members[int(nearest)])


def _drawn(
    clusters: Sequence[Cluster],
    widths: Members,
    places: Places,
    rooms: Floats,
    unit: int,
    zoom_px: int,
) -> Places:
    """Centres (k, 2) in world units, moved apart on the zoom's own whole pixels."""
    if not clusters:
        return np.zeros((0, 2), np.int32)
    centres = np.stack([places[c.members].mean(axis=0) for c in clusters]) / unit
    needed = drawn_room(np.array([rooms[c.chosen] for c in clusters]), widths)
    apart, _ = separate(centres, needed, zoom_px, seed=0, margin=MARGIN_PX)
    return apart * np.int32(unit)


def widths_of(members: Sequence[int], by_members: bool) -> Members:
    """Even widths (k,) of a zoom's representatives, in its pixels.

    All SIZE_PX; or by members: areas grow with the root of how many a representative stands for,
    within WIDTHS_PX, and all of them together take no more room.
    """
    if not by_members:
        return np.full(len(members), SIZE_PX)
    wide = np.asarray(members, np.float64) ** 0.25
    for _ in range(2):  # again, for what the bounds took or gave
        wide = (wide * SIZE_PX / np.sqrt((wide**2).mean())).clip(*WIDTHS_PX)
    shrink = min(1.0, SIZE_PX / float(np.sqrt((wide**2).mean())))
    return 2 * np.floor(shrink * wide / 2).astype(np.intp)


def drawn_room(rooms: Floats, widths: Members) -> Floats:
    """Diameters in pixels kept free for representatives; a pixel more, since they are rescaled.

    Args:
        rooms: (k,) over a picture's width.
        widths: (k,) of the pictures.
    """
    return np.ceil(rooms * widths) + 1.0


def representative_zooms(zoom: int) -> int:
    """On how many zooms, from 0 on, representatives are drawn."""
    return max(0, zoom - BELOW + 1)


def first_zooms(ids: Sequence[str], table: pa.Table, zoom: int) -> list[int]:
    """The lowest zoom at which each specimen is drawn, as a representative or as itself."""
    seen: dict[str, int] = {}
    for asset_id, z in zip(table["assetID"].to_pylist(), table["zoom"].to_pylist(), strict=True):
        seen[asset_id] = min(z, seen.get(asset_id, z))
    own = representative_zooms(zoom)
    return [seen.get(asset_id, own) for asset_id in ids]
