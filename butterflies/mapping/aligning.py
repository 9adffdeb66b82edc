"""Two maps of the same specimens laid over each other: turned, mirrored, never distorted."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import orthogonal_procrustes

Points = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Similarity:
    """A turn, perhaps a mirroring, a change of size and a shift.

    Attributes:
        middle: (2,) of the points to move.
        turn: (2, 2), orthogonal.
        scale: their change of size.
        target: (2,) where the middle comes to lie.
    """

    middle: Points
    turn: Points
    scale: float
    target: Points

    def __call__(self, points: Points) -> Points:
        return np.asarray(self.scale * (points - self.middle) @ self.turn + self.target)


def similarity(moving: Points, fixed: Points, scaled: bool = False) -> Similarity:
    """What lays points upon others so that the squares of the distances left add up to least.

    Orthogonal Procrustes (Schönemann, 1966).

    Args:
        moving: (n, 2), n > 0.
        fixed: (n, 2), where they shall lie.
        scaled: whether their size may change, too.
    """
    middle, target = moving.mean(axis=0), fixed.mean(axis=0)
    turn, kept = orthogonal_procrustes(moving - middle, fixed - target)
    size = float(((moving - middle) ** 2).sum())
    return Similarity(middle, turn, float(kept) / size if scaled and size else 1.0, target)


def drift(points: Points, before: Points) -> Points:
    """How far each point (n, 2) lies from where it was, over the map's width.

    The map before is laid upon this one and takes its size: 0 = stayed, 0.5 = half the map away.
    """
    width = float(np.ptp(points, axis=0).max())
    moved = similarity(before, points, scaled=True)(before) - points
    return np.asarray(np.hypot(*moved.T) / width if width else np.zeros(len(points)))
