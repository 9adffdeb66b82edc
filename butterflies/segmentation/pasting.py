"""A photograph taken apart, so that its specimen can be set before other backgrounds.

Copy-paste augmentation (Ghiasi et al., 2021) for a few masks, or for specimens that have only been
photographed on one kind of background.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

Mask = npt.NDArray[np.bool_]

_BEYOND = 6
"""Pixels about the outline that are neither surely specimen nor surely background: a lens mixes
the colours there, antennae and the deepest shadow lie there."""


@dataclass(frozen=True)
class Layers:
    """A photograph in two sheets, each as large as it.

    Attributes:
        specimen: RGB; its colours, carried on beyond its outline.
        alpha: L, 255 where the specimen is.
        ground: RGB; the background, carried on behind the specimen.
    """

    specimen: Image.Image
    alpha: Image.Image
    ground: Image.Image


def take_apart(photo: Image.Image, mask: Image.Image) -> Layers:
    """The layers of a photograph (RGB) whose specimen is where `mask` (L) is over 127."""
    inside = np.asarray(mask) > 127
    sure = ndimage.binary_erosion(inside, border_value=1)
    away = ~ndimage.binary_dilation(inside, iterations=_BEYOND)
    alpha = Image.fromarray(inside.astype(np.uint8) * 255)
    return Layers(_carried_on(photo, sure), alpha, _carried_on(photo, away))


def _carried_on(photo: Image.Image, known: Mask) -> Image.Image:
    """The photograph where it is known, and elsewhere the mean of what is known nearby.

    Coarser and coarser means fill what finer ones leave open (pull-push, Gortler et al., 1996).
    """
    sheet = photo.convert("RGBA")
    sheet.putalpha(Image.fromarray(known.astype(np.uint8) * 255))
    levels = [sheet]
    while max(levels[-1].size) > 1:
        size = tuple(max(1, side // 2) for side in levels[-1].size)
        # Pillow weighs colours by alpha before it averages.
        levels.append(levels[-1].resize((size[0], size[1]), Image.Resampling.BOX))
    filled = _whole(levels.pop())
    while levels:
        finer = levels.pop()
        filled = filled.resize(finer.size, Image.Resampling.BILINEAR)
        filled = Image.alpha_composite(filled, finer)
    return filled.convert("RGB")


def _whole(coarsest: Image.Image) -> Image.Image:
    """The mean of all that is known; of nothing, grey."""
    known = coarsest.getchannel("A").getextrema()[1]
    colour = coarsest.convert("RGB") if known else Image.new("RGB", coarsest.size, "grey")
    return colour.convert("RGBA")
