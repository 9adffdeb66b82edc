"""A mask by contrast, for specimens on a clean light background."""

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from butterflies.segmentation.cleaning import clean

VERSION = 1
CERTAIN = 0.5
"""Masks with less confidence are refused."""

_WORKING_PX = 640
_LEAST_DISTANCE = 22.0  # of 255: paper grain, JPEG blocks and soft shadows stay below it
_DEEPEST_SHADOW = 0.8  # of the background's light; a deeper shadow would eat pale wings
_FRAME = 0.03  # part of the shorter side that counts as the photograph's border


def contrast_mask(photo: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.bool_], float]:
    """Separates what differs from the background seen along the photograph's border.

    The background's colour is a plane fitted to the border; how far a pixel's colour lies from it
    is split by Otsu's threshold (1979).

    Args:
        photo: pixels (height, width, 3), 0 to 255.

    Returns:
        The mask (height, width) and a confidence from 0 to 1, the least of these marks: the border
        is light, it is uniform, one object stands out, away from the border, of a specimen's size,
        with edges so sharp that another threshold gives the same mask. Below CERTAIN the mask
        should not be used.
    """
    height, width = photo.shape[:2]
    small = _reduced(photo)
    background, grain = _background(small)
    distance = _distance(small, background)
    threshold = max(_LEAST_DISTANCE, 5 * grain, 0.5 * _otsu(distance))
    found = clean(distance > threshold)
    confidence = min(_marks(small, distance, threshold, grain, found))
    if found.shape == (height, width):
        return found, confidence
    large = Image.fromarray(found.astype(np.float32)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    return np.asarray(large) > 0.5, confidence


def _reduced(photo: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    image = Image.fromarray(photo)
    factor = _WORKING_PX / max(image.size)
    if factor < 1:
        size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
        image = image.resize(size, Image.Resampling.BOX)
    return np.asarray(image, dtype=np.float32)


def _background(photo: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float32], float]:
    """The background's colour at every pixel, and how far the border strays from it (0 to 255)."""
    height, width = photo.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    terms = np.stack([np.ones_like(x), x, y], axis=-1)
    border = _border(photo.shape[:2])
    inputs, colours = terms[border], photo[border]
    kept = np.ones(len(inputs), dtype=bool)
    for _ in range(3):
        plane, *_rest = np.linalg.lstsq(inputs[kept], colours[kept], rcond=None)
        strays = np.abs(colours - inputs @ plane).max(axis=1)
        kept = strays <= 3 * np.median(strays) + 1
    return terms @ plane, float(np.quantile(strays, 0.9))


def _border(shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    edge = max(2, round(min(shape) * _FRAME))
    border = np.ones(shape, dtype=bool)
    border[edge:-edge, edge:-edge] = False
    return border


def _distance(
    photo: npt.NDArray[np.float32], background: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """How far each pixel lies from the background, in light or in soft shadow, 0 to 255."""
    light = photo.mean(axis=2, keepdims=True) / background.mean(axis=2, keepdims=True).clip(1)
    difference = np.abs(photo - background * light.clip(_DEEPEST_SHADOW, 1.03))
    return np.asarray(difference.max(axis=2), dtype=np.float32)


def _otsu(values: npt.NDArray[np.float32]) -> float:
    """The threshold that keeps two groups of values (0 to 255) farthest apart."""
    counts = np.histogram(values, bins=256, range=(0, 256))[0].astype(np.float64)
    below = np.cumsum(counts)
    moment = np.cumsum(counts * np.arange(256))
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (moment[-1] * below / below[-1] - moment) ** 2 / (below * above)
    return float(np.nanargmax(np.where(above * below > 0, between, -1)))


def _marks(
    photo: npt.NDArray[np.float32],
    distance: npt.NDArray[np.float32],
    threshold: float,
    grain: float,
    found: npt.NDArray[np.bool_],
) -> list[float]:
    """Marks from 0 to 1; see `contrast_mask`."""
    border = _border(found.shape)
    light = float(np.median(photo[border]))
    strict = distance > 1.6 * threshold
    area: float = max(1.0, float(found.sum()))
    other = np.count_nonzero(clean_specks(distance > threshold) & ~_grown(found))
    sharp = np.count_nonzero(ndimage.binary_fill_holes(strict & found))
    share = area / found.size
    return [
        _ramp(light, 130, 190),
        _ramp(-grain, -16, -6),
        _ramp(-other / area, -0.10, -0.02),
        _ramp(-float(np.mean(found[border])), -0.10, 0.0),
        min(_ramp(share, 0.005, 0.02), _ramp(-share, -0.8, -0.6)),
        _ramp(sharp / area, 0.6, 0.85),
    ]


def clean_specks(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The mask without what is thinner than three pixels."""
    return np.asarray(ndimage.binary_opening(mask, iterations=1))


def _grown(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """With its antennae and its shadow, which belong to the specimen though not to the mask."""
    return np.asarray(ndimage.binary_dilation(mask, iterations=12))


def _ramp(value: float, low: float, high: float) -> float:
    return float(np.clip((value - low) / (high - low), 0, 1))
