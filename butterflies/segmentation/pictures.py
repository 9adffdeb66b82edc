"""A cut-out's pixels: its soft edge, the colours there, its file."""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

Mask = npt.NDArray[np.bool_]
Pixels = npt.NDArray[np.uint8]


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
