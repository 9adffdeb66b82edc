"""Canvases that sprites are added to, and their blending: whole numbers throughout.

Blended pixels are sRGB times 256 in uint16 (white is 65,280), so that four of them shrink to one
without rounding to 8 bits first, and every machine gets the same bytes.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from butterflies.rendering.layers import Placed
from butterflies.rendering.sprites import DENSITY, Sprite

Pixels = npt.NDArray[np.uint16]
"""(h, w, 3), sRGB times 256; where it is one colour, (3,) will do."""

WHITE = 255 * 256


class Canvas(NamedTuple):
    """What was added up: pictures (h, w, 4) uint8 premultiplied, shadows and haze (h, w) uint16."""

    pictures: npt.NDArray[np.uint8]
    shadows: npt.NDArray[np.uint16]
    haze: npt.NDArray[np.uint16] | None

    def part(self, left: int, px: int) -> "Canvas":
        """A piece of its whole height, `px` wide."""
        area = np.s_[:, left : left + px]
        haze = None if self.haze is None else self.haze[area]
        return Canvas(self.pictures[area], self.shadows[area], haze)

    @property
    def blank(self) -> bool:
        return not (self.shadows.any() or self.pictures.any())


def canvas(
    sprites: Iterable[tuple[Sprite, int, int]],
    left: int,
    top: int,
    width: int,
    height: int,
    hazy: bool = False,
) -> Canvas:
    """Adds up sprites on a rectangle of a map.

    Where pictures overlap, the later one lies above; where none do, their order does not matter.

    Args:
        sprites: each with its centre x, y in pixels of that map.
        left: of the rectangle on the map.
        top: likewise.
        width: of the rectangle.
        height: likewise.
        hazy: add up their haze too.
    """
    haze = np.zeros((height, width), np.uint16) if hazy else None
    pictures = np.zeros((height, width, 4), np.uint8)
    made = Canvas(pictures, np.zeros((height, width), np.uint16), haze)
    for sprite, x, y in sprites:
        _lay(*_cut(made.pictures, sprite.picture, x - left, y - top))
        _add(*_cut(made.shadows, sprite.shadow, x - left, y - top))
        if haze is not None and sprite.haze is not None:
            _add(*_cut(haze, sprite.haze, x - left, y - top))
    return made


def strips(
    placed: Placed,
    sprite: Callable[[int], Sprite],
    left: int,
    top: int,
    px: int,
    height: int,
    hazy: bool = False,
) -> Iterator[Canvas]:
    """A square of a map as canvases one below the other.

    Few sprites are in memory at a time, and each is asked for once; the lower ones lie above.

    Args:
        placed: the pictures that touch the square.
        sprite: gives the sprite of a picture, by its place in `placed`.
        left: of the square on the map.
        top: likewise.
        px: the square's width.
        height: of a strip, which divides px.
        hazy: see `canvas`.
    """
    waiting = sorted(range(len(placed.numbers)), key=lambda i: placed.place(i)[::-1], reverse=True)
    open_: list[tuple[Sprite, int, int]] = []
    for upper in range(top, top + px, height):
        lower = upper + height + placed.reach
        while waiting and placed.centres[waiting[-1], 1] <= lower:
            index = waiting.pop()
            x, y = placed.centres[index].tolist()
            open_.append((sprite(index), x, y))
        yield canvas(open_, left, upper, px, height, hazy)
        open_ = [one for one in open_ if one[2] >= upper + height - placed.reach]


def _cut(
    onto: npt.NDArray[Any], patch: npt.NDArray[np.uint8], x: int, y: int
) -> tuple[npt.NDArray[Any], npt.NDArray[np.uint8]]:
    """Where a patch about the centre x, y lies on a canvas, and what of it lies there."""
    left, top = x - patch.shape[1] // 2, y - patch.shape[0] // 2
    x0, y0 = max(left, 0), max(top, 0)
    x1 = max(x0, min(left + patch.shape[1], onto.shape[1]))
    y1 = max(y0, min(top + patch.shape[0], onto.shape[0]))
    return onto[y0:y1, x0:x1], patch[max(y0 - top, 0) : y1 - top, max(x0 - left, 0) : x1 - left]


def _add(onto: npt.NDArray[np.uint16], patch: npt.NDArray[np.uint8]) -> None:
    """Adds shadow or haze; hundreds of them are as dark as it gets."""
    np.minimum(onto, 65_535 - 255, out=onto)
    onto += patch


def _lay(onto: npt.NDArray[np.uint8], patch: npt.NDArray[np.uint8]) -> None:
    """Adds a premultiplied picture; over what lies there, where something does."""
    if np.minimum(onto[..., 3], patch[..., 3]).any():
        seen = onto.astype(np.uint32) * (255 - patch[..., 3:].astype(np.uint32))
        onto[...] = patch + ((seen + 127) // 255).astype(np.uint8)
    else:
        onto += patch


def blend(below: Pixels | int, above: Canvas, ground: Pixels | int = WHITE) -> Pixels:
    """Haze, which is of the colour `ground`, then shadows, then pictures, over what lies below."""
    if np.ndim(below) < 3 and above.haze is None:
        return _on_one_colour(below, above)
    lit = np.asarray(below, np.uint32)
    if above.haze is not None:
        clear = _light()[np.minimum(above.haze, 16_000) * 4][..., None]
        hidden = np.asarray(ground, np.uint32) * (WHITE - clear)
        lit = (lit * clear + hidden + WHITE // 2) // WHITE
    shaded = (lit * _light()[above.shadows][..., None] + WHITE // 2) // WHITE
    free = 255 - above.pictures[..., 3:].astype(np.uint32)
    mixed = (shaded * free + 127) // 255 + (above.pictures[..., :3].astype(np.uint32) << 8)
    return np.asarray(mixed, np.uint16)


def _on_one_colour(colour: Pixels | int, above: Canvas) -> Pixels:
    """The same, where each channel of what lies below is one number: most of the work."""
    mixed = above.pictures[..., :3].astype(np.uint16)
    mixed <<= 8
    free = 255 - above.pictures[..., 3].astype(np.uint32)
    done: dict[int, npt.NDArray[np.uint16]] = {}
    for channel, value in enumerate(np.broadcast_to(colour, 3).tolist()):
        if value not in done:
            behind = _shaded(value)[above.shadows] * free
            behind += 127
            behind //= 255
            done[value] = behind.astype(np.uint16)
        mixed[..., channel] += done[value]
    return mixed


@lru_cache
def _light() -> npt.NDArray[np.uint32]:
    """What shadows of 0 ... 65,535 units let through, WHITE for all of it."""
    through = np.exp(-np.arange(65_536) / DENSITY)
    return np.asarray(np.rint(WHITE * through), np.uint32)


@lru_cache(maxsize=3)
def _shaded(value: int) -> npt.NDArray[np.uint32]:
    """What is seen of a channel behind shadows of 0 ... 65,535 units."""
    return (np.uint32(value) * _light() + WHITE // 2) // WHITE


def shrink(pixels: Pixels) -> Pixels:
    """Half as wide and high: the mean of every 2 x 2 pixels."""
    high, wide = len(pixels) // 2, pixels.shape[1] // 2
    rows = pixels.reshape(2 * high, 6 * wide)
    pairs = np.add(rows[0::2], rows[1::2], dtype=np.uint32).reshape(high, wide, 6)
    total = np.empty((high, wide, 3), np.uint32)
    for channel in range(3):  # long runs of numbers, which numpy likes
        np.add(pairs[..., channel], pairs[..., channel + 3], out=total[..., channel])
    total += 2
    total >>= 2
    return total.astype(np.uint16)


def to_bytes(pixels: Pixels) -> npt.NDArray[np.uint8]:
    """Rounded to 8 bits."""
    return ((pixels + 128) >> 8).astype(np.uint8)
