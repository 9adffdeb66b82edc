"""Crowds of points flow apart until no ground holds more pictures than fit on it.

Where there are more, they are under pressure: nowhere negative, and where it is positive the ground
ends up exactly full (the crowds of Maury, Roudneff-Chupin and Santambrogio, 2010). The pressure is
found on a square grid, from coarse to fine, by projected overrelaxation (Cryer, 1971). Its gradient
is the flux of pictures, and the points follow it while the density goes evenly from what it is to
what it shall be (Gastner, Seguy and More, 2018). Whole crowds so find their room in one go, however
large they are, and points that have room stay where they are.
"""

import math

import numba
import numpy as np
import numpy.typing as npt

from butterflies.mapping.compiled import compiled, threaded

Floats = npt.NDArray[np.float64]

FULL = 0.93
"""Area of the pictures' discs over that of ground that is full; 0.907 is the most there can be,
and where that is not reached, the crowd is relieved while its discs push each other."""

FULLEST = 1.0
"""Maps that would have to be fuller are left as they are."""

CELL = 2.0
"""Width of a cell of the grid, over the mean diameter."""

PASSES = 8
"""Crowds flow so often at most, since the grid is too coarse for points all on one spot ..."""

EVEN = 0.03
"""... and no more once less than this part of all lies where there is too much."""

SWEEPS = 40
"""Of the relaxation, on each grid."""

LARGE = 128
"""Grids so wide are swept on all cores."""

OVER = 1.7
"""Overrelaxation: each sweep goes so many times as far as it should."""

STEPS, RELIEF_STEPS = 32, 8
"""In which the points follow the flux."""

PRESSED = 0.005
"""Ground where discs lack this part of their area is full, however many there are."""

THINNEST = 0.02
"""Least density in which points move, so that none flies off."""


def thinned(points: Floats, diameters: Floats, low: float, high: float) -> Floats:
    """Moves points so that the density of their discs is hardly anywhere above `FULL`.

    Args:
        points: (n, 2), n > 0, within the box.
        diameters: (n,) of their discs.
        low: the box's least x and y.
        high: its largest.
    """
    areas = math.pi / 4 * diameters**2
    full = max(FULL, 1.05 * float(areas.sum()) / (high - low) ** 2)
    if full > FULLEST:
        return points.copy()
    size, cell = _grid(diameters, low, high)
    moved = (points - low) / cell
    for _ in range(PASSES):
        density = _density(moved, areas / cell**2, size)
        if np.maximum(density - full, 0).sum() <= EVEN * density.sum():
            break
        _flow(moved, density, density - full, STEPS)
    return moved * cell + low


def relieved(points: Floats, diameters: Floats, lack: Floats, low: float, high: float) -> Floats:
    """Moves points so that their discs find more area where they lack some.

    Args:
        points: (n, 2), n > 0, within the box.
        diameters: (n,) of their discs.
        lack: (n,) the part of its area by which each should have more.
        low: the box's least x and y.
        high: its largest.
    """
    size, cell = _grid(diameters, low, high)
    areas = math.pi / 4 * diameters**2 / cell**2
    moved = (points - low) / cell
    density, wanted = (_density(moved, area, size) for area in (areas, areas * lack))
    room = np.minimum(density - FULL, 0)
    excess = np.where(wanted > PRESSED * density, wanted, room)
    if excess.sum() < 0:  # else the box is full
        _flow(moved, density, excess, RELIEF_STEPS)
    return moved * cell + low


def _grid(diameters: Floats, low: float, high: float) -> tuple[int, float]:
    """How many cells a row has, a power of two, and how wide they are."""
    wanted = (high - low) / (CELL * float(diameters.mean()))
    size = 2 ** max(1, round(math.log2(max(wanted, 1.0))))
    return size, (high - low) / size


def _flow(points: Floats, before: Floats, excess: Floats, steps: int) -> None:
    """Moves points (n, 2), in cells of the grid whose density is given, once, in place."""
    size = len(before)
    pressure = _pressure(excess)
    across, down = np.zeros((size, size + 1)), np.zeros((size + 1, size))
    across[:, 1:-1] = pressure[:, :-1] - pressure[:, 1:]
    down[1:-1] = pressure[:-1] - pressure[1:]
    after = before - np.diff(across, axis=1) - np.diff(down, axis=0)
    # Short steps at the end, where a crowd that has become thin moves fast.
    shrink = max(2.0, float(before.max()) / FULL)
    times = (1 - shrink ** -np.linspace(0, 1, steps + 1)) / (1 - 1 / shrink)
    _follow(points, across, down, before, after, times)


