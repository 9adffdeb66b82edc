"""Moves a drawn outline to the picture's edges nearby."""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Mask = npt.NDArray[np.bool_]
Light = npt.NDArray[np.float32]

REACH = 1 / 80
"""How far an outline may move, as a part of the picture's longer side."""


def grow(photo: npt.NDArray[np.uint8], mask: Mask) -> Mask:
    """Decides anew on each pixel near the outline: is it more like the inside or the outside there?

    In and out are the mean colours of what surely lies inside and outside within three times the
    reach, as in localised region-based active contours (Lankton & Tannenbaum, 2008), in one step.

    Args:
        photo: pixels (height, width, 3), 0 to 255.
        mask: roughly drawn (height, width).

    Returns:
        The mask (height, width); where nothing sure is near, as on threads, it stays as drawn.
    """
    if not mask.any() or mask.all():
        return mask.copy()
    reach = max(3, round(max(mask.shape) * REACH))
    place = _place(mask, 4 * reach)
    result = mask.copy()
    result[place] = _grown(photo[place].astype(np.float32), mask[place], reach)
    return result


def _place(mask: Mask, margin: int) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (
        slice(max(0, rows[0] - margin), rows[-1] + 1 + margin),
        slice(max(0, columns[0] - margin), columns[-1] + 1 + margin),
    )


def _grown(photo: Light, mask: Mask, reach: int) -> Mask:
    inside = ndimage.minimum_filter(mask, 2 * reach + 1)
    outside = ~ndimage.maximum_filter(mask, 2 * reach + 1)
    to_inside, near_inside = _distance(photo, inside, reach)
    to_outside, near_outside = _distance(photo, outside, reach)
    # A pixel asks its neighbours, so that grain does not fray the outline.
    nearer = ndimage.uniform_filter(to_outside - to_inside, 5) > 0
    open_ = ~inside & ~outside & near_inside & near_outside
    found = np.where(open_, nearer, mask)
    smooth = ndimage.binary_opening(found, iterations=2) | (found & mask & ~open_)
    parts, _ = ndimage.label(smooth)
    kept = np.bincount(parts[inside if inside.any() else mask], minlength=1) > 0
    kept[0] = False
    kept = np.pad(kept, (0, max(0, int(parts.max()) + 1 - len(kept))))
    return np.asarray((kept[parts] | (mask & ~open_)), dtype=bool)


def _distance(photo: Light, sure: Mask, reach: int) -> tuple[Light, Mask]:
    """Squared distance of each pixel's colour from the mean of the sure ones near it, if any."""
    side = 6 * reach + 1
    weight = ndimage.uniform_filter(sure.astype(np.float32), side, mode="constant")
    near = weight > 0.5 / side**2
    total = np.zeros(sure.shape, np.float32)
    for channel in range(photo.shape[2]):
        values = photo[..., channel]
        mean = ndimage.uniform_filter(values * sure, side, mode="constant")
        mean /= np.maximum(weight, 0.5 / side**2)
        total += (values - mean) ** 2
    return total, near
