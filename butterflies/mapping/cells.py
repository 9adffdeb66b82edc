"""Points on the cells of a square grid: one to a cell, no gap, neighbours near each other."""

import math

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from butterflies.mapping.settling import swapped

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.intp]

BEST = 256
"""So many points at most are given the best of all assignments."""


def in_cells(points: Floats) -> Floats:
    """A column and a row (n, 2) for every point (n, 2); all rows are full but perhaps the last.

    The points are halved by their median, again and again, and so are the cells. Small parts get
    the assignment in which places and cells agree best, that is, have the largest sum of products
    (an assignment problem: Crouse, 2016). Cells near each other then swap points while they can
    gain by it.
    """
    if not len(points):
        return np.zeros((0, 2))
    columns = math.ceil(math.sqrt(len(points)))
    rows, column = np.divmod(np.arange(len(points)), columns)
    cells = np.stack([column, rows], axis=1).astype(np.float64)
    found = np.empty_like(cells)
    parts = [(np.arange(len(points)), cells)]
    while parts:
        numbers, free = parts.pop()
        if len(numbers) > BEST:
            parts += _halves(points, numbers, free)
        else:
            found[numbers] = free[_assigned(points[numbers], free)]
    return swapped(found, points, np.ones(len(points)))


def _halves(points: Floats, numbers: Numbers, cells: Floats) -> list[tuple[Numbers, Floats]]:
    """Points by their coordinate, cells by whole rows or columns, as many of each."""
    axis = int(np.ptp(cells[:, 1]) > np.ptp(cells[:, 0]))
    first = cells[:, axis] <= (cells[:, axis].min() + cells[:, axis].max()) // 2
    own = points[numbers]
    order = np.lexsort((own[:, 1 - axis], own[:, axis]))
    count = int(first.sum())
    return [(numbers[order[:count]], cells[first]), (numbers[order[count:]], cells[~first])]


def _assigned(points: Floats, cells: Floats) -> Numbers:
    """The number of a cell for every point."""
    around = points - points.mean(axis=0)
    _, found = linear_sum_assignment(around @ (cells - cells.mean(axis=0)).T, maximize=True)
    return np.asarray(found, np.intp)
