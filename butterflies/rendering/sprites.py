"""Sprites: cut-outs at their drawn size, and their shadows.

A sprite's picture is premultiplied RGBA and empty outside the disc that keeps it apart from its
neighbours, so pictures can be added to a canvas in any order. A shadow is optical density, so
shadows can be added too: 256 units darken to 1/e.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

Bytes = npt.NDArray[np.uint8]

DENSITY = 256
"""Units of shadow that darken to 1/e."""

HAZE_RADIUS = 0.05
"""Blur of the haze round a representative, over the width of the picture."""

REACH = 2.9
"""Where a blur ends, in standard deviations."""

GAP = 1 / 32
"""Room between two pictures, over the width of a picture."""


@dataclass
class Shadow:
    """How shadows look; lengths are over the width of a picture."""

    radius: float = 0.055
    """Standard deviation of the blur."""
    strength: float = 0.42
    """How much of the light a shadow takes at its darkest, 0 for none."""
    offset: float = 0.03
    """How far it falls down, and half as far to the right."""

    def side(self, px: int) -> int:
        """The width s, in px, of all that shows of a picture `px` wide."""
        return px + 2 * math.ceil(self.pad * px)

    @property
    def pad(self) -> float:
        """How far shadows and haze reach beyond a picture."""
        return max(self.offset + REACH * self.radius, REACH * HAZE_RADIUS)


@dataclass(frozen=True)
class Sprite:
    """A picture and its shadow, both centred on the specimen's place.

    Attributes:
        picture: (px, px, 4) uint8, premultiplied.
        shadow: (s, s) uint8, s > px, in units of DENSITY.
        haze: the same of the background, which hides what lies below, in four units of DENSITY;
            None on the base layer.
    """

    picture: Bytes
    shadow: Bytes
    haze: Bytes | None = None


def picture(rgba: Bytes, px: int) -> Bytes:
    """A cut-out (h, w, 4) of straight alpha as a premultiplied picture (px, px, 4).

    The cut-out is fitted into the square, its middle on the square's.
    """
    image = Image.fromarray(rgba).convert("RGBa")
    side = max(image.size)
    if image.size != (side, side):
        square = Image.new("RGBa", (side, side))
        square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
        image = square
    return scaled(np.asarray(image), px)


def scaled(premultiplied: Bytes, px: int) -> Bytes:
    """A square premultiplied picture at another width."""
    if len(premultiplied) == px:
        return premultiplied
    h, w = premultiplied.shape[:2]
    image = Image.frombuffer("RGBa", (w, h), premultiplied.tobytes(), "raw", "RGBa", 0, 1)
    made = np.array(image.resize((px, px), Image.Resampling.LANCZOS))
    np.minimum(made[..., :3], made[..., 3:], out=made[..., :3])  # Lanczos overshoots
    return made


def diameter(made: Bytes) -> float:
    """Of the smallest circle about the middle of a picture that holds all alpha > 127, in px."""
    reached = _squared(len(made), 0.5)[made[..., 3] > 127]
    return 2 * math.sqrt(float(reached.max(initial=0)))


@lru_cache(maxsize=4)
def _squared(px: int, more: float) -> npt.NDArray[np.float64]:
    """(px, px) squares of how far pixels lie from a picture's middle, `more` along each axis."""
    far = (abs(np.arange(px) + 0.5 - px / 2) + more) ** 2
    return np.asarray(far[:, None] + far[None, :])


def room(of_diameter: float, px: int) -> float:
    """The diameter that is kept free for a picture `px` wide, of the given `diameter`."""
    return of_diameter + GAP * px


def within(made: Bytes, of_room: float) -> Bytes:
    """The picture, emptied outside the disc that is kept free for it."""
    kept = made.copy()
    kept[_squared(len(made), 0.0) >= (of_room / 2) ** 2] = 0
    return kept


def shade(made: Bytes, shadow: Shadow) -> Bytes:
    """The soft shadow (s, s) of a picture (px, px, 4), in units of DENSITY."""
    drop = round(shadow.offset * len(made))
    blurred = _blurred(made, (drop // 2, drop), shadow.radius, shadow.side(len(made)))
    return np.asarray(_density_of_alpha(shadow.strength)[blurred])


def haze(made: Bytes, side: int) -> Bytes:
    """Haze (side, side) round a picture (px, px, 4), in four units of DENSITY: it stands clear."""
    near = _blurred(made, (0, 0), HAZE_RADIUS, side).astype(np.float64)
    return np.asarray(np.minimum(1.5 * near, 255), np.uint8)


def _blurred(made: Bytes, moved: tuple[int, int], radius: float, side: int) -> Bytes:
    """The alpha (px, px) on a larger square (side, side), moved right and down, and blurred."""
    px = len(made)
    pad = (side - px) // 2
    left, top = pad + moved[0], pad + moved[1]
    alone = np.zeros((side, side), np.uint8)
    alone[top : top + px, left : left + px] = made[..., 3]
    return np.asarray(Image.fromarray(alone).filter(ImageFilter.GaussianBlur(radius * px)))


@lru_cache
def _density_of_alpha(strength: float) -> Bytes:
    taken = strength * np.arange(256) / 255
    return np.asarray(np.minimum(np.rint(-np.log(1 - taken) * DENSITY), 255), np.uint8)


def sprite(made: Bytes, of_room: float, shadow: Shadow, hazy: bool = False) -> Sprite:
    """The sprite of a picture that `of_room` px are kept free for."""
    kept = within(made, of_room)
    over = haze(kept, shadow.side(len(made))) if hazy else None
    return Sprite(kept, shade(kept, shadow), over)
