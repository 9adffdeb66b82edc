"""Moves points apart until no two pictures overlap, each as little as that takes.

Heaps are loosened first, from coarse cells to fine ones. Then overlapping pairs push each other
apart, all at once, step by step. What a fixed number of steps leaves overlapping is put on the
nearest free place: the result is guaranteed, not hoped for.
"""

import math

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

Places = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Frames = list[npt.NDArray[np.float32]]

AREA_PX = 131_072**2 / 150_000 / 128**2
"""Square map pixels a specimen has, per pixel of its picture: the density of the 2019 map."""

STEPS = 800
"""Most steps of pushing."""

LOOSEN_STEPS = 40
"""Most steps by which the discs of whole cells are parted."""

ROUNDING = 1.5
"""Pixels kept between discs so that whole-numbered places stay apart: over the root of 2."""

AIM = 1.03
"""Discs push a little before they touch, so that the last overlaps end soon."""

PACKING = 1.1
"""Area of a loosened heap's discs over that of the heap: the pushing does the rest better."""


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


def spread(
    xy: Floats, diameters: Floats, map_px: int, seed: int = 0, margin: float | None = None
) -> tuple[Places, Frames]:
    """Scales points to the map, the same in x and y, and moves them apart.

    Args:
        xy: (n, 2), any units; equal points are told apart at random.
        diameters: (n,) in map pixels.
        map_px: width of the square map.
        seed: of the order in which equal points leave each other.
        margin: pixels no centre comes nearer to the map's edge; the largest diameter by default.

    Returns:
        places: (n, 2) int32, no two closer than the mean of their diameters.
        frames: (n, 2) float32 arrays from the scaled points to the places, for an animation.

    Raises:
        ValueError: the map is too small for so many pictures.
    """
    if len(xy) == 0:
        return np.zeros((0, 2), np.int32), []
    margin = float(diameters.max()) if margin is None else margin
    return separate(fit(xy, map_px, margin), diameters, map_px, seed, margin)


def fit(xy: Floats, map_px: int, margin: float) -> Floats:
    """Scales and shifts (n, 2) points, the same in x and y, to fill the map within `margin`."""
    low, high = xy.min(axis=0), xy.max(axis=0)
    widest = float((high - low).max())
    inner = 0.94 * (map_px - 2 * margin)
    scale = inner / widest if widest > 0 else 0.0
    return np.asarray((xy - (low + high) / 2) * scale + map_px / 2)


def separate(
    points: Floats, diameters: Floats, map_px: int, seed: int, margin: float
) -> tuple[Places, Frames]:
    """`spread` for points that are on the map already."""
    box = (margin, map_px - margin)
    frames = [points.astype(np.float32)]
    moved = _loosen(_told_apart(points, diameters, seed), diameters, map_px)
    moved = _relax(moved, diameters + ROUNDING, box, STEPS, frames)
    places = np.rint(moved).astype(np.int64)
    _place_rest(places, diameters, box)
    if len(overlapping(places, diameters)):
        raise ValueError(f"{len(places)} pictures do not fit a map of {map_px} px without overlap")
    frames.append(places.astype(np.float32))
    return places.astype(np.int32), frames


def overlapping(places: npt.NDArray[np.generic], diameters: Floats) -> npt.NDArray[np.intp]:
    """The pairs (m, 2) of places (n, 2) that lie closer than the mean of their diameters."""
    pairs = _near(places.astype(np.float64), float(diameters.max()))
    i, j = pairs.T
    far = ((places[i] - places[j]) ** 2).sum(axis=1)
    return np.asarray(pairs[4 * far < (diameters[i] + diameters[j]) ** 2])


def _near(points: Floats, reach: float) -> npt.NDArray[np.intp]:
    pairs: npt.NDArray[np.intp] = cKDTree(points).query_pairs(reach, output_type="ndarray")
    return pairs


def _told_apart(points: Floats, diameters: Floats, seed: int) -> Floats:
    """Shifts every point a little, evenly over a small disc."""
    rng = np.random.default_rng(seed)
    radius = 0.03 * diameters.mean() * np.sqrt(rng.random(len(points)))
    angle = rng.uniform(0, 2 * math.pi, len(points))
    shift = radius * np.stack([np.cos(angle), np.sin(angle)])
    return np.asarray(points + shift.T)


def _loosen(points: Floats, diameters: Floats, map_px: int) -> Floats:
    """Widens cells of the map that hold more pictures than they have room for."""
    cell = map_px / 2
    while cell > 2 * diameters.max():
        points = _loosen_cells(points, diameters, cell, map_px)
        cell /= 2
    return points


