"""Moves points apart until no two pictures overlap, each as little as that takes.

Crowds flow apart first, as a whole. Then overlapping pairs push each other, and swap places where
they crossed. What still overlaps is put on the nearest free place: the result is guaranteed, not
hoped for. At last each picture slides towards its home where there is room.
"""

import math

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from butterflies.errors import UserError
from butterflies.mapping.cells import in_cells
from butterflies.mapping.crowds import thinned
from butterflies.mapping.placing import overlapping, place
from butterflies.mapping.pushing import Frames, pushed
from butterflies.mapping.settling import slid, swapped

Places = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

AREA_PX = 131_072**2 / 150_000 / 128**2
"""Square map pixels a specimen has, per pixel of its picture: the density of the 2019 map."""

ROUNDING = 1.5
"""Pixels kept between discs so that whole-numbered places stay apart: over the root of 2."""

AIM = 1.003
"""Discs push a little before they touch, so that the last overlaps end soon."""

APART = 0.03
"""Equal points are first moved so far at most, in mean diameters."""

SHOWN_BY = 3
"""An added picture goes where so many of its neighbours went."""


def map_size(n: int, picture_px: int, tile_px: int) -> tuple[int, int]:
    """The map that shows `n` pictures about as dense as 150,000 of 128 px on 131,072 px.

    Returns:
        (Z, map_px): the deepest zoom and the map's width, `tile_px * 2**Z`, at least three
        pictures wide.
    """
    wanted = math.sqrt(max(n, 1) * AREA_PX) * picture_px
    zoom = max(0, round(math.log2(wanted / tile_px)))
    while tile_px * 2**zoom < 3 * picture_px:
        zoom += 1
    return zoom, tile_px * 2**zoom


def grid_size(n: int, diameter: float, margin: float, tile_px: int) -> tuple[int, int]:
    """The smallest map, as `map_size` gives it, that takes a grid of `n` pictures."""
    wanted = (math.ceil(math.sqrt(n)) - 1) * math.ceil(diameter) + 2 * (margin + 1)
    zoom = max(0, math.ceil(math.log2(wanted / tile_px)))
    return zoom, tile_px * 2**zoom


def fit(xy: Floats, map_px: int, margin: float) -> Floats:
    """Scales and shifts (n, 2) points, the same in x and y, to fill the map within `margin`.

    Raises:
        UserError: a point lies nowhere.
    """
    lost = int((~np.isfinite(xy)).any(axis=1).sum())
    if lost:
        raise UserError(
            f"{lost:,} of {len(xy):,} points of the map are not finite numbers: make the map "
            "again with `python embed.py`, or mend its positions."
        )
    if not len(xy):
        return xy
    low, high = xy.min(axis=0), xy.max(axis=0)
    widest = float((high - low).max())
    inner = 0.94 * (map_px - 2 * margin)
    scale = inner / widest if widest > 0 else 0.0
    return np.asarray((xy - (low + high) / 2) * scale + map_px / 2)


def spread(
    xy: Floats, diameters: Floats, map_px: int, seed: int = 0, margin: float | None = None
) -> tuple[Places, Frames]:
    """Scales points to the map, the same in x and y, and moves them apart.

    Args:
        xy: (n, 2), any units; equal points are told apart at random.
        diameters: (n,) in map pixels.
        map_px: width of the square map.
        seed: of the directions in which equal points leave each other.
        margin: pixels no centre comes nearer to the map's edge; the largest diameter by default.

    Returns:
        places: (n, 2) int32, no two closer than the mean of their diameters.
        frames: (n, 2) float32 arrays from the scaled points to the places, for an animation.

    Raises:
        UserError: a point lies nowhere.
        ValueError: the map is too small for so many pictures.
    """
    margin = float(diameters.max(initial=0)) if margin is None else margin
    return separate(fit(xy, map_px, margin), diameters, map_px, seed, margin)


def separate(
    points: Floats, diameters: Floats, map_px: int, seed: int, margin: float
) -> tuple[Places, Frames]:
    """`spread` for points that are on the map already."""
    frames = [points.astype(np.float32)]
    if not len(points):
        return np.zeros((0, 2), np.int32), frames
    low, high = math.ceil(margin), math.floor(map_px - margin)
    discs, half = AIM * diameters + ROUNDING, float(diameters.mean()) / 2
    moved = thinned(_told_apart(points, half, seed), discs, low - half, high + half)
    moved = pushed(moved.clip(low, high), points, discs, low, high, frames)
    places = np.rint(moved)
    place(places, np.unique(overlapping(places, diameters)[:, 1]), diameters, low, high)
    places = swapped(places, points, diameters)
    slid(places, points, diameters, low, high)
    return _checked(places, diameters, frames)


