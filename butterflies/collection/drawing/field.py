"""Coordinates on a wing: where a scale lies between root and margin, and between which veins.

Wing patterns follow the veins (the nymphalid ground plan, Schwanwitsch 1924; Nijhout 1991): their
elements repeat from one intervein space to the next at a distance from the margin. So patterns are
written in these coordinates and look at home on any wing shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import distance_transform_edt

from butterflies.collection.drawing.outline import Curve
from butterflies.collection.drawing.texture import Floats, soft_noise, step


@dataclass(frozen=True)
class Field:
    """Wing coordinates of every pixel, each (height, width) float32.

    x, y: in forewing lengths from the root; depth: 0 root to 1 margin; vein: 0 apex to `cells`
    tornus, whole on a vein; room: half-width of the intervein space; edge: distance inside the
    margin; along: 0 apex to 1 tornus by the direction from the root, rim: from the wing's middle;
    alpha: 0..1 coverage.  `origin` is the root's pixel (column, row).
    """

    x: Floats
    y: Floats
    depth: Floats
    vein: Floats
    room: Floats
    edge: Floats
    along: Floats
    rim: Floats
    alpha: Floats
    cells: int
    scale: float
    origin: tuple[float, float]

    @property
    def aside(self) -> Floats:
        """Distance from the middle line of the intervein space, in forewing lengths."""
        return np.asarray(np.abs(self.vein - np.floor(self.vein) - 0.5) * 2 * self.room, np.float32)

    @property
    def wave(self) -> Floats:
        """One on the veins, minus one between them."""
        return np.asarray(np.cos(2 * np.pi * self.vein), np.float32)


def field(wing: Curve, scale: float, rng: np.random.Generator) -> Field:
    """Return the coordinates of a wing drawn at `scale` pixels a forewing length."""
    low = wing.points.min(axis=0) - 4 / scale
    high = wing.points.max(axis=0) + 4 / scale
    size = (int((high[0] - low[0]) * scale) + 1, int((high[1] - low[1]) * scale) + 1)
    origin = (float(-low[0] * scale), float(high[1] * scale))
    x = ((np.arange(size[0], dtype=np.float32) + 0.5 - origin[0]) / scale)[None, :]
    y = ((origin[1] - np.arange(size[1], dtype=np.float32) - 0.5) / scale)[:, None]
    x, y = np.broadcast_arrays(x, y)
    alpha, edge = _coverage(wing, scale, size, origin)
    # No pattern of a living wing follows its coordinates exactly.
    wander = 0.012 * soft_noise(rng, (size[1], size[0]), 9)
    depth, inner = _around(wing, np.zeros(2, np.float32), x, y)
    out, outer = _around(wing, _focus(wing), x, y)
    # Near the root the veins run together there, farther out they fan from the cell.
    fan = inner + (outer - inner) * step(depth - 0.45, 0.6)
    vein = fan * wing.cells + wander * 2
    length = float(np.hypot(*np.diff(_margin(wing), axis=0).T).sum())
    room = 0.5 * length / wing.cells * np.clip(out, 0.15, 1.1)
    return Field(
        x, y, depth + wander, vein, room, edge + 0.3 * wander, inner, outer, alpha, wing.cells,
        scale, origin,
    )  # fmt: skip


def _margin(wing: Curve) -> Floats:
    return wing.plain[(wing.along >= 0) & (wing.along < 1)]


def _focus(wing: Curve) -> Floats:
    """The point in the discal cell from which the outer veins radiate."""
    point: Floats = _margin(wing).mean(axis=0) * np.float32(0.38)
    return point


def _around(wing: Curve, centre: Floats, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Distance from `centre` as a share of the outline's, and the outline's `along` there."""
    # Clockwise from the side of the root, where the outline starts and ends.
    place = wing.plain - centre
    at_root = float(np.hypot(*place[0])) < 0.06
    ahead = -_margin(wing).mean(axis=0) if at_root else place[0]
    start = np.arctan2(ahead[1], ahead[0])
    known = np.hypot(place[:, 0], place[:, 1]) > 0.06  # directions mean nothing at the centre
    place, rim = place[known], wing.along[known]
    turn = np.mod(start - np.arctan2(place[:, 1], place[:, 0]), 2 * np.pi)
    order = np.argsort(turn)
    here = np.mod(start - np.arctan2(y - centre[1], x - centre[0]), 2 * np.pi)
    steps = np.linspace(0, 2 * np.pi, 721, dtype=np.float32)
    reach = np.interp(steps, turn[order], np.hypot(place[:, 0], place[:, 1])[order])
    along = np.interp(steps, turn[order], np.maximum.accumulate(rim[order]))
    # A table with even steps makes the look-up an index instead of a search.
    spot = here * np.float32(720 / (2 * np.pi))
    index = np.minimum(spot.astype(np.int32), 719)  # a full turn may round up
    share = spot - index
    radius = reach[index] * (1 - share) + reach[index + 1] * share
    position = along[index] * (1 - share) + along[index + 1] * share
    out = np.hypot(x - centre[0], y - centre[1]) / np.maximum(radius, 0.02)
    return np.asarray(out, np.float32), np.asarray(position, np.float32)


def _coverage(
    wing: Curve, scale: float, size: tuple[int, int], origin: tuple[float, float]
) -> tuple[Floats, Floats]:
    """Antialiased coverage and the distance inside the margin, in forewing lengths."""
    points = wing.points * [scale, -scale] + origin
    sheet = Image.new("L", (size[0] * 3, size[1] * 3))
    ImageDraw.Draw(sheet).polygon([tuple(point * 3) for point in points], fill=255)
    alpha = np.asarray(sheet.reduce(3), np.float32) / 255
    inside = distance_transform_edt(np.asarray(sheet.reduce(6)) > 127).astype(np.float32)
    small = Image.fromarray(inside).resize(size, Image.Resampling.BILINEAR)
    return alpha, np.asarray(small, np.float32) * np.float32(2 / scale)
