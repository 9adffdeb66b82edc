"""Whole-numbered places: which overlap, the nearest free one, and who shall have which."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from butterflies.mapping.compiled import compiled
from butterflies.mapping.pushing import Pairs, crossed, near_pairs

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.intp]

FINENESS = 6
"""Free places are looked for in steps of the largest diameter over this."""

EPSILON = 1e-6
"""So much less of a disc fits than is computed, lest it overlap by rounding."""

ROUNDS = 20
"""Most rounds of swapping."""


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
    i, j = near_pairs(points, diameters, 0.0).T
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
    ground = _ground(places, diameters, low, high)
    fixed = np.delete(np.arange(len(places)), loose)
    if not _place(ground, fixed, loose, math.ceil(low), math.floor(high)):
        raise ValueError("no free place is left: the map is too small for so many pictures")


def swapped(places: Floats, homes: Floats, diameters: Floats) -> Floats:
    """Lets pictures swap places where that brings the two nearer home and each fits.

    Args:
        places: (n, 2), n > 0, no two overlapping.
        homes: (n, 2).
        diameters: (n,).
    """
    ground = _ground(places, diameters.copy(), float(places.min()), float(places.max()))
    _enlist(ground, np.arange(len(places)))
    pairs = near_pairs(places, diameters, float(diameters.mean()))
    holder = np.arange(len(places))
    for _ in range(ROUNDS):
        if not _swap(ground, homes, pairs, holder):
            break
    found = np.empty_like(places)
    found[holder] = places
    return found


def _ground(places: Floats, diameters: Floats, low: float, high: float) -> Ground:
    cell = max(1.0, float(diameters.max()))
    size = int((high - low) / cell) + 1
    head, after = np.full((size, size), -1, np.intp), np.full(len(places), -1, np.intp)
    free = np.full((size, size), np.inf)
    return Ground(places, diameters, float(low), cell, head, after, free)


@compiled
def _enlist(ground: Ground, numbers: Numbers) -> None:
    """Adds discs to the lists of their cells."""
    for i in numbers:
        row, column = _cell(ground, ground.places[i, 1]), _cell(ground, ground.places[i, 0])
        ground.after[i] = ground.head[row, column]
        ground.head[row, column] = i


@compiled
def _cell(ground: Ground, value: float) -> int:
    return min(max(int((value - ground.low) / ground.cell), 0), len(ground.head) - 1)


@compiled
def _fits(ground: Ground, x: float, y: float, wide: float, i: int, j: int) -> bool:
    """Whether a disc at x, y overlaps none of those listed, but for i and j."""
    row, column = _cell(ground, y), _cell(ground, x)
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
    _enlist(ground, fixed)
    for at in range(len(loose)):
        if not _find(ground, loose[at], low, high):
            return False
        _enlist(ground, loose[at : at + 1])
    return True


@compiled
def _find(ground: Ground, i: int, low: int, high: int) -> bool:
    """Moves picture i to the nearest free place: where it is, or on a lattice."""
    x, y, wide = ground.places[i, 0], ground.places[i, 1], ground.diameters[i]
    if low <= min(x, y) and max(x, y) <= high and _fits(ground, x, y, wide, i, i):
        return True
    row, column, size = _cell(ground, y), _cell(ground, x), len(ground.head)
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
    row, column, widest = _cell(ground, y), _cell(ground, x), ground.cell
    for down in range(max(row - 1, 0), min(row + 2, len(ground.head))):
        for across in range(max(column - 1, 0), min(column + 2, len(ground.head))):
            k = ground.head[down, across]
            while k >= 0:
                far = math.hypot(ground.places[k, 0] - x, ground.places[k, 1] - y)
                widest = min(widest, 2 * far - ground.diameters[k] - EPSILON)
                k = ground.after[k]
    return widest


@compiled
def _swap(ground: Ground, homes: Floats, pairs: Pairs, holder: Numbers) -> int:
    """One round; how many swapped. Places stay, holders change, and with them the diameters."""
    places, wide, count = ground.places, ground.diameters, 0
    for step in range(len(pairs)):
        i, j = pairs[step, 0], pairs[step, 1]
        if not crossed(places, i, j, homes, holder[i], holder[j]):
            continue
        fit = wide[i] == wide[j] or (
            _fits(ground, places[i, 0], places[i, 1], wide[j], i, j)
            and _fits(ground, places[j, 0], places[j, 1], wide[i], i, j)
        )
        if fit:
            holder[i], holder[j] = holder[j], holder[i]
            wide[i], wide[j] = wide[j], wide[i]
            count += 1
    return count
