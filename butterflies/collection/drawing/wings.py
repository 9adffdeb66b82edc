"""Painting a wing: an RGBA picture of one fore- or hindwing, seen from above."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import label

from butterflies.collection.drawing.field import Field, field
from butterflies.collection.drawing.layers import Layer
from butterflies.collection.drawing.outline import Outline, curve
from butterflies.collection.drawing.palettes import Palette
from butterflies.collection.drawing.patterns import ELEMENTS
from butterflies.collection.drawing.texture import Floats, grain, soft_noise

_DUST = np.array([0.60, 0.52, 0.42], np.float32)  # what bare, aged membrane looks like


@dataclass(frozen=True)
class Wing:
    """A painted wing: RGBA picture, and the pixel (column, row) of its root."""

    picture: Image.Image
    root: tuple[float, float]


def paint(
    outline: Outline, plan: tuple[Layer, ...], colours: Palette, scale: float, wear: float,
    rng: np.random.Generator,
) -> Wing:  # fmt: skip
    """Paint a right wing at `scale` pixels a forewing length; `wear` is 0 fresh to 1 worn."""
    f = field(curve(outline), scale, rng)
    colour = np.broadcast_to(colours.ground, (*f.x.shape, 3)).copy()
    for layer in plan:
        weight = ELEMENTS[layer.element](f, **layer.values) * np.float32(layer.share)
        colour += (colours.part(layer.part) - colour) * weight[..., None]
    colour = _age(colour, f, wear, rng)
    colour *= _relief(f, rng)[..., None]
    pixels = np.empty((*f.x.shape, 4), np.uint8)
    pixels[..., :3] = np.clip(colour * 255 + 0.5, 0, 255)
    pixels[..., 3] = f.alpha * 255 + 0.5
    return Wing(Image.fromarray(pixels, "RGBA"), f.origin)


def _age(colour: Floats, f: Field, wear: float, rng: np.random.Generator) -> Floats:
    """Fade the colours and rub scales off, most near the margin."""
    rubbed = soft_noise(rng, f.x.shape, 16) + 0.6 * soft_noise(rng, f.x.shape, 55)
    rubbed = np.clip(rubbed - 2.6 + wear * 1.2 + 0.6 * f.depth * wear, 0, 1) * 0.5
    share = np.clip(rubbed + 0.22 * wear, 0, 0.85)[..., None]
    luma = colour @ np.array([0.299, 0.587, 0.114], np.float32)
    bare = _DUST * (0.45 + 0.75 * luma[..., None])
    aged: Floats = colour + (bare - colour) * share
    return aged


def _relief(f: Field, rng: np.random.Generator) -> Floats:
    """Light on the membrane: hollows between the veins, a fold at the root, fine scales."""
    hollow = 0.035 * f.wave * np.clip(f.depth * 1.6, 0, 1)
    sheen = 0.05 * soft_noise(rng, f.x.shape, 4) + 0.035 * soft_noise(rng, f.x.shape, 30)
    scales = 0.05 * grain(rng, f.x.shape)
    root = -0.25 * np.exp(-((f.depth / 0.16) ** 2))
    thin = -0.10 * np.exp(-((f.edge * f.scale / 3) ** 2))
    relief: Floats = 1.0 + hollow + sheen + scales + root + thin
    return relief.astype(np.float32)


def nick(wing: Wing, rng: np.random.Generator) -> Wing:
    """Tear a small wedge out of the margin."""
    alpha = wing.picture.getchannel("A")
    rows, columns = np.nonzero(np.asarray(alpha) > 127)
    far = np.hypot(columns - wing.root[0], rows - wing.root[1])
    pick = int(rng.choice(np.flatnonzero(far > np.quantile(far, 0.93))))
    centre = np.array([columns[pick], rows[pick]], float)
    inward = (np.array(wing.root) - centre) / far[pick]
    aside = np.array([-inward[1], inward[0]])
    size = far.max() * rng.uniform(0.05, 0.14)
    ahead = np.array([-2.5, -0.3, 1.0, 0.2, -2.5]) * rng.uniform(0.6, 1.2, 5)
    across = np.array([-1.2, -0.35, 0.1, 0.4, 1.2]) * rng.uniform(0.5, 1.1, 5)
    corners = centre + size * (ahead[:, None] * inward + across[:, None] * aside)
    ImageDraw.Draw(alpha).polygon([tuple(corner) for corner in corners], fill=0)
    picture = wing.picture.copy()
    picture.putalpha(_connected(alpha))
    return Wing(picture, wing.root)


def _connected(alpha: Image.Image) -> Image.Image:
    """Drop what hangs on nothing, such as the end of a torn-off tail."""
    pixels = np.asarray(alpha)
    names, count = label(pixels > 40)
    if count < 2:
        return alpha
    sizes = np.bincount(names.ravel())[1:]
    return Image.fromarray(np.where(names == 1 + int(sizes.argmax()), pixels, 0).astype(np.uint8))
