"""The axes about which a specimen is its own mirror image."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import fft, ndimage

Mask = npt.NDArray[np.bool_]
Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

SIDE = 96
"""Pixels of the square in which a specimen is looked at; it can be turned there without loss."""

_HALF = SIDE // 2
_COARSE_STEP = 4  # degrees
_APART = 20  # degrees between two candidates
_MOST = 4  # candidates; a butterfly without one forewing has its true axis among the first four
_GREY = 1.0  # weight of the picture's symmetry beside the mask's


@dataclass(frozen=True)
class Axis:
    """An axis of symmetry.

    Attributes:
        turn: degrees counter-clockwise on screen that make it vertical.
        place: where it then lies: x in the pixels of the square.
        score: overlap of mask and picture with their mirror images, at most 1.
    """

    turn: float
    place: float
    score: float


def layers(picture: Pixels, mask: Mask) -> Floats:
    """A specimen as (2, SIDE, SIDE): its soft mask, and its pattern, grey levels about 0.

    Neither the background nor the place in the photograph has a part in it.

    Args:
        picture: (height, width, 3).
        mask: (height, width), not empty.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    # Of large photographs every n-th pixel is plenty.
    step = max(1, max(np.ptp(rows), np.ptp(columns)) // (4 * SIDE))
    left = columns[0] + (int(mask[rows[0]].argmax()) - columns[0]) % step  # threads fall through
    box = np.s_[rows[0] : rows[-1] + 1 : step, left : columns[-1] + 1 : step]
    inside = mask[box].astype(np.float32)
    grey = np.asarray(Image.fromarray(picture[box]).convert("L"), np.float32) * inside
    soft, pattern = _squares(np.stack([inside, grey]))
    pattern = pattern - soft * (pattern.sum() / soft.sum())
    # Wings lie at slightly different angles to the lamp: only what is finer than a wing counts.
    pattern -= ndimage.gaussian_filter(pattern, SIDE / 8, truncate=2) * soft
    pattern *= np.sqrt(_GREY * np.sum(soft**2) / max(1e-6, float(np.sum(pattern**2))))
    return np.stack([soft, pattern])


def candidates(specimen: Floats) -> list[Axis]:
    """The best axes of `layers`, best first, found on a picture of half the size."""
    turns, sources = _coarse_turns()
    coarse = specimen.reshape(2, _HALF, 2, _HALF, 2).mean(axis=(2, 4)).reshape(2, -1)
    overlaps = _overlaps(coarse[:, sources].swapaxes(0, 1))
    scores = overlaps.max(axis=1)
    found: list[Axis] = []
    for k in scores.argsort()[::-1]:
        if scores[k] < max(scores[k - 1], scores[(k + 1) % len(scores)]):
            continue
        if all(abs((turns[k] - one.turn + 90) % 180 - 90) >= _APART for one in found):
            near = np.array([scores[k - 1], scores[k], scores[(k + 1) % len(scores)]])
            turn = turns[k] + _COARSE_STEP * _peak(near)
            found.append(Axis(turn, float(overlaps[k].argmax()) + 0.5, float(scores[k])))
    return found[:_MOST]


def refined(specimen: Floats, axis: Axis) -> Axis:
    """The same axis to a fraction of a degree."""
    turn = axis.turn
    for _ in range(3):
        near = turn + np.arange(-2, 3)
        overlaps = _overlaps(np.stack([_turned(specimen, one) for one in near]))
        scores = overlaps.max(axis=1)
        k = int(scores.argmax())
        turn = near[k]
        if 0 < k < 4:
            turn += _peak(scores[k - 1 : k + 2])
            break
    place = int(overlaps[k].argmax())
    place_peak = _peak(np.take(overlaps[k], range(place - 1, place + 2), mode="wrap"))
    return Axis(float(turn), (place + place_peak) / 2, float(scores[k]))


def upright(specimen: Floats, axis: Axis) -> Floats:
    """The layers with an axis vertical and in the middle; which end is the head stays open."""
    return _turned(specimen, axis.turn, axis.place - (SIDE - 1) / 2)


@lru_cache(maxsize=1)
def _coarse_turns() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """The turns tried, and for each (_HALF, _HALF) which pixel of the square is nearest."""
    turns = np.arange(-90 + _COARSE_STEP / 2, 90, _COARSE_STEP)
    places = np.indices((_HALF, _HALF)) - (_HALF - 1) / 2
    back = np.stack([_way_back(turn) for turn in turns])
    rows, columns = np.tensordot(back, places, 1).swapaxes(0, 1) + (_HALF - 1) / 2
    # The corners, which turn out of the square, are empty and so is what replaces them.
    rows, columns = (one.round().clip(0, _HALF - 1).astype(np.intp) for one in (rows, columns))
    return turns, rows * _HALF + columns


def _way_back(turn: float) -> npt.NDArray[np.float64]:
    """From (row, column) after a turn counter-clockwise on screen to those before."""
    cos, sin = np.cos(np.deg2rad(turn)), np.sin(np.deg2rad(turn))
    return np.array([[cos, sin], [-sin, cos]])


def _turned(specimen: Floats, turn: float, shift: float = 0.0) -> Floats:
    """Square layers turned about their middle, counter-clockwise, then moved left by `shift`."""
    back = _way_back(turn)
    middle = np.full(2, (specimen.shape[-1] - 1) / 2)
    offset = middle - back @ (middle - (0, shift))
    return np.stack([ndimage.affine_transform(one, back, offset, order=1) for one in specimen])


def _squares(values: Floats) -> Floats:
    """Layers (n, height, width) in a square that holds the first one at any turn, made small."""
    height, width = values.shape[1:]
    y, x = np.nonzero(values[0])
    reach = np.hypot(y - (height - 1) / 2, x - (width - 1) / 2).max() + 1
    side = max(height, width, 2 * int(np.ceil(reach)))
    top, left = (side - height) // 2, (side - width) // 2
    square = np.zeros((len(values), side, side), np.float32)
    square[:, top : top + height, left : left + width] = values
    images = [Image.fromarray(one) for one in square]
    return np.stack([np.asarray(i.resize((SIDE, SIDE), Image.Resampling.BOX)) for i in images])


def _overlaps(stack: Floats) -> Floats:
    """Of (turns, 2, side, side) the scores (turns, 2 * side) of the upright axes x = index / 2.

    Row for row, the overlap of a layer with its mirror images is its convolution with itself.
    """
    side = stack.shape[-1]
    waves = fft.rfft(stack, 2 * side, axis=-1)
    overlap = fft.irfft((waves**2).sum(axis=(1, 2)), 2 * side, axis=-1)
    return np.asarray(overlap / (stack**2).sum(axis=(1, 2, 3))[:, None], np.float32)


def _peak(values: npt.NDArray[np.floating]) -> float:
    """Where the parabola through three values is highest, -1 to 1 from the middle one."""
    before, here, after = (float(value) for value in values)
    bend = before - 2 * here + after
    return float(np.clip((before - after) / (2 * bend), -1, 1)) if bend < 0 else 0.0
