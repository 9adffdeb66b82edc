"""How well a mask agrees with the true one.

IoU (Jaccard, 1912), Dice (1945) and the boundary F measure of Csurka et al. (2013), "What is a
good evaluation measure for semantic segmentation?".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_dilation, binary_erosion, distance_transform_edt

Mask = npt.NDArray[np.bool_]


def iou(mask: Mask, truth: Mask) -> float:
    """Intersection over union of two masks (height, width), 0 to 1; two empty masks agree: 1.

    >>> iou(np.array([[True, True]]), np.array([[True, False]]))
    0.5
    """
    union = np.count_nonzero(mask | truth)
    return np.count_nonzero(mask & truth) / union if union else 1.0


def dice(mask: Mask, truth: Mask) -> float:
    """Twice the intersection over the sum of the areas, 0 to 1; two empty masks agree: 1.

    >>> round(dice(np.array([[True, True]]), np.array([[True, False]])), 3)
    0.667
    """
    total = np.count_nonzero(mask) + np.count_nonzero(truth)
    return 2 * np.count_nonzero(mask & truth) / total if total else 1.0


def boundary_f(mask: Mask, truth: Mask, tolerance_px: float = 2.0) -> float:
    """F measure of the outlines: a point counts that lies within `tolerance_px` of the other one.

    Args:
        mask: the predicted mask (height, width).
        truth: the true mask (height, width).
        tolerance_px: how far apart two outlines may lie, in pixels.

    Returns:
        0 to 1; two masks without an outline agree: 1.
    """
    ours, theirs = _outline(mask), _outline(truth)
    if not ours.any() or not theirs.any():
        return float(ours.any() == theirs.any())
    precision = float(np.mean(distance_transform_edt(~theirs)[ours] <= tolerance_px))
    recall = float(np.mean(distance_transform_edt(~ours)[theirs] <= tolerance_px))
    total = precision + recall
    return 2 * precision * recall / total if total else 0.0


@dataclass(frozen=True)
class MaskScore:
    """A score over many photographs.

    Attributes:
        mean: over all of them.
        worst: over the worst 5 %, at least one.
        n: how many there are.
    """

    mean: float
    worst: float
    n: int


def summarise(values: Sequence[float]) -> MaskScore:
    """Mean and mean of the worst 5 % of one score per photograph.

    Raises:
        ValueError: there is no value.
    """
    if not values:
        raise ValueError("There is no mask to score.")
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    worst = ordered[: max(1, round(len(ordered) * 0.05))]
    return MaskScore(float(ordered.mean()), float(worst.mean()), len(ordered))


def outline(mask: Mask, width_px: int = 1) -> Mask:
    """The pixels just outside a mask, `width_px` wide: for pictures that show where it ends."""
    return np.asarray(binary_dilation(mask, iterations=width_px) & ~mask)


def _outline(mask: Mask) -> Mask:
    """The mask's own pixels that touch the outside; the picture's border is no outline."""
    return np.asarray(mask & ~binary_erosion(mask, border_value=1))
