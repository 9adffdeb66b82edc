"""What the shape of a mask tells about a cut-out."""

import numpy as np
import numpy.typing as npt
from scipy.spatial import ConvexHull

Mask = npt.NDArray[np.bool_]


def touches_border(mask: Mask) -> bool:
    """Whether the specimen may go on beyond the photograph."""
    return bool(mask[[0, -1]].any() or mask[:, [0, -1]].any())


def asymmetry(mask: Mask) -> float:
    """1 - IoU of a mask with its mirror image, left and right swapped about its box; 0 to 1."""
    columns = np.flatnonzero(mask.any(axis=0))
    part = mask[:, columns[0] : columns[-1] + 1]
    mirrored = part[:, ::-1]
    return 1 - np.count_nonzero(part & mirrored) / np.count_nonzero(part | mirrored)


def solidity(mask: Mask) -> float:
    """Area of a mask over the area of its convex hull, 0 to 1."""
    rows = np.flatnonzero(mask.any(axis=1))
    first = mask[rows].argmax(axis=1)
    last = mask.shape[1] - mask[rows, ::-1].argmax(axis=1)
    # A pixel is a square: its corners, not its centre, span the hull.
    corners = [(x, y + d) for x in (first, last) for y, d in ((rows, 0), (rows, 1))]
    points = np.concatenate([np.stack(pair, axis=1) for pair in corners])
    return float(np.count_nonzero(mask) / ConvexHull(points).volume)
