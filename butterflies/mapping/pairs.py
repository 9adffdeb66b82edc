"""Pairs of discs that lie close together, found on a grid."""

import math
from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from butterflies.mapping.compiled import compiled, threaded

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]
Small = npt.NDArray[np.int32]

STRIPS = 64
"""At most so many, however many cores there are, so that all of them push to the same end."""

ROOM = 4
"""Pairs a point, for which there is room at first."""


class Pairs(NamedTuple):
    """Pairs of points, row of cells by row of cells.

    Attributes:
        numbers: (m, 2) int32, first < second.
        strips: (s + 1,) where strips of them begin, with about as many pairs each. Strips that are
            not next to each other share no point.
    """

    numbers: Small
    strips: Numbers


class Grid(NamedTuple):
    """Points by the cells they lie in, row of cells by row of cells.

    Attributes:
        points: (n, 2).
        diameters: (n,) of their discs.
        number: (n,) which points they are.
        cell: (n,) their cells, numbered row by row.
        start: (rows * columns + 1,) where the points of each cell begin.
        columns: cells of a row.
    """

    points: Floats
    diameters: Floats
    number: Numbers
    cell: Numbers
    start: Numbers
    columns: int

    @property
    def rows(self) -> Numbers:
        """(rows + 1,) where the points of each row begin."""
        return self.start[:: self.columns]


def near_pairs(points: Floats, diameters: Floats, slack: float) -> Pairs:
    """The pairs of points (n, 2), n > 0, whose discs lie closer than `slack`."""
    grid = _grid_of(points, diameters, max(1.0, float(diameters.max()) + slack))
    parts = np.unique(np.searchsorted(grid.rows, np.linspace(0, len(points), STRIPS + 1)))
    pairs, room = np.empty((ROOM * len(points), 2), np.int32), ROOM * grid.rows[parts]
    begin = np.append(0, np.cumsum(_look_up(grid, parts, slack, pairs, room)))
    needed = begin[parts]
    if (np.diff(needed) > np.diff(room)).any():
        pairs, room = np.empty((needed[-1], 2), np.int32), needed
        _look_up(grid, parts, slack, pairs, room)
    ends = zip(room[:-1], room[:-1] + np.diff(needed), strict=True)
    pairs = np.concatenate([pairs[low:high] for low, high in ends])
    even = np.linspace(0, len(pairs), STRIPS + 1)
    return Pairs(pairs, np.unique(begin[np.searchsorted(begin, even)]))


def _grid_of(points: Floats, diameters: Floats, width: float) -> Grid:
    (left, right), (top, bottom) = ((axis.min(), axis.max()) for axis in points.T)
    columns, rows = (math.floor(side / width) + 1 for side in (right - left, bottom - top))
    cell, start = _cells(points, (left, top), width, columns, rows)
    return Grid(*_sorted(points, diameters, cell, start), start, columns)


@compiled
def _cells(
    points: Floats, corner: tuple[float, float], width: float, columns: int, rows: int
) -> tuple[Numbers, Numbers]:
    """The cell of each point (n,), and where the points of each cell begin."""
    cell, start = np.empty(len(points), np.int64), np.zeros(rows * columns + 1, np.int64)
    for i in range(len(points)):
        row = math.floor((points[i, 1] - corner[1]) / width)
        cell[i] = row * columns + math.floor((points[i, 0] - corner[0]) / width)
        start[cell[i] + 1] += 1
    return cell, np.cumsum(start)


@compiled
def _sorted(
    points: Floats, diameters: Floats, cell: Numbers, start: Numbers
) -> tuple[Floats, Floats, Numbers, Numbers]:
    """Points, diameters, numbers and cells, cell by cell, of which each begins at `start`."""
    n, free = len(points), start.copy()
    sorted_points, sorted_diameters = np.empty((n, 2)), np.empty(n)
    number, sorted_cell = np.empty(n, np.int64), np.empty(n, np.int64)
    for i in range(n):
        at = free[cell[i]]
        free[cell[i]] += 1
        sorted_points[at, 0], sorted_points[at, 1] = points[i, 0], points[i, 1]
        sorted_diameters[at], number[at], sorted_cell[at] = diameters[i], i, cell[i]
    return sorted_points, sorted_diameters, number, sorted_cell


@threaded
def _look_up(grid: Grid, parts: Numbers, slack: float, found: Small, room: Numbers) -> Numbers:
    """How many pairs each row of cells has with itself and the next.

    Args:
        grid: with the points.
        parts: (p + 1,) where parts of the rows begin; they are gone through beside each other.
        slack: see `near_pairs`.
        found: (m, 2) gets the pairs, as far as there is room.
        room: (p + 1,) where in it the room of each part begins.
    """
    count = np.zeros((len(grid.start) - 1) // grid.columns, np.int64)
    for part in numba.prange(len(parts) - 1):
        own, free = found[room[part] : room[part + 1]], 0
        for row in range(parts[part], parts[part + 1]):
            count[row] = _pairs_of(grid, row, slack, own[min(free, len(own)) :])
            free += count[row]
    return count


@compiled
def _pairs_of(grid: Grid, row: int, slack: float, found: Small) -> int:
    """How many pairs a row of cells has, which go to `found` as far as there is room."""
    columns, start, count = grid.columns, grid.start, 0
    rows = (len(start) - 1) // columns
    for i in range(start[row * columns], start[(row + 1) * columns]):
        column = grid.cell[i] - row * columns
        first, last = max(column - 1, 0), min(column + 1, columns - 1) + 1
        for below in range(2 if row + 1 < rows else 1):
            cells = (row + below) * columns
            # in its own row those that come after it
            low = start[cells + first] if below else i + 1
            for j in range(low, start[cells + last]):
                reach = (grid.diameters[i] + grid.diameters[j]) / 2 + slack
                if squared(grid.points, i, j) < reach**2:
                    if count < len(found):
                        one, other = grid.number[i], grid.number[j]
                        found[count, 0], found[count, 1] = min(one, other), max(one, other)
                    count += 1
    return count


@compiled
def squared(points: Floats, i: int, j: int) -> float:
    """The squared distance of two points."""
    across, down = points[i, 0] - points[j, 0], points[i, 1] - points[j, 1]
    return float(across * across + down * down)