def spread_grid(xy: Floats, diameters: Floats, map_px: int, margin: float) -> tuple[Places, Frames]:
    """Like `spread`, but gives every point a cell of a grid without gaps, near its neighbours."""
    points = fit(xy, map_px, margin)
    frames = [points.astype(np.float32)]
    cells = in_cells(points) * math.ceil(diameters.max(initial=0))
    corner = np.rint((map_px - cells.max(axis=0, initial=0)) / 2)
    if corner.min() < margin:
        raise ValueError("no such grid: the map is too small for so many pictures")
    return _checked(cells + corner, diameters, frames)


def spread_none(xy: Floats, map_px: int, margin: float) -> tuple[Places, Frames]:
    """Like `spread`, but moves no point: pictures may overlap."""
    points = fit(xy, map_px, margin)
    return np.rint(points).astype(np.int32), [points.astype(np.float32)]


def spread_added(
    xy: Floats, diameters: Floats, map_px: int, margin: float, kept: Places
) -> tuple[Places, Frames]:
    """Like `spread`, but for pictures that are added to a map, of which the others stay.

    An added picture goes to the free place nearest to where its neighbours went.

    Args:
        xy: (n, 2), any units.
        diameters: (n,) in map pixels.
        map_px: width of the square map.
        margin: pixels no added centre comes nearer to the map's edge.
        kept: (n, 2) the places of those that stay, some at least; -1 for those added.

    Raises:
        UserError: a point lies nowhere, or those that stay overlap.
        ValueError: the map is too small for so many pictures.
    """
    fit(xy, map_px, margin)
    old = kept[:, 0] >= 0
    grown = len(overlapping(kept[old], diameters[old]))
    if grown:
        raise UserError(
            f"{grown:,} pairs of pictures overlap on the earlier map, since their cut-outs have "
            "changed: render the whole map anew, without add_to=."
        )
    low, high = math.ceil(margin), math.floor(map_px - margin)
    homes = kept.astype(np.float64)
    homes[~old] = np.rint(_beside(xy[~old], xy[old], kept[old])).clip(low, high)
    places = homes.copy()
    place(places, np.flatnonzero(~old), diameters, low, high)
    return _checked(places, diameters, [homes.astype(np.float32)])


def _beside(xy: Floats, known: Floats, places: Places) -> Floats:
    """Where points belong on a map on which the points of known ones have these places."""
    around, laid = known - known.mean(axis=0), places - places.mean(axis=0)
    scale = (around * laid).sum() / max(float((around**2).sum()), 1e-300)
    far, near = cKDTree(known).query(xy, range(1, min(SHOWN_BY, len(known)) + 1))
    weights = 1 / (far + 1e-9 * float(np.ptp(known)) + 1e-300)
    weights /= weights.sum(axis=1, keepdims=True)
    wanted = places[near] + scale * (xy[:, None] - known[near])
    return np.asarray((weights[:, :, None] * wanted).sum(axis=1))


def _told_apart(points: Floats, half: float, seed: int) -> Floats:
    """Shifts all but the first of equal points a little, evenly over a small disc."""
    order = np.lexsort(points.T)
    equal = order[1:][(points[order[1:]] == points[order[:-1]]).all(axis=1)]
    rng = np.random.default_rng(seed)
    radius = 2 * APART * half * np.sqrt(rng.random(len(equal)))
    angle = rng.uniform(0, 2 * math.pi, len(equal))
    apart = points.copy()
    apart[equal] += (radius * np.stack([np.cos(angle), np.sin(angle)])).T
    return apart


def _checked(places: Floats, diameters: Floats, frames: Frames) -> tuple[Places, Frames]:
    """Whole numbers, of which it is certain that no two pictures overlap."""
    if len(overlapping(places, diameters)):
        raise AssertionError("pictures overlap, which none should")
    frames.append(places.astype(np.float32))
    return places.astype(np.int32), frames
