from typing import Any

import numpy as np
import pytest

from butterflies.encoding.neighbours import nearest
from butterflies.errors import UserError
from butterflies.mapping import tsne
from butterflies.mapping.projection import PCA, Precomputed, Projection, sought
from butterflies.mapping.tsne import TSNE
from butterflies.mapping.umap import UMAP

QUICK: list[Projection] = [TSNE(iterations=30), UMAP(), PCA()]
OTHERS: list[Projection] = [
    TSNE(iterations=30, metric="cosine"),
    UMAP(densmap=True),
    TSNE(iterations=30, learning_rate=20.0),
]


def named(projection: Projection) -> str:
    return type(projection).__name__


def clusters(n: int, seed: int = 0) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    label = np.arange(n) % 3
    centres = random.normal(0, 10, (3, 16))
    return (centres[label] + random.normal(0, 1, (n, 16))).astype(np.float32), label


def kept(points: Any, label: Any) -> float:
    """How many points lie nearest to one of their own cluster."""
    far = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    np.fill_diagonal(far, np.inf)
    return float((label[far.argmin(axis=1)] == label).mean())


@pytest.mark.parametrize("projection", QUICK, ids=named)
def test_same_seed_same_points_for_any_workers(projection: Projection) -> None:
    codes, _ = clusters(45)
    one = projection.project(codes, seed=3, workers=1)
    two = projection.project(codes, seed=3, workers=2)
    assert one.shape == (45, 2)
    assert one.dtype == np.float64
    assert np.array_equal(one, two)


@pytest.mark.parametrize("projection", [*QUICK, *OTHERS], ids=repr)
def test_neighbours_stay_neighbours(projection: Projection) -> None:
    codes, label = clusters(60)
    assert kept(projection.project(codes), label) > 0.95


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5, 6, 12])
@pytest.mark.parametrize("projection", QUICK, ids=named)
def test_few_specimens_and_equal_codes(projection: Projection, n: int) -> None:
    codes, _ = clusters(n)
    for given in (codes, np.zeros_like(codes)):
        points = projection.project(given)
        assert points.shape == (n, 2)
        assert np.isfinite(points).all()


@pytest.mark.parametrize("projection", QUICK, ids=named)
def test_neighbours_found_before_give_the_same_points(projection: Projection) -> None:
    codes, _ = clusters(45)
    near = nearest(codes, projection.neighbours(45) + 3)
    assert np.array_equal(projection.project(codes, near=near), projection.project(codes))


def test_cosine_does_not_see_how_long_codes_are() -> None:
    codes, _ = clusters(45)
    longer = codes * np.random.default_rng(0).choice([1, 2, 4], (45, 1)).astype(np.float32)
    near = sought(codes, 10, "cosine", nearest(codes, 10), 0, 1)
    again = sought(longer, 10, "cosine", None, 0, 1)
    assert np.array_equal(near.rows, again.rows)
    first, other = codes[0].astype(float), codes[near.rows[0, 0]].astype(float)
    cosine = first @ other / np.linalg.norm(first) / np.linalg.norm(other)
    assert near.distances[0, 0] == pytest.approx(1 - cosine, rel=1e-4)


def test_one_may_watch_the_points_move() -> None:
    seen: dict[int, Any] = {}
    codes, _ = clusters(45)
    points = TSNE(iterations=100, frames_every=80).project(codes, watch=seen.__setitem__)
    assert list(seen) == [80, 160, 240, tsne.EARLY + 80]
    assert len({frame.tobytes() for frame in seen.values()}) == len(seen)
    assert np.abs(seen[330] - points).max() < np.abs(seen[80] - points).max()


@pytest.mark.parametrize("projection", [TSNE(iterations=300), UMAP()], ids=named)
def test_a_map_to_start_from_gives_a_map_like_it(projection: Projection) -> None:
    codes, label = clusters(90)
    corners = np.array([[0.0, 0.0], [9.0, 0.0], [4.0, 9.0]])
    start = corners[label] + np.random.default_rng(0).normal(size=(90, 2))
    points = projection.project(codes, start=start)
    middles = np.array([points[label == number].mean(axis=0) for number in range(3)])
    angles = [np.arctan2(*(m - m.mean(axis=0)).T) for m in (middles, corners)]
    turned = np.abs(np.angle(np.exp(1j * (angles[0][:, None] - angles[1]))))
    assert turned.argmin(axis=1).tolist() == [0, 1, 2]  # each towards its own corner


@pytest.mark.parametrize("projection", [*QUICK, *OTHERS[:2], Precomputed()], ids=repr)
def test_further_codes_are_placed_in_their_cluster(projection: Projection) -> None:
    codes, label = clusters(90)
    known = np.arange(90) < 75
    points = np.empty((90, 2))
    of_known = codes[known, :2] if isinstance(projection, Precomputed) else codes[known]
    points[known] = projection.project(of_known)
    before = points[known].copy()
    points[~known] = projection.place(codes[known], points[known], codes[~known])
    assert np.array_equal(points[known], before)
    assert kept(points, label) > 0.9


def test_tsne_places_each_as_if_it_came_alone() -> None:
    codes, _ = clusters(80)
    projection = TSNE(iterations=100)
    points = projection.project(codes[:70])
    together = projection.place(codes[:70], points, codes[70:])
    alone = [projection.place(codes[:70], points, codes[[row]])[0] for row in range(70, 80)]
    assert np.allclose(together, alone, atol=1e-6)


def test_pca_places_others_where_it_would_have_on_a_turned_map_too() -> None:
    codes, _ = clusters(60)
    points = PCA().project(codes)
    turned = points @ np.array([[0.0, 1.0], [1.0, 0.0]]) + 5
    assert np.allclose(PCA().place(codes, turned, codes[:7]), turned[:7], atol=1e-4)


@pytest.mark.parametrize("known", [1, 2, 6])
@pytest.mark.parametrize("projection", QUICK, ids=named)
def test_placing_none_and_placing_among_few(projection: Projection, known: int) -> None:
    codes, _ = clusters(8)
    points = projection.project(codes[:known])
    assert projection.place(codes[:known], points, codes[:0]).shape == (0, 2)
    for more in (codes[known:], np.repeat(codes[:1], 3, axis=0)):
        assert np.isfinite(projection.place(codes[:known], points, more)).all()


def test_a_lowered_perplexity_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    TSNE(iterations=10).project(clusters(10)[0])
    assert "Perplexity 30 is too high for 10 specimens: 3.0 used." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("kind", "given", "sentence"),
    [
        (TSNE, {"perplexity": 0}, "projection.perplexity=0 is no number above 0"),
        (TSNE, {"learning_rate": "fast"}, "projection.learning_rate=fast"),
        (TSNE, {"frames_every": -1}, "projection.frames_every=-1"),
        (TSNE, {"metric": "taxicab"}, "projection.metric=taxicab"),
        (UMAP, {"n_neighbors": 1}, "projection.n_neighbors=1"),
        (UMAP, {"min_dist": 2}, "projection.min_dist=2"),
    ],
)
def test_values_without_sense_are_said(kind: Any, given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        kind(**given)


def test_one_dimensional_codes() -> None:
    points = PCA().project(np.arange(5, dtype=np.float32)[:, None])
    assert np.ptp(points[:, 0]) == 4
    assert not points[:, 1].any()
