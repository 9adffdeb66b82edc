"""Whole-numbered places: which overlap, and the nearest free one."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from butterflies.mapping.compiled import compiled
from butterflies.mapping.pairs import near_pairs

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.intp]

FINENESS = 6
"""Free places are looked for in steps of the largest diameter over this."""

EPSILON = 1e-6
"""So much less of a disc fits than is computed, lest it overlap by rounding."""


class Ground(NamedTuple):
    """Discs, listed by the cells of a grid that they lie in.

    Attributes:
        places: (n, 2) their centres.
        diameters: (n,).
        low: the grid's least x and y.
        cell: width of a cell; no disc is wider.
        head: (rows, columns) the first disc of each cell, -1 for none.
        after: (n,) the next disc in the same cell, -1 for none.
        free: (rows, columns) no disc that is wider finds a place in the cell any more.
    """

    places: Floats
    diameters: Floats
    low: float
    cell: float
    head: Numbers
    after: Numbers
    free: Floats


def overlapping(places: npt.NDArray[np.generic], diameters: Floats) -> Numbers:
    """The pairs (m, 2), first < second, of places (n, 2) closer than the mean of diameters (n,)."""
    if not len(places):
        return np.zeros((0, 2), np.intp)
    points = places.astype(np.float64)
    i, j = near_pairs(points, diameters, 0.0).numbers.T
    hit = 4 * ((points[i] - points[j]) ** 2).sum(axis=1) < (diameters[i] + diameters[j]) ** 2
    return np.stack([i[hit], j[hit]], axis=1).astype(np.intp)


def place(places: Floats, loose: Numbers, diameters: Floats, low: float, high: float) -> None:
    """Puts each of some pictures on the free place nearest to it, one after the other, in place.

    Args:
        places: (n, 2) whole numbers; those not loose stay.
        loose: the numbers of those to be placed.
        diameters: (n,) of the discs.
        low: least x and y.
        high: largest.

    Raises:
        ValueError: no free place is left.
    """
    if not len(loose):
        return
    ground = ground_of(places, diameters, low, high)
    fixed = np.delete(np.arange(len(places)), loose)
    if not _place(ground, fixed, loose, math.ceil(low), math.floor(high)):
        raise ValueError("no free place is left: the map is too small for so many pictures")


def ground_of(places: Floats, diameters: Floats, low: float, high: float) -> Ground:
    """A ground that holds places (n, 2) and diameters (n,), and lists none of them yet."""
    cell = max(1.0, float(diameters.max()))
    size = int((high - low) / cell) + 1
    head, after = np.full((size, size), -1, np.intp), np.full(len(places), -1, np.intp)
    free = np.full((size, size), np.inf)
    return Ground(places, diameters, float(low), cell, head, after, free)


@compiled
def enlist(ground: Ground, numbers: Numbers) -> None:
    """Adds discs to the lists of their cells."""
    for i in numbers:
        row, column = cell_of(ground, ground.places[i, 1]), cell_of(ground, ground.places[i, 0])
        ground.after[i] = ground.head[row, column]
        ground.head[row, column] = i


@compiled
def cell_of(ground: Ground, value: float) -> int:
    """The row of a y, or the column of an x."""
    return min(max(int((value - ground.low) / ground.cell), 0), len(ground.head) - 1)


@compiled
def fits(ground: Ground, x: float, y: float, wide: float, i: int, j: int) -> bool:
    """Whether a disc at x, y overlaps none of those listed, but for i and j."""
    row, column = cell_of(ground, y), cell_of(ground, x)
    for down in range(max(row - 1, 0), min(row + 2, len(ground.head))):
        for across in range(max(column - 1, 0), min(column + 2, len(ground.head))):
            k = ground.head[down, across]
            while k >= 0:
                far = (ground.places[k, 0] - x) ** 2 + (ground.places[k, 1] - y) ** 2
                if k != i and k != j and 4 * far < (ground.diameters[k] + wide) ** 2:
                    return False
                k = ground.after[k]
    return True


@compiled
def _place(ground: Ground, fixed: Numbers, loose: Numbers, low: int, high: int) -> bool:
    enlist(ground, fixed)
    for at in range(len(loose)):
        if not _find(ground, loose[at], low, high):
            return False
        enlist(ground, loose[at : at + 1])
    return True


@compiled
def _find(ground: Ground, i: int, low: int, high: int) -> bool:
    """Moves picture i to the nearest free place: where it is, or on a lattice."""
    x, y, wide = ground.places[i, 0], ground.places[i, 1], ground.diameters[i]
    if low <= min(x, y) and max(x, y) <= high and fits(ground, x, y, wide, i, i):
        return True
    row, column, size = cell_of(ground, y), cell_of(ground, x), len(ground.head)
    best, best_x, best_y = np.inf, 0.0, 0.0
    for ring in range(size):
        if best <= (max(0, ring - 1) * ground.cell) ** 2:
            break
        for down in range(max(row - ring, 0), min(row + ring + 1, size)):
            step = 1 if abs(down - row) == ring else 2 * ring
            for across in range(column - ring, column + ring + 1, step):
                near = _gap(down, row) ** 2 + _gap(across, column) ** 2
                inside = 0 <= across < size and near * ground.cell**2 < best
                if inside and wide <= ground.free[down, across]:
                    far, at_x, at_y = _nearest_free(ground, down, across, i, low, high)
                    if far < best:
                        best, best_x, best_y = far, at_x, at_y
    ground.places[i, 0], ground.places[i, 1] = best_x, best_y
    return bool(best < np.inf)


@compiled
def _gap(one: int, other: int) -> int:
    """Cells that lie between two."""
    return max(abs(one - other) - 1, 0)


@compiled
def _nearest_free(
    ground: Ground, row: int, column: int, i: int, low: int, high: int
) -> tuple[float, float, float]:
    """The free place of a cell that is nearest to picture i, after its squared distance."""
    best, best_x, best_y, widest = np.inf, 0.0, 0.0, 0.0
    for down in range(FINENESS):
        for across in range(FINENESS):
            x = np.rint(ground.low + ground.cell * (column + across / FINENESS))
            y = np.rint(ground.low + ground.cell * (row + down / FINENESS))
            if low <= min(x, y) and max(x, y) <= high:
                far = (x - ground.places[i, 0]) ** 2 + (y - ground.places[i, 1]) ** 2
                fits = _fitting(ground, x, y)
                widest = max(widest, fits)
                if far < best and fits >= ground.diameters[i]:
                    best, best_x, best_y = far, x, y
    ground.free[row, column] = widest
    return best, best_x, best_y


@compiled
def _fitting(ground: Ground, x: float, y: float) -> float:
    """Diameter of the largest disc at x, y that overlaps none of those listed."""
    row, column, widest = cell_of(ground, y), cell_of(ground, x), ground.cell
    for down in range(max(row - 1, 0), min(row + 2, len(ground.head))):
        for across in range(max(column - 1, 0), min(column + 2, len(ground.head))):
            k = ground.head[down, across]
            while k >= 0:
                far = math.hypot(ground.places[k, 0] - x, ground.places[k, 1] - y)
                widest = min(widest, 2 * far - ground.diameters[k] - EPSILON)
                k = ground.after[k]
    return widest
