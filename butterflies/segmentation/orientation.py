"""Which way up a specimen lies, and whether it lacks a wing."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from butterflies.segmentation.symmetry import SIDE, candidates, layers, refined, upright

Mask = npt.NDArray[np.bool_]
Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

CERTAIN = 0.5
"""With less confidence a specimen stays as it lies."""

_SURE = 0.95
"""Less confidence does not turn a specimen upside down: photographs that are so are rarer than
heads taken for tails, of torn specimens and of moths with long tails."""

_DOWN = 120  # degrees: less is rather lying than upside down
_NOISE = 1.0  # degrees

_WEIGHTS = {"overlap": 6.2, "pattern": 8.0, "breadth": 5.2, "tips": 4.5, "reach": 5.6}
"""Fitted as a conditional logit (McFadden, 1974) to 691 museum pictures of training specimens, and,
at a tenth of the weight, to half of them again with noise and with one wing cut off."""

_ALIKE = (0.8, 1.25)
"""Overlap + pattern: of closed wings, seen from the side, mostly about the lower end; of spread
ones, even if one is missing, mostly beyond the upper."""

_LEAST_PX = 100  # a smaller mask has no shape to speak of
_NICK = 3  # of the SIDE pixels: thinner differences are nicks, or wings set at other angles
_WING = 0.15  # of both halves laid on each other: what shows of a wing of middling size

_Y, _X = np.mgrid[:SIDE, :SIDE].astype(np.float32) - np.float32((SIDE - 1) / 2)


@dataclass(frozen=True)
class Orientation:
    """How a specimen lies.

    Attributes:
        rotation: degrees counter-clockwise on screen to apply to bring it upright, head up,
            (-180, 180].
        confidence: 0 to 1, that `rotation` is right to within a few degrees.
        asymmetry: 1 - IoU of the mask with its mirror image about the best axis, 0 to 1.
        damage: 0 to 1, high when a wing or a large part of one is missing on one side.
    """

    rotation: float
    confidence: float
    asymmetry: float
    damage: float

    @property
    def turn(self) -> float:
        """The rotation that is worth applying, in degrees.

        None without confidence; the photograph's way up where only the axis is clear; and none by
        less than the error of the estimate, which would only blur: nearly upright stays as it is,
        nearly a quarter turn becomes one.
        """
        if self.confidence < CERTAIN:
            return 0.0
        turn = self.rotation
        if abs(turn) > _DOWN and self.confidence < _SURE:
            turn += 180 if turn < 0 else -180
        quarter = 90.0 * round(turn / 90)
        turn = quarter if abs(turn - quarter) < _NOISE else turn
        return turn if turn > -180 else 180.0


NOTHING = Orientation(0.0, 0.0, 0.0, 0.0)
"""What an empty or tiny mask tells."""


def orientation(picture: Pixels, mask: Mask) -> Orientation:
    """How a specimen with spread wings lies.

    The axis is the one about which mask and grey levels are most nearly their own mirror image;
    among the best axes, and their two ends, a fixed linear rule chooses (see `_features`).

    Args:
        picture: the photograph (height, width, 3).
        mask: the specimen's (height, width).

    Returns:
        NOTHING for a mask that is empty or too small to tell.
    """
    if np.count_nonzero(mask) < _LEAST_PX:
        return NOTHING
    specimen = layers(picture, mask)
    found = candidates(specimen)
    features = [_features(upright(specimen, axis)) for axis in found]
    scores = np.array([[_score(one, 1), _score(one, -1)] for one in features])
    chances = np.exp(scores - scores.max())
    best, down = np.unravel_index(int(chances.argmax()), chances.shape)
    axis = refined(specimen, found[best])
    soft = upright(specimen, axis)[0]
    rotation = 180 - (180 - axis.turn - 180 * int(down)) % 360
    alike = features[best]["overlap"] + features[best]["pattern"]
    alike = np.interp(alike, _ALIKE, (0, 1))
    confidence = alike * chances.max() / chances.sum()
    return Orientation(float(rotation), float(confidence), _asymmetry(soft), _damage(soft))


def _score(features: dict[str, float], head: int) -> float:
    """Of an axis whose head end is up (1) or down (-1)."""
    turns = {"tips", "reach"}
    return sum(_WEIGHTS[k] * v * (head if k in turns else 1) for k, v in features.items())


def _features(specimen: Floats) -> dict[str, float]:
    """What tells a butterfly's axis from others, and its head from its tail.

    Lengths are in roots of the area of both halves laid on each other, so that a wing missing on
    one side does not count.

    Returns:
        overlap: IoU of the halves. pattern: agreement of the grey levels where both are, at most
        1. breadth: log of width over height: spread wings are broader than long. tips: height of
        the outermost tenth over the middle of the length: the forewings' tips lie farthest out,
        and high. reach: height of what lies farthest from the centroid, over it: the
        forewings' tips again, since hindwings are rounder and shorter.
    """
    soft, pattern = specimen
    both, either = np.minimum(soft, soft[:, ::-1]), np.maximum(soft, soft[:, ::-1])
    paired = pattern * (both > 0.5)
    inside = either > min(0.5, either.max() / 2)  # of threads no pixel is half covered
    unit = np.sqrt(float(either.sum()))
    out, up = np.abs(_X[inside]) / unit, -_Y[inside] / unit
    high, low = float(up.max()), float(up.min())
    centre = float((either * -_Y).sum() / either.sum()) / unit
    away = np.hypot(out, up - centre)
    return {
        "overlap": float(both.sum() / either.sum()),
        "pattern": float((paired * paired[:, ::-1]).sum() / max(1e-6, (paired**2).sum())),
        "breadth": float(np.log(2 * out.max() / (high - low + 1 / unit))),
        "tips": float(up[out >= np.quantile(out, 0.9)].mean()) - (high + low) / 2,
        "reach": float(up[away >= np.quantile(away, 0.95)].mean()) - centre,
    }


def _asymmetry(soft: Floats) -> float:
    mirrored = soft[:, ::-1]
    return float(1 - np.minimum(soft, mirrored).sum() / np.maximum(soft, mirrored).sum())


def _damage(soft: Floats) -> float:
    """From the largest compact piece that one half has and the other lacks."""
    lacking = ndimage.binary_opening(soft - soft[:, ::-1] > 0.5, iterations=_NICK)
    pieces, count = ndimage.label(lacking)
    if not count:
        return 0.0
    largest = np.bincount(pieces.ravel())[1:].max()
    either = np.maximum(soft, soft[:, ::-1]).sum()
    return float(min(1.0, largest / (_WING * either)))
