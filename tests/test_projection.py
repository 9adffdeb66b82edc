from typing import Any

import numpy as np
import pytest

from butterflies.mapping.projection import PCA, TSNE, UMAP, Projection

QUICK: list[Projection] = [TSNE(iterations=30), UMAP(), PCA()]


def clusters(n: int, seed: int = 0) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    label = np.arange(n) % 3
    centres = random.normal(0, 10, (3, 16))
    return (centres[label] + random.normal(0, 1, (n, 16))).astype(np.float32), label


@pytest.mark.parametrize("projection", QUICK, ids=lambda p: type(p).__name__)
def test_same_seed_same_points_for_any_workers(projection: Projection) -> None:
    codes, _ = clusters(45)
    one = projection.project(codes, seed=3, workers=1)
    two = projection.project(codes, seed=3, workers=2)
    assert one.shape == (45, 2)
    assert one.dtype == np.float64
    assert np.array_equal(one, two)


@pytest.mark.parametrize("projection", QUICK, ids=lambda p: type(p).__name__)
def test_neighbours_stay_neighbours(projection: Projection) -> None:
    codes, label = clusters(60)
    points = projection.project(codes)
    far = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    np.fill_diagonal(far, np.inf)
    assert (label[far.argmin(axis=1)] == label).mean() > 0.95


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5, 6, 12])
@pytest.mark.parametrize("projection", QUICK, ids=lambda p: type(p).__name__)
def test_few_specimens_and_equal_codes(projection: Projection, n: int) -> None:
    codes, _ = clusters(n)
    for given in (codes, np.zeros_like(codes)):
        points = projection.project(given)
        assert points.shape == (n, 2)
        assert np.isfinite(points).all()


def test_a_lowered_perplexity_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    TSNE(iterations=10).project(clusters(10)[0])
    assert "Perplexity 30 is too high for 10 specimens: 3.0 used." in capsys.readouterr().out


def test_one_dimensional_codes() -> None:
    points = PCA().project(np.arange(5, dtype=np.float32)[:, None])
    assert np.ptp(points[:, 0]) == 4
    assert not points[:, 1].any()
