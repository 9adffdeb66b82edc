from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from butterflies.scores.masks import boundary_f, dice, iou, summarise


def square(left: int, top: int, side: int = 10) -> npt.NDArray[np.bool_]:
    mask = np.zeros((40, 40), dtype=bool)
    mask[top : top + side, left : left + side] = True
    return mask


def test_half_a_square_apart() -> None:
    assert iou(square(10, 10), square(15, 10)) == pytest.approx(50 / 150)
    assert dice(square(10, 10), square(15, 10)) == pytest.approx(100 / 200)


@pytest.mark.parametrize("score", [iou, dice, boundary_f])
def test_the_best_and_the_worst(score: Callable[..., float]) -> None:
    empty = np.zeros((40, 40), dtype=bool)
    assert score(square(5, 5), square(5, 5)) == 1
    assert score(square(0, 0), square(25, 25)) == 0
    assert score(empty, empty) == 1
    assert score(square(5, 5), empty) == 0


def test_the_boundary_forgives_two_pixels_and_not_three() -> None:
    assert boundary_f(square(10, 10), square(12, 10)) == 1
    assert boundary_f(square(10, 10), square(13, 10)) < 1


def test_the_worst_twentieth() -> None:
    found = summarise([0.5, 0.1] + [1.0] * 38)
    assert found.n == 40
    assert found.worst == pytest.approx(0.3)
    assert found.mean == pytest.approx(38.6 / 40)
    with pytest.raises(ValueError, match="no mask"):
        summarise([])
