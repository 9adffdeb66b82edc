"""The colours of wings, shared by many genera so that colour alone does not tell them apart."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Colour = NDArray[np.floating]  # three floats, 0..1

# ground, second, dark, accent, pale, shine: the parts a colour plays in a pattern.
_HEX = {
    "ember": "d5752c b24a1f 2a1b14 efb04a f3e3c8 8a5fb0",
    "sulphur": "e4c050 cf9334 2d2318 c9502e f8ecc0 7fb0a0",
    "chalk": "ebe4d4 cfc4a8 39332f cf6a34 faf6ec 9fb4cc",
    "umber": "7b5435 573823 23170f d89a45 e6cda8 7c6fae",
    "night": "2c2a31 1b1a20 100f12 c23a2c ece2cc 2f72b8",
    "cobalt": "356fae 5b9cc8 171722 e08b3c e6ecee 5cc0e6",
    "verdigris": "3e8f7c 79b89a 15221f d8a24a e3ecd4 5fd0c0",
    "crimson": "a5302a cf5a38 201214 efbf66 f2e0c4 7c4fa8",
    "heather": "6d5a94 9480b4 1f1a26 e0a06a ece4ec 8a8ae0",
    "moss": "80843f a9a45a 25261a d07a34 eee8c2 8fc07c",
    "rose": "c98878 b0645c 3a2523 8c3036 f2dfce b79ad0",
    "slate": "77838c 9aa6aa 23272c d8823c e9ecea 7fa8d8",
    "celadon": "b9cfac 93b394 2b352e cf8a3a f3f5e0 86c8b4",
    "honey": "b9833c 8f5c2a 2c1d12 e8cc7c f4e8cc a0a060",
}


@dataclass(frozen=True)
class Palette:
    """Six colours, each an array of three floats in 0..1 (sRGB)."""

    ground: Colour
    second: Colour
    dark: Colour
    accent: Colour
    pale: Colour
    shine: Colour

    def part(self, name: str) -> Colour:
        """Return the colour that plays the given part."""
        colour: Colour = getattr(self, name)
        return colour

    def mixed(self, other: Palette, share: float, parts: tuple[str, ...]) -> Palette:
        """Return this palette with some parts drawn towards another palette's."""
        moved = {part: self.part(part) * (1 - share) + other.part(part) * share for part in parts}
        return replace(self, **moved)

    def shifted(self, rng: np.random.Generator, amount: float) -> Palette:
        """Return the palette with an individual's small change of hue and lightness."""
        gain = 1 + 0.5 * amount * rng.standard_normal(3) + amount * rng.standard_normal()
        parts = ("ground", "second", "dark", "accent", "pale", "shine")
        moved = {part: np.clip(self.part(part) * gain, 0, 1).astype(np.float32) for part in parts}
        return replace(self, **moved)


def palette(name: str) -> Palette:
    """Return a palette by its name; raises KeyError for an unknown one."""
    return Palette(*(_colour(text) for text in _HEX[name].split()))


def lightness(colour: Colour) -> float:
    """Return the luma of a colour, 0..1."""
    return float(colour @ np.array([0.299, 0.587, 0.114], np.float32))


def _colour(text: str) -> Colour:
    return np.array([int(text[i : i + 2], 16) / 255 for i in (0, 2, 4)], np.float32)
