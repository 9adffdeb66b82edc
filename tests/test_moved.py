import numpy as np
import pytest

from butterflies.mapping.moved import displacement

POINTS = np.random.default_rng(0).uniform(0, 1000, (200, 2))


def test_a_shift_is_told_in_picture_widths_and_keeps_all_neighbours() -> None:
    told = displacement(POINTS, POINTS + np.array([30, 40]), 10)
    assert told == {"moved_mean": 5, "moved_p95": 5, "moved_max": 5, "neighbours_kept": 1}


def test_one_that_moves_far_is_the_most_and_changes_the_mean() -> None:
    after = POINTS.copy()
    after[7] += [0, 5000]
    told = displacement(POINTS, after, 100)
    assert (told["moved_mean"], told["moved_p95"], told["moved_max"]) == (0.25, 0, 50)
    assert 0.85 < told["neighbours_kept"] < 1


def test_places_by_lot_keep_few_neighbours() -> None:
    told = displacement(POINTS, np.random.default_rng(1).permutation(POINTS), 1)
    assert told["neighbours_kept"] == pytest.approx(10 / 199, abs=0.03)


def test_equal_points_have_neighbours_too() -> None:
    places = np.stack([np.arange(30), np.zeros(30)], axis=1)
    assert 0 < displacement(np.zeros((30, 2)), places, 1)["neighbours_kept"] <= 1


@pytest.mark.parametrize("n", [1, 2])
def test_too_few_have_no_neighbours_to_keep(n: int) -> None:
    assert "neighbours_kept" not in displacement(POINTS[:n], POINTS[:n], 1)
