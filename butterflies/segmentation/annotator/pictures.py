"""Photographs and masks as the page gets and sends them."""

import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from butterflies.scores.masks import outline
from butterflies.segmentation.annotator.errors import Refusal

Mask = npt.NDArray[np.bool_]

EDITED_PX = 1600
"""Longer side of the photograph that is drawn on, at most."""
THUMB_PX = 240
_TINT = (230, 60, 200)


def edited_size(size: tuple[int, int], longest: int = EDITED_PX) -> tuple[int, int]:
    """Width and height of a photograph brought to at most `longest`; never larger.

    >>> edited_size((4000, 3000)), edited_size((300, 200))
    ((1600, 1200), (300, 200))
    """
    factor = min(1.0, longest / max(size))
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def reduced(photo: Image.Image, longest: int) -> Image.Image:
    size = edited_size(photo.size, longest)
    if size == photo.size:
        return photo
    return photo.resize(size, Image.Resampling.LANCZOS, reducing_gap=3)


def jpeg(photo: Image.Image, quality: int = 92) -> bytes:
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=quality, subsampling=0)
    return file.getvalue()


def png(mask: Mask) -> bytes:
    """A mask as PNG, 0 or 255."""
    file = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).save(file, "PNG", compress_level=1)
    return file.getvalue()


def sent_mask(data: bytes, size: tuple[int, int]) -> Mask:
    """A mask that a page sent, at the size that it has there.

    Args:
        data: a PNG: white = specimen; what is transparent is black.
        size: width and height of the photograph.

    Raises:
        Refusal: it is no PNG, or not of the photograph's proportions.
    """
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            _check(image.size, size)
            return np.asarray(_grey(image)) > 127
    except (OSError, ValueError, SyntaxError) as error:
        raise Refusal(400, f"The mask is not a readable PNG: {error}.") from None


def scaled(mask: Mask, size: tuple[int, int]) -> Mask:
    """A mask at another size (width, height), its outline smooth."""
    if (mask.shape[1], mask.shape[0]) == size:
        return mask
    soft = Image.fromarray(mask.astype(np.uint8) * 255).resize(size, Image.Resampling.BICUBIC)
    return np.asarray(soft) > 127


def overlay(photo: Image.Image, mask: Mask | None) -> Image.Image:
    """A small picture of a photograph, its mask tinted and outlined."""
    small = reduced(photo, THUMB_PX)
    if mask is None:
        return small
    where = scaled(mask, small.size)
    pixels = np.asarray(small, dtype=np.float32).copy()
    pixels[where] = pixels[where] * 0.75 + np.array(_TINT, np.float32) * 0.25
    pixels[outline(where)] = _TINT
    return Image.fromarray(pixels.astype(np.uint8))


def _grey(image: Image.Image) -> Image.Image:
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image.convert("L")
    clear: Any = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "black"), clear).convert("L")


def _check(found: tuple[int, int], size: tuple[int, int]) -> None:
    """Before a pixel is decoded."""
    width, height = edited_size(size, max(found))
    if max(found) > max(size) or abs(width - found[0]) > 1 or abs(height - found[1]) > 1:
        raise Refusal(
            400,
            f"The mask is {found[0]} x {found[1]} pixels, its photograph {size[0]} x {size[1]}: "
            "a mask has the photograph's size, or is scaled like the picture that is drawn on.",
        )
