from typing import Any

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from butterflies.encoding.neighbours import nearest
from butterflies.mapping import trust as module
from butterflies.mapping.trust import COLUMNS, Trust, nearest_points, told, trust

N = 90


def codes_and_points(n: int = N, seed: int = 0) -> tuple[Any, Any]:
    """Codes, and two of their directions with some noise: a map that is neither good nor bad."""
    random = np.random.default_rng(seed)
    codes = random.normal(size=(n, 6)).astype(np.float32)
    return codes, codes[:, :2] + random.normal(0, 0.5, (n, 2))


def scored(codes: Any, points: Any, **given: Any) -> Trust:
    n = len(codes)
    told_ = {"genera": [None] * n, "specimens": range(n), **given}
    return trust(codes, points, nearest(codes).rows, **told_)


def test_trustworthiness_and_continuity_are_those_of_scikit_learn() -> None:
    codes, points = codes_and_points()
    scores = scored(codes, points).scores
    exact = codes.astype(np.float64)
    assert scores["map/trustworthiness"] == pytest.approx(
        trustworthiness(exact, points, n_neighbors=12), abs=1e-9
    )
    assert scores["map/continuity"] == pytest.approx(
        trustworthiness(points, exact, n_neighbors=12), abs=1e-9
    )


def test_recall_is_the_share_of_similar_specimens_that_lie_near() -> None:
    codes, points = codes_and_points()
    near = [set(row) for row in nearest(codes).rows.tolist()]
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    beside = [set(row) for row in np.argsort(apart, axis=1)[:, :12].tolist()]
    expected = [len(a & b) / 12 for a, b in zip(near, beside, strict=True)]
    assert scored(codes, points).columns["knn_recall"].tolist() == pytest.approx(expected)


def test_a_map_that_is_the_codes_is_perfect_and_a_shuffled_one_is_not() -> None:
    codes = codes_and_points()[0][:, :2]
    perfect = scored(codes, codes.astype(np.float64))
    assert all((perfect.columns[name] == 1).all() for name in COLUMNS[:3])
    shuffled = scored(codes, np.random.default_rng(1).permutation(codes).astype(np.float64))
    assert shuffled.scores["map/trustworthiness"] < 0.7
    assert shuffled.scores["map/knn_recall"] < 0.3


def test_the_specimen_laid_in_the_wrong_place_has_the_lowest_scores() -> None:
    codes = codes_and_points()[0][:, :2]
    points = codes.astype(np.float64)
    order = np.argsort(points[:, 0])
    points[order[0]] = points[order[-1]] + 0.01
    found = scored(codes, points)
    for name in ("trustworthiness", "continuity"):
        assert found.columns[name].argmin() == order[0]


def test_purity_counts_neighbours_of_known_genus_and_of_other_specimens() -> None:
    line = np.arange(9, dtype=np.float64)[:, None] * [1.0, 0.0]  # four neighbours count
    genera = ["A", "A", "A", None, "B", "B", "B", "B", "B"]
    found = scored(line.astype(np.float32), line, genera=genera)
    purity = found.columns["genus_purity"]
    assert purity[0] == pytest.approx(2 / 3)  # 1 2 3 4, of which 3 is unknown
    assert np.isnan(purity[3])
    assert purity[8] == 1
    assert np.array_equal(purity, found.columns["genus_purity_codes"], equal_nan=True)
    assert found.scores["map/genus_purity_chance"] == pytest.approx((3 * 2 + 5 * 4) / (8 * 7))
    same = scored(line.astype(np.float32), line, genera=genera, specimens=[0, 0, 0, *range(3, 9)])
    assert same.columns["genus_purity"][0] == 0  # its own photographs do not vouch for it


def test_without_a_known_genus_there_is_no_purity() -> None:
    found = scored(*codes_and_points())
    assert np.isnan(found.columns["genus_purity"]).all()
    assert not [name for name in found.scores if "genus" in name]
    assert len(told(found.scores, N)) == 1


def test_of_very_many_a_sample_is_ranked_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    codes, points = codes_and_points()
    whole = scored(codes, points)
    monkeypatch.setattr(module, "SAMPLE", 30)
    monkeypatch.setattr(module, "BLOCK_CELLS", 7 * N)
    part = scored(codes, points)
    for name in ("trustworthiness", "continuity"):
        known = np.isfinite(part.columns[name])
        assert known.sum() == 30
        assert np.array_equal(part.columns[name][known], whole.columns[name][known])
    assert np.array_equal(part.columns["knn_recall"], whole.columns["knn_recall"])
    assert "of 30 specimens drawn by lot" in told(part.scores, N)[0]
    assert "drawn by lot" not in told(whole.scores, N)[0]


@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_specimens_have_no_scores(n: int) -> None:
    found = scored(*codes_and_points(n))
    assert found.scores == {}
    assert told(found.scores, n) == []
    assert all(np.isnan(values).all() and len(values) == n for values in found.columns.values())


@pytest.mark.parametrize("n", [3, 4, 24, 25])
def test_a_few_specimens_have_scores_from_0_to_1(n: int) -> None:
    found = scored(*codes_and_points(n))
    for name in COLUMNS[:3]:
        assert ((found.columns[name] >= 0) & (found.columns[name] <= 1)).all()


def test_equal_codes_and_points_are_no_error() -> None:
    found = scored(np.zeros((30, 3), np.float32), np.zeros((30, 2)))
    assert found.scores["map/trustworthiness"] == 1
    assert all(row not in near for row, near in enumerate(nearest_points(np.zeros((30, 2)), 5)))
