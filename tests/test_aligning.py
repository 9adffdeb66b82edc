from typing import Any

import numpy as np
import pytest

from butterflies.mapping.aligning import drift, similarity
from butterflies.mapping.fitting import RARE, fit, sample
from butterflies.mapping.projection import PCA

RANDOM = np.random.default_rng(0)


def turned(points: Any, angle: float, mirror: bool) -> Any:
    c, s = np.cos(angle), np.sin(angle)
    return points @ np.array([[c, -s], [s, c]]) * [-1 if mirror else 1, 1]


@pytest.mark.parametrize("mirror", [False, True])
def test_a_map_turned_mirrored_and_shifted_comes_back(mirror: bool) -> None:
    points = RANDOM.normal(size=(40, 2))
    other = turned(points, 1.1, mirror) + np.array([3, -8])
    assert np.allclose(similarity(other, points)(other), points)


def test_size_is_kept_unless_it_may_change() -> None:
    points = RANDOM.normal(size=(40, 2))
    other = 7 * turned(points, 0.4, False)
    assert np.allclose(similarity(other, points, scaled=True)(other), points)
    kept = similarity(other, points)(other)
    assert np.allclose(kept.std(axis=0), 7 * points.std(axis=0))


def test_drift_is_over_the_width_of_the_map_and_does_not_see_size() -> None:
    before = RANDOM.uniform(-1, 1, (400, 2))
    points = 30 * before
    assert drift(points, before).max() < 1e-12
    points[0] += [0.25 * np.ptp(points[:, 0]), 0]
    moved = drift(points, before)
    assert moved.argmax() == 0
    assert moved[0] == pytest.approx(0.25, abs=0.03)
    assert np.median(moved) < 0.01


@pytest.mark.parametrize("n", [1, 2, 5])
def test_points_all_in_one_place_have_not_drifted(n: int) -> None:
    points = np.ones((n, 2))
    assert drift(points, points + 4).tolist() == [0] * n
    assert np.allclose(similarity(points, points + 4)(points), points + 4)


def test_a_sample_holds_rare_genera_whole_and_others_by_lot() -> None:
    genera = ["common"] * 900 + [f"rare{n}" for n in range(10) for _ in range(9)] + [None] * 10
    rows = sample(genera, 300, seed=1)
    drawn = [genera[row] for row in rows]
    assert len(set(rows.tolist())) == 300
    assert rows.tolist() == sorted(rows.tolist())
    assert drawn.count(None) == 10
    assert all(drawn.count(f"rare{n}") == 9 for n in range(10))
    assert drawn.count("common") == 200
    assert rows.tolist() == sample(genera, 300, seed=1).tolist()
    assert rows.tolist() != sample(genera, 300, seed=2).tolist()


def test_where_there_is_no_room_every_genus_has_as_much() -> None:
    genera = [f"genus{n}" for n in range(20) for _ in range(2 * RARE)]
    rows = sample(genera, 100, seed=0)
    assert {[genera[row] for row in rows].count(f"genus{n}") for n in range(20)} == {5}


def test_very_many_are_fitted_by_a_sample_and_the_others_placed_among_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    codes = (RANDOM.normal(size=(300, 5)) * [5, 3, 1, 1, 1]).astype(np.float32)
    genera = ["a"] * 200 + ["b"] * 100
    whole, part = (fit(PCA(), codes, genera, at_most) for at_most in (300, 200))
    assert "200 of 300 specimens are projected" in capsys.readouterr().out
    laid = similarity(part, whole)(part)
    assert np.abs(laid - whole).max() < 0.2 * np.ptp(whole)
    rows = sample(genera, 200, 0)
    assert np.array_equal(part[rows], PCA().project(codes[rows]))
