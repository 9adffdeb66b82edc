"""Putting a specimen together: four wings, a body, and antennae, on nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from butterflies.collection.drawing.body import antennae, body
from butterflies.collection.drawing.layers import Layer, varied
from butterflies.collection.drawing.palettes import Palette
from butterflies.collection.drawing.specimen import Specimen, colours
from butterflies.collection.drawing.taxa import Species
from butterflies.collection.drawing.wings import Wing, nick, paint

# Where the wings join the body, from the point between the roots, in forewing lengths.
_ROOTS = {"fore": (0.030, 0.040), "hind": (0.026, -0.020)}
# How far the wings are opened beyond the shape tables' angles, in degrees.
_SPREAD = {"fore": 1.0, "hind": 11.0}
SHARE_BROKEN = 0.06


@dataclass(frozen=True)
class Butterfly:
    """A specimen at its tilt: `animal` (wings and body) and `feelers`, RGBA of one size."""

    animal: Image.Image
    feelers: Image.Image


@dataclass(frozen=True)
class _Pose:
    """Where a specimen lies on its sheet: scale in pixels a forewing length, tilt in degrees."""

    size: tuple[int, int]
    centre: tuple[float, float]
    scale: float
    tilt: float

    def pixel(self, x: float, y: float) -> tuple[float, float]:
        """Return the sheet's pixel of a point given in forewing lengths, y towards the head."""
        cos, sin = np.cos(np.deg2rad(self.tilt)), np.sin(np.deg2rad(self.tilt))
        across, up = x * cos - y * sin, x * sin + y * cos
        return self.centre[0] + across * self.scale, self.centre[1] - up * self.scale


def butterfly(individual: Specimen, scale: float, tilt: float = 0.0) -> Butterfly:
    """Draw a specimen at `scale` pixels a forewing length, cropped to what was drawn.

    `tilt` turns it counter-clockwise, in degrees.
    """
    rng = individual.rng("butterfly")
    own = colours(individual)
    pose = _Pose((int(2.5 * scale), int(2.3 * scale)), (1.25 * scale, 1.1 * scale), scale, tilt)
    sheet = Image.new("RGBA", pose.size)
    for layer, turn in _wings(individual, own, pose.scale, rng):
        _lay(sheet, layer, pose, turn)
    _lay(sheet, _trunk(individual.kind, own, scale, rng), pose, 0.0)
    reach = float(np.clip(0.36 + 0.06 * rng.standard_normal(), 0.25, 0.5))
    feelers = antennae(pose.size, pose.pixel, reach, scale, rng)
    box = ImageChops.lighter(sheet.getchannel("A"), feelers.getchannel("A")).getbbox()
    return Butterfly(sheet.crop(box), feelers.crop(box))


@dataclass(frozen=True)
class _Layer:
    """A painted part, its root on the body in forewing lengths, and its side (-1 mirrored)."""

    part: Wing
    root: tuple[float, float]
    side: int


def _trunk(kind: Species, own: Palette, scale: float, rng: np.random.Generator) -> _Layer:
    # Small butterflies have large bodies for their wings.
    stout = float(np.clip(1.25 - 0.3 * kind.size + 0.06 * rng.standard_normal(), 0.75, 1.3))
    length = float(np.clip(0.47 + 0.04 * rng.standard_normal(), 0.38, 0.58))
    tone = own.dark * 0.7 + np.float32(0.07)
    light = own.second * 0.5 + own.pale * 0.3
    return _Layer(Wing(*body(tone, light, length, stout, scale, rng)), (0.0, 0.0), 1)


def _wings(
    individual: Specimen, own: Palette, scale: float, rng: np.random.Generator
) -> list[tuple[_Layer, float]]:
    """The wings and how far each is turned, hindwings first because forewings lie on them."""
    kind, wear = individual.kind, float(rng.beta(1.6, 3.2))
    lost = str(rng.choice(["fore", "hind"])) if rng.random() < SHARE_BROKEN else ""
    lost_side = int(rng.choice([-1, 1]))
    layers = []
    for name, outline in (("hind", kind.hind), ("fore", kind.fore)):
        plan = varied(_plan(individual, name), rng, 0.05)
        wing = paint(outline.varied(rng, 0.015), plan, own, scale, wear, rng)
        opened = _SPREAD[name] + 2.5 * float(rng.standard_normal())
        for side in (-1, 1):
            turn = opened + 1.3 * float(rng.standard_normal())
            piece = nick(wing, rng) if rng.random() < 0.04 + 0.18 * wear else wing
            if name != lost or side != lost_side:
                layers.append((_Layer(piece, _ROOTS[name], side), turn))
    return layers


def _plan(individual: Specimen, wing: str) -> tuple[Layer, ...]:
    return tuple(
        layer
        for layer in individual.kind.plan
        if layer.wing == wing and layer.sex in ("", individual.sex)
    )


def _lay(sheet: Image.Image, layer: _Layer, pose: _Pose, turn: float) -> None:
    """Set a part on the sheet, turned upwards by `turn` degrees about its root, with its shadow."""
    root = pose.pixel(layer.side * layer.root[0], layer.root[1])
    angle = np.deg2rad(turn + layer.side * pose.tilt)
    cos, sin = float(np.cos(angle)), float(np.sin(angle))
    box = _reach(layer, root, cos, sin, pose.size)
    # Pillow wants the way back: from a pixel of the box to one of the wing.
    across, along = (layer.side * cos, -sin), (layer.side * sin, cos)
    offset = (box[0] - root[0], box[1] - root[1])
    matrix = (
        *across, layer.part.root[0] + across[0] * offset[0] + across[1] * offset[1],
        *along, layer.part.root[1] + along[0] * offset[0] + along[1] * offset[1],
    )  # fmt: skip
    size = (box[2] - box[0], box[3] - box[1])
    placed = layer.part.picture.transform(
        size, Image.Transform.AFFINE, matrix, resample=Image.Resampling.BICUBIC
    )
    sheet.alpha_composite(_shadow(sheet.crop(box), placed), box[:2])
    sheet.alpha_composite(placed, box[:2])


def _reach(
    layer: _Layer, root: tuple[float, float], cos: float, sin: float, limit: tuple[int, int]
) -> tuple[int, int, int, int]:
    """The box of the sheet that a turned part covers, with room for its shadow."""
    width, height = layer.part.picture.size
    x = np.array([0, width, 0, width]) - layer.part.root[0]
    y = np.array([0, 0, height, height]) - layer.part.root[1]
    across = root[0] + layer.side * (x * cos + y * sin)
    down = root[1] + y * cos - x * sin
    room = 8
    return (
        max(int(across.min()) - room, 0),
        max(int(down.min()) - room, 0),
        min(int(across.max()) + room, limit[0]),
        min(int(down.max()) + room, limit[1]),
    )


def _shadow(below: Image.Image, above: Image.Image) -> Image.Image:
    """The soft shadow that a part casts on those below, kept inside their outline."""
    small = above.getchannel("A").reduce(4)
    blurred = ImageChops.offset(small.filter(ImageFilter.GaussianBlur(1.6)), 0, 1)
    shadow = blurred.resize(below.size, Image.Resampling.BILINEAR).point(lambda value: value * 0.42)
    dark = Image.new("RGBA", below.size, (12, 9, 8, 0))
    dark.putalpha(ImageChops.multiply(shadow, below.getchannel("A")))
    return dark