def _pressure(excess: Floats) -> Floats:
    """The least p >= 0 of which minus the Laplacian is `excess` or more, no flux at the edges."""
    grids = [excess]
    while len(grids[-1]) > 2:
        fine = grids[-1]
        grids.append(4 * fine.reshape(len(fine) // 2, 2, -1, 2).mean(axis=(1, 3)))
    found = np.zeros_like(grids[-1])
    for grid in reversed(grids):
        if len(found) < len(grid):
            found = found.repeat(2, axis=0).repeat(2, axis=1)
        relax = _relax_large if len(grid) >= LARGE else _relax
        relax(found, grid, SWEEPS)
    return found


@compiled
def _relax(pressure: Floats, excess: Floats, sweeps: int) -> None:
    """Sweeps over the black and the white cells of a chessboard in turn."""
    for sweep in range(2 * sweeps):
        for row in range(len(pressure)):
            _relax_row(pressure, excess, row, (row + sweep) % 2)


@threaded
def _relax_large(pressure: Floats, excess: Floats, sweeps: int) -> None:
    """The same to the last bit: black cells look at white ones only."""
    for sweep in range(2 * sweeps):
        for row in numba.prange(len(pressure)):
            _relax_row(pressure, excess, row, (row + sweep) % 2)


@compiled
def _relax_row(pressure: Floats, excess: Floats, row: int, first: int) -> None:
    size = len(pressure)
    for column in range(first, size, 2):
        total, count = 0.0, 0
        if row > 0:
            total, count = total + pressure[row - 1, column], count + 1
        if row < size - 1:
            total, count = total + pressure[row + 1, column], count + 1
        if column > 0:
            total, count = total + pressure[row, column - 1], count + 1
        if column < size - 1:
            total, count = total + pressure[row, column + 1], count + 1
        old = pressure[row, column]
        new = old + OVER * ((total + excess[row, column]) / count - old)
        pressure[row, column] = max(new, 0.0)


@compiled
def _density(points: Floats, areas: Floats, size: int) -> Floats:
    """Area over that of a cell, each point's shared among the four cells nearest to it."""
    density = np.zeros((size, size))
    for i in range(len(points)):
        x, y = points[i, 0] - 0.5, points[i, 1] - 0.5
        left, top = math.floor(x), math.floor(y)
        for row in range(top, top + 2):
            for column in range(left, left + 2):
                share = (1 - abs(y - row)) * (1 - abs(x - column))
                density[_clip(row, size), _clip(column, size)] += areas[i] * share
    return density


@compiled
def _clip(index: int, size: int) -> int:
    return min(max(index, 0), size - 1)


@compiled
def _at(grid: Floats, row: float, column: float) -> float:
    """The value between four of a grid, at a place in units of its rows and columns."""
    top, left = math.floor(row), math.floor(column)
    down, right = row - top, column - left
    upper, lower = _clip(top, grid.shape[0]), _clip(top + 1, grid.shape[0])
    first, second = _clip(left, grid.shape[1]), _clip(left + 1, grid.shape[1])
    above = (1 - right) * grid[upper, first] + right * grid[upper, second]
    below = (1 - right) * grid[lower, first] + right * grid[lower, second]
    return float((1 - down) * above + down * below)


@threaded
def _follow(
    points: Floats, across: Floats, down: Floats, before: Floats, after: Floats, times: Floats
) -> None:
    """Moves points along a flux by the midpoint rule, in place; none looks at another."""
    most = len(before) - 1e-6
    for i in numba.prange(len(points)):
        x, y = points[i, 0], points[i, 1]
        for step in range(len(times) - 1):
            length = times[step + 1] - times[step]
            at_x, at_y, time = x, y, times[step]
            for part in (0.5, 1.0):
                dense = (1 - time) * _at(before, at_y - 0.5, at_x - 0.5)
                dense += time * _at(after, at_y - 0.5, at_x - 0.5)
                far = part * length / max(dense, THINNEST)
                to_x = x + far * _at(across, at_y - 0.5, at_x)
                to_y = y + far * _at(down, at_y, at_x - 0.5)
                at_x, at_y = min(max(to_x, 0.0), most), min(max(to_y, 0.0), most)
                time = times[step] + 0.5 * length
            x, y = at_x, at_y
        points[i, 0], points[i, 1] = x, y
