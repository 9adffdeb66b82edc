"""What else a photograph could have looked like: placed, lit, blurred and compressed otherwise."""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter
from scipy import ndimage

Pixels = npt.NDArray[np.uint8]
Light = npt.NDArray[np.float32]

BARE = 0.1
"""Part of the views that shows the background alone."""


def augment(
    photo: Image.Image, mask: Image.Image, crop_px: int, random: np.random.Generator
) -> tuple[Pixels, Pixels]:
    """A random view of a photograph and of its mask.

    Args:
        photo: RGB.
        mask: L, 0 or 255, as large as the photograph.
        crop_px: side of the square that comes out.
        random: where all chance comes from.

    Returns:
        Pixels (crop_px, crop_px, 3), 0 to 255, and their mask (crop_px, crop_px), 0 or 1.
    """
    bare = _bare_place(mask, random) if random.random() < BARE else None
    placing = _placing(photo.size, crop_px, bare, random)
    square = (crop_px, crop_px)
    resample, method = Image.Resampling.BILINEAR, Image.Transform.AFFINE
    seen = photo.transform(square, method, placing, resample, fillcolor=_border_colour(photo))
    truth = mask.transform(square, method, placing, resample)
    return _photographed(seen, random), (np.asarray(truth) > 127).astype(np.uint8)


def _placing(
    size: tuple[int, int],
    crop_px: int,
    bare: tuple[int, int, float] | None,
    random: np.random.Generator,
) -> tuple[float, ...]:
    """Pillow's affine map from crop to photograph: quarter turns, tilt, flip, scale and place."""
    angle = np.pi / 2 * random.integers(4) + np.radians(random.normal(0, 8))
    flip = 1 - 2 * random.integers(2)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    if bare:
        scale = crop_px / bare[2]
        centre = np.array(bare[:2], dtype=float)
    else:
        # Crop pixels per photograph pixel: from the whole photograph to a closer look.
        whole = 0.9 * min(1.0, crop_px / max(size))
        scale = np.exp(random.uniform(np.log(whole), np.log(1.3)))
        # The crop's centre stays where the crop lies inside the photograph, if it can.
        reach = np.clip(np.array(size) - crop_px / scale, 0, None) / 2 + 0.1 * crop_px
        centre = np.array(size) / 2 + random.uniform(-1, 1, 2) * reach
    matrix = turn @ np.diag([flip, 1]) / scale
    offset = centre - matrix @ np.full(2, crop_px / 2)
    return (*matrix[0], offset[0], *matrix[1], offset[1])


def _bare_place(mask: Image.Image, random: np.random.Generator) -> tuple[int, int, float] | None:
    """Centre (x, y) and side of a square without a specimen, none where there is no room.

    A network that has never seen a background alone finds something on each.
    """
    away = ndimage.distance_transform_cdt(np.asarray(mask) <= 127, "chessboard")
    y, x = np.unravel_index(random.choice(np.flatnonzero(away >= min(30, away.max()))), away.shape)
    side = 1.4 * float(away[y, x])  # a square of twice the distance, turned by up to 45 degrees
    return (int(x), int(y), side) if side >= 40 else None


def _border_colour(photo: Image.Image) -> tuple[int, ...]:
    pixels = np.asarray(photo)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return tuple(int(v) for v in np.median(border, axis=0))


def _photographed(photo: Image.Image, random: np.random.Generator) -> Pixels:
    """Light and colour, then the lens, then the sensor, then the file, in a camera's order."""
    pixels = _lit(_light(photo), random)
    if random.random() < 0.3:
        lens = ImageFilter.GaussianBlur(random.uniform(0.3, 1.5))
        pixels = _light(_image(pixels).filter(lens))
    if random.random() < 0.3:
        grain = np.float32(random.uniform(0, 0.04))
        pixels += grain * random.standard_normal(pixels.shape, dtype=np.float32)
    if random.random() < 0.5:
        return _compressed(_image(pixels), int(random.integers(30, 96)))
    return np.asarray(_image(pixels))


def _lit(pixels: Light, random: np.random.Generator) -> Light:
    """Another exposure, colour cast, saturation and tone, and light from one side."""
    height, width = pixels.shape[:2]
    towards = random.uniform(-0.35, 0.35, 2)
    side = np.linspace(-1, 1, width)[None, :] * towards[0]
    side = side + np.linspace(-1, 1, height)[:, None] * towards[1]
    exposure = np.exp(random.uniform(-0.7, 0.1)) * np.exp(random.normal(0, 0.12, 3))
    grey = pixels.mean(axis=2, keepdims=True)
    coloured = grey + (pixels - grey) * np.float32(random.uniform(0.5, 1.4))
    toned = coloured.clip(0, 1) ** np.float32(np.exp(random.normal(0, 0.25)))
    light = (1 + side)[..., None].astype(np.float32) * exposure.astype(np.float32)
    return np.asarray(toned * light, dtype=np.float32)


def _light(photo: Image.Image) -> Light:
    return np.asarray(photo, dtype=np.float32) / np.float32(255)


def _image(pixels: Light) -> Image.Image:
    return Image.fromarray((pixels.clip(0, 1) * 255).round().astype(np.uint8))


def _compressed(photo: Image.Image, quality: int) -> Pixels:
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file).convert("RGB"))
