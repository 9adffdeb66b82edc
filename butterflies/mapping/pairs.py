"""Pairs of discs that lie close together, found on a grid."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from butterflies.mapping.compiled import compiled

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

STRIPS = 64
"""At most so many, however many cores there are, so that all of them push to the same end."""


class Pairs(NamedTuple):
    """Pairs of points, row of cells by row of cells.

    Attributes:
        numbers: (m, 2) int32, first < second.
        strips: (s + 1,) where strips of them begin, with about as many pairs each. Strips that are
            not next to each other share no point.
    """

    numbers: npt.NDArray[np.int32]
    strips: Numbers


def near_pairs(points: Floats, diameters: Floats, slack: float) -> Pairs:
    """The pairs of points (n, 2), n > 0, whose discs lie closer than `slack`."""
    cell = max(1.0, float(diameters.max()) + slack)
    cells = np.floor((points - points.min(axis=0)) / cell).astype(np.int64)
    columns, rows = (cells.max(axis=0) + 1).tolist()
    number = cells[:, 1] * columns + cells[:, 0]
    start = np.zeros(rows * columns + 1, np.int64)
    np.cumsum(np.bincount(number, minlength=rows * columns), out=start[1:])
    order = _sorted(number, start)
    pairs, begin = _pairs_of(points, diameters, slack, number, order, start, columns)
    even = np.linspace(0, len(pairs), STRIPS + 1)
    return Pairs(pairs, np.unique(begin[np.searchsorted(begin, even)]))


@compiled
def _sorted(number: Numbers, start: Numbers) -> Numbers:
    """The points (n,) cell by cell, of which each begins at `start`."""
    order, free = np.empty(len(number), np.int64), start.copy()
    for i in range(len(number)):
        order[free[number[i]]] = i
        free[number[i]] += 1
    return order


@compiled
def _pairs_of(
    points: Floats,
    diameters: Floats,
    slack: float,
    number: Numbers,
    order: Numbers,
    start: Numbers,
    columns: int,
) -> tuple[npt.NDArray[np.int32], Numbers]:
    """The pairs, and where those begin that each row of cells has with itself and the next."""
    rows = (len(start) - 1) // columns
    pairs, count = np.empty((4 * len(points), 2), np.int32), 0
    begin = np.zeros(rows + 1, np.int64)
    for row in range(rows):
        for at in range(start[row * columns], start[(row + 1) * columns]):
            i = order[at]
            column = number[i] - row * columns
            first, last = max(column - 1, 0), min(column + 1, columns - 1) + 1
            for below in range(2 if row + 1 < rows else 1):
                cells = (row + below) * columns
                # in its own row those that come after it
                low = start[cells + first] if below else at + 1
                for other in range(low, start[cells + last]):
                    j = order[other]
                    reach = (diameters[i] + diameters[j]) / 2 + slack
                    if squared(points, i, j) < reach**2:
                        if count == len(pairs):
                            pairs = np.concatenate((pairs, np.empty_like(pairs)))
                        pairs[count, 0], pairs[count, 1] = min(i, j), max(i, j)
                        count += 1
        begin[row + 1] = count
    return pairs[:count], begin


@compiled
def squared(points: Floats, i: int, j: int) -> float:
    """The squared distance of two points."""
    across, down = points[i, 0] - points[j, 0], points[i, 1] - points[j, 1]
    return float(across * across + down * down)
