"""Projecting very many codes: a sample is fitted, the others are placed on its map."""

from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt

from butterflies.encoding.neighbours import Near
from butterflies.mapping.projection import Codes, Points, Projection, Watch
from butterflies.tracking.console import say

RARE = 30
"""So many of each genus are in the sample before any is drawn by lot: enough for a cluster."""


def sample(genera: Sequence[Hashable | None], size: int, seed: int) -> npt.NDArray[np.int64]:
    """Rows, sorted, of a random sample in which rare genera are whole.

    Up to RARE of every genus come first, the others by lot; where there is no room for that, as
    many of every genus as there is room for. Who has no known genus belongs to one more.

    Args:
        genera: n genera.
        size: of the sample, at most n.
        seed: of the lot.
    """
    lot = np.random.default_rng(seed).permutation(len(genera))
    counts: dict[Hashable | None, int] = {}
    turn = np.empty(len(genera), np.int64)
    for row in lot.tolist():
        turn[row] = counts[genera[row]] = counts.get(genera[row], 0) + 1
    drawn = np.empty(len(genera), np.int64)
    drawn[lot] = np.arange(len(genera))
    first = np.lexsort((drawn, np.minimum(turn, RARE + 1)))
    return np.sort(first[:size])


def fit(
    projection: Projection,
    codes: Codes,
    genera: Sequence[Hashable | None],
    at_most: int,
    seed: int = 0,
    workers: int = 0,
    near: Near | None = None,
    start: Points | None = None,
    watch: Watch | None = None,
) -> Points:
    """The points (n, 2) of codes (n, d), of which `at_most` are projected and the others placed.

    Args:
        projection: what projects and places.
        codes: (n, d), finite.
        genera: n genera; rare ones are projected whole.
        at_most: so many are projected.
        seed: see `Projection.project`, as for the others.
        workers: threads.
        near: neighbours of all codes.
        start: (n, 2).
        watch: is shown the points on their way, where all are projected.
    """
    if len(codes) <= at_most:
        return projection.project(codes, seed, workers, near, start, watch)
    chosen = np.zeros(len(codes), np.bool_)
    chosen[sample(genera, at_most, seed)] = True
    say(f"{at_most:,} of {len(codes):,} specimens are projected, the others placed among them.")
    known, begun = codes[chosen], None if start is None else start[chosen]
    points = np.empty((len(codes), 2))
    points[chosen] = projection.project(known, seed, workers, start=begun)
    points[~chosen] = projection.place(known, points[chosen], codes[~chosen], seed, workers)
    return points
