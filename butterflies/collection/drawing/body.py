"""The body of a pinned butterfly: head, thorax, abdomen, pin, and the antennae beside it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from butterflies.collection.drawing.palettes import Colour
from butterflies.collection.drawing.texture import Floats, grain, soft_noise

# Half-widths along the body from the head (0.19 above the wing roots) to the abdomen's end, in
# forewing lengths; the same unit everywhere.
_HEIGHTS = np.array([0.205, 0.19, 0.165, 0.14, 0.125, 0.09, 0.03, -0.03, -0.07, -0.09, -0.16])
_WIDTHS = np.array([0.0, 0.022, 0.030, 0.028, 0.028, 0.046, 0.058, 0.053, 0.038, 0.034, 0.043])
HEAD = 0.19


def body(
    colour: Colour, light: Colour, length: float, stout: float, scale: float,
    rng: np.random.Generator,
) -> tuple[Image.Image, tuple[float, float]]:  # fmt: skip
    """Return the body as RGBA and the pixel (column, row) of the point between the wing roots.

    `length` is that of the abdomen in forewing lengths, `stout` its relative width.
    """
    half, top, low = 0.09, 0.22, -length - 0.03
    shape = (int((top - low) * scale), int(2 * half * scale))
    y = (top - (np.arange(shape[0], dtype=np.float32) + 0.5) / scale)[:, None]
    x = ((np.arange(shape[1], dtype=np.float32) + 0.5) / scale - half)[None, :]
    width = _profile(y, length, stout)
    hairs = soft_noise(rng, shape, 60) * 0.0035 * (y > -0.09)
    alpha = np.clip((width + hairs - np.abs(x)) * scale + 0.5, 0, 1) * (width > 0.002)
    across = np.clip(x / np.maximum(width, 1e-3), -1, 1)
    shade = 0.42 + 0.75 * np.sqrt(1 - 0.92 * across**2) - 0.16 * across
    shade = shade * (1 + 0.10 * grain(rng, shape)) * (1 + 0.1 * soft_noise(rng, shape, 40))
    tone = _tone(x, y, width, colour, light, length)
    pixels = np.empty((*shape, 4), np.uint8)
    pixels[..., :3] = np.clip(tone * shade[..., None] * 255, 0, 255)
    pixels[..., 3] = alpha * 255
    picture = Image.fromarray(pixels, "RGBA")
    _pin(picture, (half * scale, (top - 0.035) * scale), scale)
    return picture, (half * scale, top * scale)


def _profile(y: Floats, length: float, stout: float) -> Floats:
    below = np.array([0.45, 0.75, 0.92, 1.0])
    heights = np.concatenate([_HEIGHTS, -0.16 - (length - 0.16) * below])
    widths = np.concatenate([_WIDTHS, np.array([0.043, 0.036, 0.022, 0.0])])
    widths = np.where(heights < -0.09, widths * stout, widths)
    return np.asarray(np.interp(-y, -heights, widths), np.float32)


def _tone(
    x: Floats, y: Floats, width: Floats, colour: Colour, light: Colour, length: float
) -> Floats:
    """Dark body with paler sides, rings on the abdomen, and two dark eyes."""
    rings = 0.5 + 0.5 * np.cos((y + 0.09) / (length - 0.09) * 2 * np.pi * 8)
    sides = np.clip(np.abs(x) / np.maximum(width, 1e-3) - 0.45, 0, 1)
    share = np.where(y < -0.085, 0.16 * rings**3 + 0.7 * sides, 0.25 * sides)
    tone = colour + (light - colour) * share[..., None].astype(np.float32)
    eyes = np.hypot(np.abs(x) - 0.024, y - 0.165) < 0.014
    tone[eyes] = (0.07, 0.05, 0.04)
    return tone


def _pin(picture: Image.Image, centre: tuple[float, float], scale: float) -> None:
    """A brass pin seen from its head, with its short shadow."""
    radius = max(0.011 * scale, 1.6)
    x, y = centre
    draw = ImageDraw.Draw(picture)
    for dx, size, tone in ((0.5, 1.5, (25, 20, 16)), (0, 1.0, (176, 160, 118))):
        box = (x + dx - radius * size, y + dx - radius * size)
        draw.ellipse((*box, x + dx + radius * size, y + dx + radius * size), fill=(*tone, 255))
    draw.ellipse((x - radius * 0.5, y - radius * 0.6, x, y), fill=(250, 244, 222, 255))


def antennae(
    size: tuple[int, int], pixel: Callable[[float, float], tuple[float, float]], length: float,
    scale: float, rng: np.random.Generator,
) -> Image.Image:  # fmt: skip
    """Two clubbed antennae on a transparent picture.

    `pixel` gives the place of a point in forewing lengths from between the wing roots.
    """
    sheet = Image.new("RGBA", size)
    draw = ImageDraw.Draw(sheet)
    for side in (-1, 1):
        if rng.random() < 0.04:
            continue  # broken off, as so often
        lean = np.deg2rad(rng.normal(27, 5))
        t = np.linspace(0, 1, 18)
        angle = lean + t**2 * np.deg2rad(rng.normal(6, 9))
        steps = np.stack([side * np.sin(angle), np.cos(angle)], axis=1) * length / 17
        line = np.cumsum(steps, axis=0) + np.array([side * 0.012, HEAD])
        pixels = np.array([pixel(*point) for point in line])
        draw.line([tuple(point) for point in pixels], (34, 26, 22, 255), max(2, int(scale / 130)))
        t = np.linspace(0, 1, 9)[:, None]
        club = pixels[-4] + (pixels[-1] - pixels[-4]) * 1.25 * t
        wide = (0.0045 + 0.0075 * np.sin(np.pi * t[:, 0] ** 1.3)) * scale
        for point, radius in zip(club, wide, strict=True):
            draw.ellipse((*(point - radius), *(point + radius)), fill=(28, 20, 17, 255))
    return sheet
