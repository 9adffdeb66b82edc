"""How far the pictures were moved, and whether they kept their neighbours."""

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

ASKED = 20_000
"""No more pictures than this are asked for their neighbours."""

NEIGHBOURS = 10

Points = npt.NDArray[np.generic]


def displacement(before: Points, after: Points, px: float) -> dict[str, float]:
    """What `render` tells of the places it found.

    Args:
        before: (n, 2), n > 0, as the projection has them, on the map.
        after: (n, 2) places.
        px: width of a picture.

    Returns:
        moved_mean, moved_p95, moved_max: how far, in picture widths; and neighbours_kept: the
        mean share of a picture's ten nearest that are still among its ten nearest, over 20,000
        pictures at most; not there when there are fewer than three pictures.
    """
    far = np.hypot(*(after.astype(np.float64) - before.astype(np.float64)).T) / px
    told = {
        "moved_mean": float(far.mean()),
        "moved_p95": float(np.quantile(far, 0.95)),
        "moved_max": float(far.max()),
    }
    if len(before) > 2:
        told["neighbours_kept"] = _kept(before, after)
    return {name: round(value, 4) for name, value in told.items()}


def _kept(before: Points, after: Points) -> float:
    k = min(NEIGHBOURS, len(before) - 1)
    asked = np.unique(np.linspace(0, len(before) - 1, ASKED).astype(np.intp))
    old, new = (_nearest(points.astype(np.float64), asked, k) for points in (before, after))
    return float((old[:, :, None] == new[:, None, :]).any(axis=2).mean())


def _nearest(points: npt.NDArray[np.float64], asked: npt.NDArray[np.intp], k: int) -> Points:
    """The numbers (m, k) of the k points nearest to each that is asked, itself left out."""
    _, found = cKDTree(points).query(points[asked], k + 1)
    itself = found == asked[:, None]
    itself[~itself.any(axis=1), -1] = True  # so many lie on it that it is not among them
    return np.asarray(found[~itself].reshape(-1, k))
