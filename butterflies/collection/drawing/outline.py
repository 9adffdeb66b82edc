"""Wing outlines: closed curves from a handful of shape parameters.

All lengths are in forewing lengths (base to apex = 1); the wing root is the origin, x points away
from the body, y towards the head.  Everything describes the right wing; left wings are mirrored.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from butterflies.collection.drawing.texture import Floats

COSTA, MARGIN, INNER = 90, 150, 70  # samples along the three edges of a wing


@dataclass(frozen=True)
class Tail:
    """A tooth or tail of the outer margin: at fraction `at` from apex to tornus."""

    at: float
    width: float
    length: float
    lean: float = 0.0  # sideways bend of the tip, in lengths
    club: float = 0.0  # how much the tip widens


@dataclass(frozen=True)
class Outline:
    """The shape of one wing; angles in degrees, lengths in forewing lengths."""

    apex: tuple[float, float]  # (angle above the horizontal, length)
    tornus: tuple[float, float]
    arch: float = 0.1  # bulge of the costa
    bulge: float = 0.05  # bulge of the outer margin, negative for a hollow one
    hook: float = 0.0  # hollow below the apex: a falcate wing
    square: float = 1.0  # below 1 the outer margin is a fuller arc
    belly: float = 0.05  # bulge of the inner margin
    scallop: float = 0.0  # depth of the notches between the vein ends
    cells: int = 7  # spaces between veins along the outer margin
    soft: float = 3.0  # rounding of the corners, in samples
    tails: tuple[Tail, ...] = ()

    def varied(self, rng: np.random.Generator, amount: float) -> Outline:
        """Return a near relative of this shape; `amount` is a relative standard deviation."""
        stretch = 1 + amount * rng.standard_normal(6)
        tails = tuple(
            replace(tail, length=tail.length * (1 + 2 * amount * rng.standard_normal()))
            for tail in self.tails
        )
        return replace(
            self,
            apex=(self.apex[0], self.apex[1] * stretch[0]),
            tornus=(self.tornus[0], self.tornus[1] * stretch[1]),
            arch=self.arch * stretch[2],
            bulge=self.bulge * stretch[3],
            hook=self.hook * stretch[4],
            scallop=self.scallop * stretch[5],
            tails=tails,
        )


@dataclass(frozen=True)
class Curve:
    """A sampled outline: `points` (n, 2), the plain curve without teeth, and `along` (n,).

    `along` runs from about -0.5 at the root over the costa to 0 at the apex, 1 at the tornus, and
    1.4 back at the root.
    """

    points: Floats
    plain: Floats
    along: Floats
    cells: int


def curve(shape: Outline) -> Curve:
    """Sample the outline of a wing, with and without its teeth, tails, and scallops."""
    apex, tornus = _polar(*shape.apex), _polar(*shape.tornus)
    costa = _arc(np.zeros(2), apex, shape.arch, COSTA, skew=0.75)
    inner = _arc(tornus, np.zeros(2), shape.belly, INNER, skew=1.2)
    margin = _margin(shape, apex, tornus)
    plain = _smooth(np.concatenate([costa, margin, inner]), shape.soft)
    edge = plain[COSTA : COSTA + MARGIN]
    toothed = plain.copy()
    toothed[COSTA : COSTA + MARGIN] = edge + _teeth(shape, edge)
    along = np.concatenate(
        [
            np.linspace(-0.5, 0, COSTA, endpoint=False),
            np.linspace(0, 1, MARGIN, endpoint=False),
            np.linspace(1, 1.4, INNER, endpoint=False),
        ]
    )
    points = _smooth(toothed, 0.7)
    return Curve(points, plain.astype(np.float32), along.astype(np.float32), shape.cells)


def _polar(degrees: float, length: float) -> Floats:
    angle = np.deg2rad(degrees)
    return np.array([np.cos(angle), np.sin(angle)], np.float32) * np.float32(length)


def _normal(start: Floats, end: Floats) -> Floats:
    """The unit vector to the left of the way from start to end: outwards, going round so."""
    way = end - start
    return np.array([-way[1], way[0]], np.float32) / max(float(np.hypot(*way)), 1e-6)


def _arc(start: Floats, end: Floats, bulge: float, count: int, skew: float) -> Floats:
    t = np.linspace(0, 1, count, endpoint=False)[:, None]
    bow = bulge * np.sin(np.pi * t**skew)
    return np.asarray(start + (end - start) * t + _normal(start, end) * bow, np.float32)


def _margin(shape: Outline, apex: Floats, tornus: Floats) -> Floats:
    t = np.linspace(0, 1, MARGIN, endpoint=False)[:, None]
    lift = shape.bulge * np.sin(np.pi * t) ** shape.square
    hollow = shape.hook * np.exp(-(((t - 0.33) / 0.2) ** 2)) * (1 - np.exp(-((t / 0.12) ** 2)))
    return np.asarray(apex + (tornus - apex) * t + _normal(apex, tornus) * (lift - hollow))


def _smooth(points: Floats, sigma: float) -> Floats:
    smoothed: Floats = gaussian_filter1d(points, sigma, axis=0, mode="wrap")
    return np.asarray(smoothed, np.float32)


def _teeth(shape: Outline, edge: Floats) -> Floats:
    """Displacements (MARGIN, 2) of the outer margin that make scallops, teeth, and tails."""
    t = np.linspace(0, 1, MARGIN, endpoint=False)
    way = np.gradient(edge, axis=0)
    way /= np.maximum(np.hypot(way[:, 0], way[:, 1]), 1e-6)[:, None]
    out = np.stack([-way[:, 1], way[:, 0]], axis=1)
    fade = np.clip(np.minimum(t, 1 - t) * 8, 0, 1)
    notch = np.abs(np.sin(np.pi * t * shape.cells)) * fade
    move: Floats = -shape.scallop * notch[:, None] * out
    for tail in shape.tails:
        move = move + _tail(tail, t, edge, out)
    return move


def _tail(tail: Tail, t: Floats, edge: Floats, out: Floats) -> Floats:
    centre = min(int(tail.at * MARGIN), MARGIN - 1)
    offset = (t - tail.at) / tail.width
    power = 2.0 if tail.length < 0.12 else 2.6  # short ones are pointed, long ones parallel-sided
    reach = np.exp(-(np.abs(offset) ** power))
    ahead, aside = out[centre], np.array([out[centre, 1], -out[centre, 0]])
    bend = tail.lean * reach**2
    widen = tail.club * np.clip(reach * 1.6 - 0.6, 0, 1) * np.sign(offset) * tail.width
    narrow = -(edge - edge[centre]) @ aside * 0.5 * np.clip(reach, 0, 1) * (tail.length >= 0.12)
    sideways = bend + narrow + widen
    return np.asarray(reach[:, None] * tail.length * ahead + sideways[:, None] * aside)
