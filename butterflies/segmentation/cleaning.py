"""One whole specimen out of what was predicted."""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Mask = npt.NDArray[np.bool_]


def clean(mask: Mask) -> Mask:
    """The largest connected part of a mask (height, width), without threads, its holes filled.

    Parts closer than a hundredth of the picture belong together, so that a thin gap does not cost a
    wing; antennae, pins and other threads thinner than that again are cut off.
    """
    reach = max(1, round(min(mask.shape) / 240))
    bare = _opened(mask, reach)
    parts, count = ndimage.label(ndimage.binary_dilation(bare, iterations=reach))
    if not count:
        return np.zeros_like(mask)
    sizes = np.bincount(parts[bare], minlength=count + 1)
    return np.asarray(ndimage.binary_fill_holes(bare & (parts == sizes[1:].argmax() + 1)))


def components(mask: Mask) -> int:
    """How many connected parts of at least 1 % of the largest one a mask has."""
    parts, count = ndimage.label(mask)
    if not count:
        return 0
    sizes = np.bincount(parts.ravel())[1:]
    return int(np.count_nonzero(sizes >= sizes.max() / 100))


def _opened(mask: Mask, reach: int) -> Mask:
    """Without parts thinner than 2 `reach` + 1 pixels; what is left keeps its outline."""
    core = ndimage.binary_erosion(mask, iterations=reach)
    return np.asarray(ndimage.binary_dilation(core, iterations=reach + 1) & mask)
