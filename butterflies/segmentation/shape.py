"""What the shape of a mask tells about a cut-out."""

import numpy as np
import numpy.typing as npt
from scipy.spatial import ConvexHull

Mask = npt.NDArray[np.bool_]


def touches_border(mask: Mask) -> bool:
    """Whether the specimen may go on beyond the photograph."""
    return bool(mask[[0, -1]].any() or mask[:, [0, -1]].any())


def corners(mask: Mask) -> npt.NDArray[np.float64]:
    """Where the hull of a mask may have its corners: (n, 2), x and y, at the ends of its rows.

    A pixel is a square: its corners, not its centre, span the hull.
    """
    rows = np.flatnonzero(mask.any(axis=1))
    first = mask[rows].argmax(axis=1)
    last = mask.shape[1] - mask[rows, ::-1].argmax(axis=1)
    pairs = [(x, y) for x in (first, last) for y in (rows, rows + 1)]
    return np.concatenate([np.stack(pair, axis=1) for pair in pairs]).astype(np.float64)


def solidity(mask: Mask) -> float:
    """Area of a mask over the area of its convex hull, 0 to 1."""
    return float(np.count_nonzero(mask) / ConvexHull(corners(mask)).volume)
