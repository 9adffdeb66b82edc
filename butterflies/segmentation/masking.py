"""Three ways to a clean mask: from a network's answer, by contrast, from a picture's own alpha."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from butterflies.errors import PhotographError
from butterflies.segmentation.cleaning import clean, components
from butterflies.segmentation.contrast import CERTAIN, contrast_mask
from butterflies.segmentation.pictures import opaque, soft_alpha

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Found:
    """A specimen in a photograph.

    Attributes:
        alpha: L, as large as the photograph; the mask is where it is over 127.
        mask: the same, perhaps at the smaller size at which it was found: for its shape.
        components: connected parts before cleaning.
        confidence: 0 to 1.
        mixed: the colours at its edge are mixed with the background.
    """

    alpha: Image.Image
    mask: Mask
    components: int
    confidence: float
    mixed: bool


def by_probability(probability: npt.NDArray[np.float32], size: tuple[int, int]) -> Found:
    """From a network's answer at working size (height, width) to a photograph of `size`."""
    likely = probability > 0.5
    mask = clean(likely)
    alpha = soft_alpha(mask, probability).resize(size, Image.Resampling.BICUBIC)
    return Found(alpha, mask, components(likely), _confidence(probability, mask), True)


def by_contrast(photo: Image.Image) -> Found:
    """By contrast.

    Raises:
        PhotographError: the background is not clean enough for that.
    """
    mask, confidence = contrast_mask(np.asarray(opaque(photo)))
    if confidence < CERTAIN:
        reason = f"Its background is not clean enough for contrast (confidence {confidence:.2f})."
        raise PhotographError("refused", reason)
    blurred = Image.fromarray(mask.astype(np.uint8) * 255).filter(ImageFilter.GaussianBlur(0.8))
    alpha = soft_alpha(mask, np.asarray(blurred) / 255)
    return Found(alpha, mask, components(mask), confidence, True)


def by_alpha(photo: Image.Image) -> Found:
    """From the picture's own transparency, as it is.

    Raises:
        PhotographError: it has none.
    """
    alpha = photo.convert("RGBA").getchannel("A")
    mask = np.asarray(alpha) > 127
    if mask.all():
        raise PhotographError("refused", "It has no transparent background.")
    return Found(alpha, mask, components(mask), 1.0, False)


def _confidence(probability: npt.NDArray[np.float32], mask: Mask) -> float:
    """Mean of |2p - 1| over the box of the mask, 0 without one."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return 0.0
    part = probability[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return float(np.abs(2 * part - 1).mean())
