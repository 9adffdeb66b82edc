from typing import Any

import numpy as np
import pytest

from butterflies.mapping.crowds import FULL, thinned

LOW, HIGH, WIDE = 100.0, 8100.0, 50.0


def too_many(points: Any, cell: float = 200.0) -> Any:
    """The part of the points that find no room in the cell that they lie in."""
    _, number = np.unique(np.floor((points - LOW) / cell), axis=0, return_inverse=True)
    room = FULL * cell**2 / (np.pi / 4 * WIDE**2)
    return np.maximum(np.bincount(number.ravel()) - room, 0).sum() / len(points)


def crowds(n: int) -> Any:
    random = np.random.default_rng(3)
    centres = random.uniform(2000, 6000, (6, 2))
    return centres[random.integers(0, 6, n)] + random.normal(0, 150, (n, 2))


def moved(points: Any) -> Any:
    return thinned(points, np.full(len(points), WIDE), LOW, HIGH)


def test_no_ground_is_left_that_holds_far_more_than_it_can() -> None:
    points = crowds(4000)
    assert too_many(points) > 0.5
    assert too_many(moved(points)) < 0.08


def test_points_with_room_stay_to_the_last_bit() -> None:
    side = np.arange(300.0, 8000, 100)
    points = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    assert np.array_equal(moved(points), points)


def test_a_crowd_moves_nobody_who_stands_far_from_it() -> None:
    alone = np.array([[7000.0, 7000.0], [1000.0, 7000.0]])
    points = np.concatenate([crowds(4000), alone])
    assert np.allclose(moved(points)[-2:], alone)


@pytest.mark.parametrize("n", [500, 5000])
def test_points_on_one_spot_become_a_full_disc(n: int) -> None:
    shift = np.random.default_rng(0).normal(0, 0.5, (n, 2))
    far = np.hypot(*(moved(4100 + shift) - 4100).T)
    radius = WIDE / 2 * np.sqrt(n / FULL)
    assert np.quantile(far, 0.98) == pytest.approx(radius, rel=0.15)
    assert np.median(far) == pytest.approx(radius / np.sqrt(2), rel=0.15)


def test_crowds_stay_within_the_box() -> None:
    points = np.full((3000, 2), LOW) + np.random.default_rng(0).uniform(0, 50, (3000, 2))
    places = moved(points)
    assert places.min() >= LOW
    assert places.max() <= HIGH
    assert too_many(places) < 0.08


def test_a_box_that_is_too_small_is_left_to_others() -> None:
    points = np.random.default_rng(0).uniform(LOW, LOW + 300, (100, 2))
    assert np.array_equal(thinned(points, np.full(100, WIDE), LOW, LOW + 300), points)
