"""What else a photograph could have looked like: placed, lit, blurred and compressed otherwise."""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageEnhance, ImageFilter
from scipy import ndimage

from butterflies.segmentation.pasting import Layers

Pixels = npt.NDArray[np.uint8]

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


def pasted(
    layers: Layers, ground: Image.Image, crop_px: int, random: np.random.Generator
) -> tuple[Pixels, Pixels]:
    """A random view of a specimen before another background, with another shadow.

    Args:
        layers: the specimen's own photograph, taken apart.
        ground: RGB, what to set it before; of any size.
        crop_px: side of the square that comes out.
        random: where all chance comes from.

    Returns:
        As `augment`.
    """
    square, method = (crop_px, crop_px), Image.Transform.AFFINE
    resample = Image.Resampling.BILINEAR
    placing = _placing(layers.alpha.size, crop_px, None, random)
    specimen = layers.specimen.transform(square, method, placing, resample)
    alpha = layers.alpha.transform(square, method, placing, resample)
    alpha = alpha.filter(ImageFilter.GaussianBlur(random.uniform(0.2, 0.8)))
    behind = _placing(ground.size, crop_px, None, random)
    colour = _border_colour(ground)
    below = ground.transform(square, method, behind, resample, fillcolor=colour)
    below = _shaded(_relit(below, random), alpha, random)
    seen = Image.composite(_relit(specimen, random), below, alpha)
    return _photographed(seen, random), (np.asarray(alpha) > 127).astype(np.uint8)


def _relit(sheet: Image.Image, random: np.random.Generator) -> Image.Image:
    """In light and colour of its own."""
    gains = np.exp(random.normal(0, 0.25) + random.normal(0, 0.08, 3))
    return sheet.point(np.outer(gains, range(256)).clip(0, 255).round().ravel().tolist())


def _shaded(ground: Image.Image, alpha: Image.Image, random: np.random.Generator) -> Image.Image:
    """With the soft shadow of what lies before it."""
    side = alpha.width / 256
    reach, depth = random.uniform(1, 9) * side, random.uniform(0, 0.6)
    angle = random.uniform(0, 2 * np.pi)
    soft = alpha.filter(ImageFilter.GaussianBlur(random.uniform(0.4, 1) * reach))
    moved = Image.new("L", soft.size)
    moved.paste(soft, (round(reach * np.cos(angle)), round(reach * np.sin(angle))))
    black = Image.new("RGB", ground.size)
    return Image.composite(black, ground, moved.point(lambda v: v * depth))


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
    seen = _lit_from_aside(_exposed(photo, random), random)
    if random.random() < 0.3:
        seen = seen.filter(ImageFilter.GaussianBlur(random.uniform(0.3, 1.5)))
    if random.random() < 0.3:
        seen = _grainy(seen, random.uniform(0, 10), random)
    if random.random() < 0.5:
        seen = _compressed(seen, int(random.integers(30, 96)))
    return np.asarray(seen)


def _exposed(photo: Image.Image, random: np.random.Generator) -> Image.Image:
    """With another saturation, tone, exposure and colour cast."""
    coloured = ImageEnhance.Color(photo).enhance(random.uniform(0.5, 1.4))
    tone = np.linspace(0, 1, 256) ** np.exp(random.normal(0, 0.25))
    exposure = np.exp(random.uniform(-0.7, 0.1)) * np.exp(random.normal(0, 0.12, 3))
    return coloured.point((255 * exposure[:, None] * tone).clip(0, 255).round().ravel().tolist())


def _lit_from_aside(photo: Image.Image, random: np.random.Generator) -> Image.Image:
    towards = random.uniform(-0.35, 0.35, 2)
    across, down = (np.linspace(-1, 1, side, dtype=np.float32) for side in photo.size)
    light = 1 + np.float32(towards[0]) * across[None, :] + np.float32(towards[1]) * down[:, None]
    return _image(np.asarray(photo) * light[..., None])


def _grainy(photo: Image.Image, grain: float, random: np.random.Generator) -> Image.Image:
    """With the noise of a sensor, of `grain` (0 to 255) standard deviation."""
    pixels = np.asarray(photo, dtype=np.float32)
    noise = random.standard_normal(pixels.shape, dtype=np.float32)
    return _image(pixels + np.float32(grain) * noise)


def _image(pixels: npt.NDArray[np.float32]) -> Image.Image:
    return Image.fromarray((pixels + np.float32(0.5)).clip(0, 255).astype(np.uint8))


def _compressed(photo: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")
