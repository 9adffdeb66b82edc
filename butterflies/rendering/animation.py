"""The points moving apart, as a short animation of the liveliest part of the map."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from butterflies.film import HOLD_MS, write_film
from butterflies.mapping.pushing import Frames
from butterflies.rendering.canvas import WHITE, blend, to_bytes
from butterflies.rendering.canvas import canvas as add_up
from butterflies.rendering.spritefiles import Sprites
from butterflies.rendering.sprites import Shadow, Sprite, scaled, shade

PX = 560
"""Width of the animation."""

ACROSS = 14
"""Pictures that fit side by side in it."""

COUNT = 40
"""Frames that move."""


def animate(path: Path, frames: Frames, sprites: Sprites) -> None:
    """Writes an animated WebP of the points on their way from the projection to their places.

    Args:
        path: of the WebP.
        frames: (n, 2) world units each, from the scaled projection to the places.
        sprites: every specimen's.
    """
    window = ACROSS * sprites.px
    corner = liveliest(frames[0], frames[-1], window)
    near = (np.minimum(frames[0], frames[-1]) < corner + window + sprites.px).all(axis=1)
    near &= (np.maximum(frames[0], frames[-1]) > corner - sprites.px).all(axis=1)
    numbers = np.flatnonzero(near)
    drawn = [_small(sprites.read(int(number)), sprites.shadow) for number in numbers]
    pictures = [
        _picture((points[numbers] - corner) * (PX / window), drawn)
        for points in in_between(frames, COUNT)
    ]
    write_film(path, pictures, first_ms=HOLD_MS // 2)


def liveliest(
    start: npt.NDArray[np.float32], end: npt.NDArray[np.float32], window: int
) -> npt.NDArray[np.float64]:
    """Top left corner of the square of width `window` about the cell where most is moved."""
    moved = np.hypot(*(end - start).T)
    cells, inverse = np.unique(end // window, axis=0, return_inverse=True)
    busiest = cells[np.bincount(inverse.ravel(), moved + 1e-6).argmax()]
    inside = (end // window == busiest).all(axis=1)
    middle = np.average(end[inside], axis=0, weights=moved[inside] + 1e-6)
    return np.asarray(middle - window / 2, np.float64)


def in_between(frames: Frames, count: int) -> list[npt.NDArray[np.float64]]:
    """`count` sets of points evenly along the way that the frames went, slow at both ends."""
    steps = [np.hypot(*(b - a).T).mean() for a, b in pairwise(frames)]
    way = np.concatenate([[0.0], np.cumsum(steps)])
    times = np.linspace(0, 1, count)
    wanted = way[-1] * times**2 * (3 - 2 * times)
    after = np.clip(np.searchsorted(way, wanted), 1, len(frames) - 1)
    made = []
    for position, index in zip(wanted, after, strict=True):
        length = way[index] - way[index - 1]
        share = (position - way[index - 1]) / length if length > 0 else 1.0
        made.append((1 - share) * frames[index - 1] + share * frames[index].astype(np.float64))
    return made


def _small(full: Sprite, shadow: Shadow) -> Sprite:
    made = scaled(full.picture, PX // ACROSS)
    return Sprite(made, shade(made, shadow))


def _picture(points: npt.NDArray[np.float64], drawn: Sequence[Sprite]) -> Image.Image:
    """One frame: each picture over those before it, since they still overlap."""
    pixels = np.full((PX, PX, 3), WHITE, np.uint16)
    shadows = [
        (Sprite(np.zeros_like(s.picture), s.shadow), x, y)
        for s, (x, y) in zip(drawn, np.rint(points).astype(int).tolist(), strict=True)
    ]
    image = Image.fromarray(to_bytes(blend(pixels, add_up(shadows, 0, 0, PX, PX))))
    for s, (_, x, y) in zip(drawn, shadows, strict=True):
        half = len(s.picture) // 2
        straight = _straight(s.picture)
        image.paste(straight, (x - half, y - half), straight)
    return image


def _straight(premultiplied: npt.NDArray[np.uint8]) -> Image.Image:
    h, w = premultiplied.shape[:2]
    raw = premultiplied.tobytes()
    return Image.frombuffer("RGBa", (w, h), raw, "raw", "RGBa", 0, 1).convert("RGBA")
