"""Canvases that sprites are added to, and their blending: whole numbers throughout.

Blended pixels are sRGB times 256 in uint16 (white is 65,280), so that four of them shrink to one
without rounding to 8 bits first, and every machine gets the same bytes.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from butterflies.rendering.sprites import DENSITY, Sprite

Pixels = npt.NDArray[np.uint16]
"""(h, w, 3), sRGB times 256."""

WHITE = 255 * 256


class Canvas(NamedTuple):
    """What was added up: pictures (h, w, 4) uint8 premultiplied, shadows and haze (h, w) uint16."""

    pictures: npt.NDArray[np.uint8]
    shadows: npt.NDArray[np.uint16]
    haze: npt.NDArray[np.uint16] | None

    def part(self, top: int, left: int, px: int) -> "Canvas":
        """A square of it, `px` wide."""
        area = np.s_[top : top + px, left : left + px]
        haze = None if self.haze is None else self.haze[area]
        return Canvas(self.pictures[area], self.shadows[area], haze)

    @property
    def blank(self) -> bool:
        return not (self.shadows.any() or self.pictures.any())


def canvas(
    sprites: Iterable[tuple[Sprite, int, int]], left: int, top: int, px: int, hazy: bool = False
) -> Canvas:
    """Adds up sprites on a square of a map.

    Args:
        sprites: each with its centre x, y in pixels of that map; where pictures overlap, the later
            lies above.
        left: of the square on the map.
        top: of the square on the map.
        px: the square's width.
        hazy: add up their haze too.
    """
    haze = np.zeros((px, px), np.uint16) if hazy else None
    made = Canvas(np.zeros((px, px, 4), np.uint8), np.zeros((px, px), np.uint16), haze)
    for sprite, x, y in sprites:
        _put(made.pictures, sprite.picture, x - left, y - top, _lay)
        _put(made.shadows, sprite.shadow, x - left, y - top, _add)
        if haze is not None and sprite.haze is not None:
            _put(haze, sprite.haze, x - left, y - top, _add)
    return made


def _put(
    onto: npt.NDArray[Any],
    patch: npt.NDArray[np.uint8],
    x: int,
    y: int,
    how: Callable[[npt.NDArray[Any], npt.NDArray[np.uint8]], None],
) -> None:
    """Puts a patch about the centre x, y, cut at the borders."""
    left, top = x - patch.shape[1] // 2, y - patch.shape[0] // 2
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + patch.shape[1], onto.shape[1]), min(top + patch.shape[0], onto.shape[0])
    if x0 < x1 and y0 < y1:
        how(onto[y0:y1, x0:x1], patch[y0 - top : y1 - top, x0 - left : x1 - left])


def _add(below: npt.NDArray[Any], above: npt.NDArray[np.uint8]) -> None:
    below += above


def _lay(below: npt.NDArray[np.uint8], above: npt.NDArray[np.uint8]) -> None:
    """Lays a picture (h, w, 4) over what there is, which is just added to where nothing is."""
    both = (below[..., 3] > 0) & (above[..., 3] > 0)
    if both.any():
        hidden = 255 - above[both][:, 3:].astype(np.uint16)
        below[both] = (below[both] * hidden + 127) // 255
    below += above


def blend(below: Pixels | int, above: Canvas) -> Pixels:
    """Haze, then shadows, then pictures, over what lies below them."""
    lit = np.asarray(below, np.uint32)
    if above.haze is not None:
        lit = WHITE - _through(WHITE - lit, np.minimum(above.haze, 16_000) * 4)
    shaded = _through(lit, above.shadows)
    free = 255 - above.pictures[..., 3:].astype(np.uint32)
    mixed = (shaded * free + 127) // 255 + (above.pictures[..., :3].astype(np.uint32) << 8)
    return np.asarray(mixed, np.uint16)


def _through(light: npt.NDArray[np.uint32], density: npt.NDArray[np.uint16]) -> Any:
    """What is left of light (h, w, 3) or one number behind a density (h, w)."""
    return (light * _light()[density][..., None] + WHITE // 2) // WHITE


@lru_cache
def _light() -> npt.NDArray[np.uint32]:
    """What shadows of 0 ... 65,535 units let through, WHITE for all of it."""
    through = np.exp(-np.arange(65_536) / DENSITY)
    return np.asarray(np.rint(WHITE * through), np.uint32)


def shrink(pixels: Pixels) -> Pixels:
    """Half as wide and high: the mean of every 2 x 2 pixels."""
    total = np.add(pixels[0::2, 0::2], pixels[1::2, 0::2], dtype=np.uint32)
    total += pixels[0::2, 1::2]
    total += pixels[1::2, 1::2]
    return ((total + 2) >> 2).astype(np.uint16)


def to_bytes(pixels: Pixels) -> npt.NDArray[np.uint8]:
    """Rounded to 8 bits."""
    return ((pixels + 128) >> 8).astype(np.uint8)
