"""Pictures that lie apart come nearer home: they slide where there is room, and swap places."""

import math

import numpy as np
import numpy.typing as npt

from butterflies.mapping.compiled import compiled
from butterflies.mapping.pairs import near_pairs
from butterflies.mapping.placing import Ground, Numbers, cell_of, enlist, fits, ground_of
from butterflies.mapping.pushing import crossed

Floats = npt.NDArray[np.float64]

SLIDES = 3
"""Rounds of sliding. Each room that is left moves outwards, and the next picture takes it."""

ASIDE = math.radians(30)
"""A picture that finds no room straight on tries so far to either side."""

NEAREST = 2
"""Pixels from home at which a picture stays."""

SWAPS = 20
"""Most rounds of swapping."""


def slid(places: Floats, homes: Floats, diameters: Floats, low: float, high: float) -> None:
    """Lets each picture slide towards its home as far as there is room, in place.

    Args:
        places: (n, 2) whole numbers, n > 0, no two overlapping.
        homes: (n, 2).
        diameters: (n,).
        low: least x and y.
        high: largest.
    """
    ground = ground_of(places, diameters, low, high)
    enlist(ground, np.arange(len(places)))
    order = np.argsort(((places - homes) ** 2).sum(axis=1), kind="stable")
    for _ in range(SLIDES):
        if not _slide(ground, homes, order, low, high):
            break


@compiled
def _slide(ground: Ground, homes: Floats, order: Numbers, low: float, high: float) -> int:
    """One round; how many moved."""
    count = 0
    for i in order:
        across = homes[i, 0] - ground.places[i, 0]
        down = homes[i, 1] - ground.places[i, 1]
        far = math.hypot(across, down)
        step = min(far, ground.diameters[i])
        while step >= 1 and far > NEAREST:
            x, y = _nearer(ground, homes, i, step * across / far, step * down / far, low, high)
            if x >= low:
                _move(ground, i, x, y)
                count += 1
                break
            step /= 2
    return count


@compiled
def _nearer(
    ground: Ground, homes: Floats, i: int, across: float, down: float, low: float, high: float
) -> tuple[float, float]:
    """A free place nearer home, a step away or so; under `low` where there is none."""
    far = (homes[i, 0] - ground.places[i, 0]) ** 2 + (homes[i, 1] - ground.places[i, 1]) ** 2
    for turn in (0.0, ASIDE, -ASIDE):
        cos, sin = math.cos(turn), math.sin(turn)
        x = np.rint(ground.places[i, 0] + cos * across - sin * down)
        y = np.rint(ground.places[i, 1] + sin * across + cos * down)
        inside = low <= min(x, y) and max(x, y) <= high
        nearer = (homes[i, 0] - x) ** 2 + (homes[i, 1] - y) ** 2 < far
        if inside and nearer and fits(ground, x, y, ground.diameters[i], i, i):
            return x, y
    return low - 1, low - 1


@compiled
def _move(ground: Ground, i: int, x: float, y: float) -> None:
    """Takes a disc to another place, and from one list to another."""
    row, column = cell_of(ground, ground.places[i, 1]), cell_of(ground, ground.places[i, 0])
    if ground.head[row, column] == i:
        ground.head[row, column] = ground.after[i]
    else:
        before = ground.head[row, column]
        while ground.after[before] != i:
            before = ground.after[before]
        ground.after[before] = ground.after[i]
    ground.places[i, 0], ground.places[i, 1] = x, y
    row, column = cell_of(ground, y), cell_of(ground, x)
    ground.after[i] = ground.head[row, column]
    ground.head[row, column] = i


def swapped(places: Floats, homes: Floats, diameters: Floats) -> Floats:
    """Lets pictures swap places where that brings the two nearer home and each fits.

    Args:
        places: (n, 2), n > 0, no two overlapping.
        homes: (n, 2).
        diameters: (n,).
    """
    ground = ground_of(places, diameters.copy(), float(places.min()), float(places.max()))
    enlist(ground, np.arange(len(places)))
    pairs = near_pairs(places, diameters, float(diameters.mean())).numbers
    holder = np.arange(len(places))
    for _ in range(SWAPS):
        if not _swap(ground, homes, pairs, holder):
            break
    found = np.empty_like(places)
    found[holder] = places
    return found


@compiled
def _swap(ground: Ground, homes: Floats, pairs: npt.NDArray[np.int32], holder: Numbers) -> int:
    """One round; how many swapped. Places stay, holders change, and with them the diameters."""
    places, wide, count = ground.places, ground.diameters, 0
    for step in range(len(pairs)):
        i, j = pairs[step, 0], pairs[step, 1]
        if not crossed(places, i, j, homes, holder[i], holder[j]):
            continue
        fit = wide[i] == wide[j] or (
            fits(ground, places[i, 0], places[i, 1], wide[j], i, j)
            and fits(ground, places[j, 0], places[j, 1], wide[i], i, j)
        )
        if fit:
            holder[i], holder[j] = holder[j], holder[i]
            wide[i], wide[j] = wide[j], wide[i]
            count += 1
    return count
