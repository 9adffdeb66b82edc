from itertools import combinations
from typing import Any

import numpy as np
import pytest

from butterflies.mapping.spread import fit, map_size, overlapping, separate, spread


def shape(name: str, n: int, seed: int) -> Any:
    random = np.random.default_rng(seed)
    along = np.arange(n, dtype=float)
    clusters = random.normal(0, 10, (5, 2))[random.integers(0, 5, n)]
    shapes = {
        "normal": random.normal(size=(n, 2)),
        "dense clusters": clusters + random.normal(0, 0.1, (n, 2)),
        "equal": np.full((n, 2), 7.0),
        "pairs": np.repeat(random.normal(size=((n + 1) // 2, 2)), 2, axis=0)[:n],
        "line": np.stack([along, 2 * along], axis=1),
        "column": np.stack([np.zeros(n), along], axis=1),
        "outlier": np.concatenate([random.normal(size=(n, 2))[1:], [[1e4, 0.0]]]),
    }
    return shapes[name]


def overlaps_of(places: Any, diameters: Any) -> list[tuple[int, int]]:
    """As CONTRACTS says it, pair by pair, in whole numbers."""
    return [
        (i, j)
        for i, j in combinations(range(len(places)), 2)
        if 4 * sum((int(a) - int(b)) ** 2 for a, b in zip(places[i], places[j], strict=True))
        < (diameters[i] + diameters[j]) ** 2
    ]


SHAPES = ["normal", "dense clusters", "equal", "pairs", "line", "column", "outlier"]


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("n", [1, 2, 3, 30, 200])
def test_no_two_pictures_overlap(name: str, n: int) -> None:
    for seed in range(3):
        random = np.random.default_rng(seed)
        diameters = random.uniform(20, 180, n) if seed else np.full(n, 128.0)
        _, map_px = map_size(n, 128, 512)
        places, frames = spread(shape(name, n, seed), diameters, map_px, seed, margin=90)
        assert places.dtype == np.int32
        assert overlaps_of(places.tolist(), diameters) == []
        assert places.min() >= 90
        assert places.max() <= map_px - 90
        assert np.array_equal(frames[-1], places)


def test_random_inputs_never_overlap() -> None:
    random = np.random.default_rng(11)
    for _ in range(40):
        n = int(random.integers(1, 120))
        xy = random.normal(size=(n, 2)) * random.choice([1e-9, 1.0, 1e6], 2)
        diameters = random.uniform(1, 150, n)
        places, _ = spread(xy, diameters, map_size(n, 128, 256)[1], int(random.integers(99)))
        assert overlaps_of(places.tolist(), diameters) == []


def test_a_crowded_map_is_filled_from_the_nearest_free_places() -> None:
    points = np.full((40, 2), 500.0)
    places, _ = separate(points, np.full(40, 100.0), 1000, seed=0, margin=50)
    assert len(overlapping(places, np.full(40, 100.0))) == 0


def test_a_map_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="too small"):
        separate(np.zeros((50, 2)), np.full(50, 100.0), 400, seed=0, margin=50)


def test_same_seed_same_places() -> None:
    xy, diameters = shape("dense clusters", 150, 0), np.full(150, 120.0)
    first, second = (spread(xy, diameters, 4096, seed=5)[0] for _ in range(2))
    assert np.array_equal(first, second)


def test_the_scale_is_the_same_in_x_and_y() -> None:
    xy = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 1.0]])
    placed = fit(xy, 4096, 100)
    across, down = placed[1, 0] - placed[0, 0], placed[2, 1] - placed[0, 1]
    assert across == pytest.approx(4 * down)
    assert placed[2, 1] > placed[0, 1]  # y stays down


def test_points_with_room_stay_where_they_are() -> None:
    grid = np.stack(np.meshgrid(np.arange(10.0), np.arange(10.0)), axis=-1).reshape(-1, 2)
    diameters = np.full(100, 100.0)
    places, _ = spread(grid, diameters, 4096, margin=64)
    assert np.abs(places - fit(grid, 4096, 64)).max() < 5


def test_clusters_move_little() -> None:
    xy, diameters = shape("normal", 300, 1), np.full(300, 122.0)
    _, map_px = map_size(300, 128, 512)
    places, _ = spread(xy, diameters, map_px, margin=90)
    moved = np.hypot(*(places - fit(xy, map_px, 90)).T) / 128
    assert moved.mean() < 0.3


def test_no_points() -> None:
    places, frames = spread(np.zeros((0, 2)), np.zeros(0), 512)
    assert places.shape == (0, 2)
    assert frames == []


@pytest.mark.parametrize(
    ("n", "zoom", "width"), [(150_000, 8, 131_072), (2300, 5, 16_384), (600, 4, 8192), (1, 0, 512)]
)
def test_map_size_grows_with_the_specimens(n: int, zoom: int, width: int) -> None:
    assert map_size(n, 128, 512) == (zoom, width)


def test_the_map_is_three_pictures_wide_at_least() -> None:
    assert map_size(1, 256, 256) == (2, 1024)