def _loosen_cells(points: Floats, diameters: Floats, cell: float, map_px: int) -> Floats:
    """Treats the points of each cell as one disc, parts the discs and fills them again."""
    _, group = np.unique(np.floor(points / cell), axis=0, return_inverse=True)
    count = np.bincount(group)
    needed = np.sqrt(np.bincount(group, diameters**2) / PACKING)
    if needed.max() < cell:
        return points
    centres = np.stack([np.bincount(group, p) / count for p in points.T], axis=1)
    parted = _relax(centres, needed, (0, map_px), LOOSEN_STEPS, [])
    offsets = points - centres[group]
    spread_of = np.sqrt(np.bincount(group, (offsets**2).sum(axis=1)) / count)
    even = needed / math.sqrt(8)  # the same measure for points spread evenly over the disc
    widen = np.maximum(1.0, even / np.maximum(spread_of, 1e-9))
    widen[count == 1] = 1.0
    return parted[group] + offsets * widen[group, None]


def _relax(
    points: Floats, diameters: Floats, box: tuple[float, float], steps: int, frames: Frames
) -> Floats:
    """Pushes overlapping pairs apart until none overlaps or `steps` are done.

    Pairs are looked up again only when some point may have come into reach of a new one.
    """
    slack = 0.3 * float(diameters.max())
    reach = AIM * float(diameters.max()) + slack
    known = points
    pairs = _near(points, reach)
    for step in range(steps):
        if _largest(points - known) > slack / 2:
            known, pairs = points, _near(points, reach)
        push = _push(points, pairs, diameters)
        if push is None:
            break
        points = np.clip(points + push, *box)
        if step < 20 or step % 20 == 0:
            frames.append(points.astype(np.float32))
    return points


def _largest(vectors: Floats) -> float:
    return math.sqrt(float((vectors**2).sum(axis=1).max()))


def _push(points: Floats, pairs: npt.NDArray[np.intp], diameters: Floats) -> Floats | None:
    """Half of every overlap to each of the two, the sum of all tamed; None when none overlap."""
    i, j = pairs.T
    between = points[i] - points[j]
    far = np.sqrt((between**2).sum(axis=1))
    apart = (diameters[i] + diameters[j]) / 2
    if not (far < apart).any():
        return None
    lacking = AIM * apart - far
    hit = lacking > 0
    i, j, far = i[hit], j[hit], np.maximum(far[hit], 1e-9)
    force = between[hit] * (0.5 * lacking[hit] / far)[:, None]
    n = len(points)
    push = np.empty((n, 2))
    for axis in (0, 1):
        push[:, axis] = np.bincount(i, force[:, axis], n) - np.bincount(j, force[:, axis], n)
    return push * _tamed(push, diameters)


def _tamed(push: Floats, diameters: Floats) -> Floats:
    length = np.sqrt((push**2).sum(axis=1))
    limit = 0.5 * diameters
    return np.asarray(np.minimum(1.0, limit / np.maximum(length, 1e-9))[:, None])


def _place_rest(places: npt.NDArray[np.int64], diameters: Floats, box: tuple[float, float]) -> None:
    """Puts one of every two that still overlap on the free place nearest to it, in place."""
    pairs = overlapping(places, diameters)
    if not len(pairs):
        return
    loose = np.unique(pairs.max(axis=1))
    fixed = np.delete(places, loose, axis=0)
    tree = cKDTree(fixed)
    apart = float(diameters.max())
    placed: list[npt.NDArray[np.int64]] = []
    for index in loose:
        crowd = cKDTree(np.array(placed)) if placed else None
        places[index] = _free_place(places[index], tree, crowd, apart, box)
        placed.append(places[index])


def _free_place(
    wanted: npt.NDArray[np.int64],
    tree: cKDTree,
    crowd: cKDTree | None,
    apart: float,
    box: tuple[float, float],
) -> npt.NDArray[np.int64]:
    """The first place on growing rings round `wanted` that lies `apart` from all others."""
    low, high = math.ceil(box[0]), math.floor(box[1])
    step = apart / 6
    for ring in range(math.ceil(1.5 * (high - low) / step) + 1):
        angles = np.linspace(0, 2 * math.pi, max(1, 6 * ring), endpoint=False)
        circle = ring * step * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        tried = np.rint(wanted + circle).astype(np.int64)
        tried = tried[((tried >= low) & (tried <= high)).all(axis=1)]
        for others in filter(None, (tree, crowd)):
            tried = tried[others.query(tried)[0] >= apart] if len(tried) else tried
        if len(tried):
            return np.array(tried[0], np.int64)
    raise ValueError("no free place is left on the map: it is too small for so many pictures")
