"""A cut-out's pixels: where it lies in its photograph, its soft edge, its file."""

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

Mask = npt.NDArray[np.bool_]
Pixels = npt.NDArray[np.uint8]

LARGEST_PX = 256
MARGIN = 0.04
"""Part of the square's side that stays free on each side of the specimen."""


@dataclass(frozen=True)
class Frame:
    """Where a cut-out lies: photograph pixels (x, y) go to `(x - centre) * scale + side / 2`.

    Attributes:
        box: left, top, width and height of the mask in photograph pixels.
        scale: cut-out pixels per photograph pixel, at most 1.
        side: of the square cut-out, in its own pixels.
    """

    box: tuple[int, int, int, int]
    scale: float
    side: int

    @classmethod
    def around(cls, mask: Mask) -> "Frame":
        """The frame of a mask that is not empty."""
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        left, top = int(columns[0]), int(rows[0])
        width, height = int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top
        free = 1 - 2 * MARGIN
        scale = min(1.0, free * LARGEST_PX / max(width, height))
        side = min(LARGEST_PX, int(np.ceil(max(width, height) / free)))
        return cls((left, top, width, height), scale, side)


def opaque(photo: Image.Image) -> Image.Image:
    """RGB as it looks: what is transparent shows white."""
    if photo.mode == "RGB":
        return photo
    white = Image.new("RGBA", photo.size, "white")
    return Image.alpha_composite(white, photo.convert("RGBA")).convert("RGB")


def soft_alpha(mask: Mask, probability: npt.NDArray[np.floating]) -> Image.Image:
    """A mask whose outline is as soft as the prediction is there.

    Args:
        mask: what belongs to the specimen (height, width).
        probability: of specimen (height, width), 0 to 1; it counts within two pixels of the
            outline only.

    Returns:
        L, 0 to 255; over 127 exactly where the mask is true.
    """
    soft = np.where(mask, probability.clip(0.51, 1), probability.clip(0, 0.49))
    inner = ndimage.binary_erosion(mask, iterations=2, border_value=1)
    outer = ndimage.binary_dilation(mask, iterations=2)
    alpha = np.where(inner, 1, np.where(outer, (soft * 2 - 0.5).clip(0, 1), 0))
    return Image.fromarray((alpha * 255).round().astype(np.uint8))


def cut(photo: Image.Image, alpha: Image.Image, frame: Frame) -> Image.Image:
    """The square cut-out of a photograph.

    Args:
        photo: RGB.
        alpha: L, as large as the photograph.
        frame: where to cut.

    Returns:
        RGBA, straight alpha, `frame.side` pixels square.
    """
    left, top, width, height = frame.box
    if frame.scale == 1:
        corner = left - (frame.side - width) // 2, top - (frame.side - height) // 2
        return _crop(photo, alpha, (*corner, corner[0] + frame.side, corner[1] + frame.side))
    reach = frame.side / frame.scale / 2
    x, y = left + width / 2 - reach, top + height / 2 - reach
    outer = int(np.floor(x)), int(np.floor(y))
    whole = int(np.ceil(2 * reach)) + 1
    crop = _crop(photo, alpha, (*outer, outer[0] + whole, outer[1] + whole))
    inner = (x - outer[0], y - outer[1], x - outer[0] + 2 * reach, y - outer[1] + 2 * reach)
    side = (frame.side, frame.side)
    # Pillow multiplies by alpha before it averages, so the background does not mix in.
    return crop.resize(side, Image.Resampling.BICUBIC, box=inner, reducing_gap=3)


def _crop(photo: Image.Image, alpha: Image.Image, box: tuple[int, int, int, int]) -> Image.Image:
    """May reach beyond the photograph: that part is transparent."""
    part = photo.crop(box)
    part.putalpha(alpha.crop(box))
    return part


def without_fringe(picture: Image.Image) -> Image.Image:
    """Gives the rim of a cut-out, where the lens mixed in the background, the colour inside it.

    Args:
        picture: RGBA.

    Returns:
        RGBA with the same alpha. What is farther than three pixels from the inside, as on thin
        tails, keeps its colour.
    """
    pixels = np.array(picture)
    inside = ndimage.binary_erosion(pixels[..., 3] >= 250, iterations=1)
    if not inside.any():
        return picture
    far, nearest = ndimage.distance_transform_edt(~inside, return_indices=True)
    rim = (far > 0) & (far <= 3)
    pixels[rim, :3] = pixels[nearest[0][rim], nearest[1][rim], :3]
    return Image.fromarray(pixels)


def encode(picture: Image.Image) -> bytes:
    """WebP of quality 90 with lossless alpha."""
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=90, method=4, alpha_quality=100)
    return file.getvalue()


def decode(data: bytes) -> Pixels:
    """The pixels (height, width, 4) of a stored cut-out."""
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGBA"))
