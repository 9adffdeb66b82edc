from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from butterflies.errors import UserError
from butterflies.mapping.placing import overlapping
from butterflies.mapping.spread import (
    fit,
    grid_size,
    map_size,
    separate,
    spread,
    spread_added,
    spread_grid,
    spread_none,
)

PROPERTY = settings(deadline=None, derandomize=True, database=None, max_examples=60)


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


SHAPES = ["normal", "dense clusters", "equal", "pairs", "line", "column", "outlier"]


@st.composite
def pictures(draw: st.DrawFn) -> tuple[Any, Any]:
    """Points, some of them equal or nearly so, far apart or on a line; and diameters."""
    n = draw(st.integers(1, 60))
    few = st.sampled_from([-1e6, -1.0, 0.0, 1e-9, 1.0, 3.5])
    values = st.one_of(few, st.floats(-1e6, 1e6, allow_subnormal=False))
    xy = draw(arrays(np.float64, (n, 2), elements=values))
    scale = draw(st.sampled_from([1e-9, 1.0, 1e6]))
    wide = draw(arrays(np.float64, n, elements=st.floats(0, 170), fill=st.just(128.0)))
    return xy * [scale, 1.0], wide


def overlaps_of(places: Any, diameters: Any) -> list[tuple[int, int]]:
    """As the contract says it, pair by pair, in whole numbers."""
    return [
        (i, j)
        for i, j in combinations(range(len(places)), 2)
        if 4 * sum((int(a) - int(b)) ** 2 for a, b in zip(places[i], places[j], strict=True))
        < (diameters[i] + diameters[j]) ** 2
    ]


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


@PROPERTY
@given(pictures())
def test_whatever_the_points_and_sizes_no_two_pictures_overlap(drawn: tuple[Any, Any]) -> None:
    xy, diameters = drawn
    _, map_px = map_size(len(xy), 128, 256)
    places, _ = spread(xy, diameters, map_px, margin=64)
    assert overlaps_of(places.tolist(), diameters) == []
    assert places.min() >= 64
    assert places.max() <= map_px - 64
    again, _ = spread(xy, diameters, map_px, margin=64)
    assert np.array_equal(places, again)


@PROPERTY
@given(pictures(), st.integers(0, 2**32 - 1), st.floats(0, 0.9))
def test_pictures_that_are_added_move_no_other(
    drawn: tuple[Any, Any], seed: int, share: float
) -> None:
    xy, diameters = drawn
    _, map_px = map_size(2 * len(xy), 128, 256)
    added = np.random.default_rng(seed).random(len(xy)) < share
    added[0] = False
    kept = np.full((len(xy), 2), -1, np.int32)
    kept[~added], _ = spread(xy[~added], diameters[~added], map_px, margin=64)
    places, frames = spread_added(xy, diameters, map_px, 64, kept)
    assert np.array_equal(places[~added], kept[~added])
    assert overlaps_of(places.tolist(), diameters) == []
    assert np.array_equal(frames[0][~added], kept[~added])


def test_an_added_picture_lies_beside_its_twin() -> None:
    xy, n = shape("dense clusters", 400, 0), 400
    _, map_px = map_size(n, 128, 512)
    kept, frames = spread(xy, np.full(n, 128.0), map_px, margin=90)
    twin = int(np.hypot(*(kept - frames[0]).T).argmax())  # one that was moved far
    both = np.concatenate([xy, xy[[twin]] + 1e-7])
    there = np.concatenate([kept, [[-1, -1]]]).astype(np.int32)
    places, _ = spread_added(both, np.full(n + 1, 128.0), map_px, 90, there)
    apart = np.hypot(*(places[:-1] - places[-1]).T)
    near_twin = np.hypot(*(kept - kept[twin]).T)
    assert apart[twin] <= np.sort(near_twin)[-1]
    assert np.hypot(*(places[-1] - kept[twin])) < np.hypot(*(places[-1] - frames[0][twin]))


def test_an_added_picture_with_room_lies_where_the_old_scale_puts_it() -> None:
    xy = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [4.0, 4.0]])
    kept = np.array([[500, 500], [3500, 500], [500, 3500], [-1, -1]], np.int32)
    places, _ = spread_added(xy, np.full(4, 100.0), 4096, 50, kept)
    assert places[-1].tolist() == [1700, 1700]


def test_kept_pictures_that_overlap_are_told() -> None:
    kept = np.array([[500, 500], [550, 500], [-1, -1]], np.int32)
    with pytest.raises(UserError, match="1 pairs of pictures overlap on the earlier map"):
        spread_added(np.eye(3)[:, :2], np.full(3, 100.0), 1024, 50, kept)


@PROPERTY
@given(pictures())
def test_a_grid_is_filled_without_gaps(drawn: tuple[Any, Any]) -> None:
    xy, diameters = drawn
    n = len(xy)
    _, map_px = grid_size(n, float(diameters.max()), 64, 256)
    places, _ = spread_grid(xy, np.maximum(diameters, 1), map_px, 64)
    assert overlaps_of(places.tolist(), diameters) == []
    assert places.min() >= 64
    assert places.max() <= map_px - 64
    columns = int(np.ceil(np.sqrt(n)))
    corner, pitch = places.min(axis=0), int(np.ceil(max(diameters.max(), 1)))
    cells = (places - corner) // pitch
    assert sorted((int(y), int(x)) for x, y in cells) == [divmod(i, columns) for i in range(n)]


@pytest.mark.parametrize("n", [100, 1600])
def test_a_grid_keeps_a_grid_as_it_is(n: int) -> None:
    side = int(np.sqrt(n))
    grid = np.stack(np.divmod(np.arange(n), side), axis=1).astype(float)
    order = np.random.default_rng(0).permutation(n)
    _, map_px = grid_size(n, 100, 64, 256)
    places, _ = spread_grid(grid[order], np.full(n, 100.0), map_px, 64)
    assert np.array_equal(places - places.min(axis=0), 100 * grid[order])


def test_a_grid_keeps_neighbours_together() -> None:
    xy = shape("normal", 1500, 0)
    _, map_px = grid_size(1500, 100, 64, 256)
    places, _ = spread_grid(xy, np.full(1500, 100.0), map_px, 64)
    across, down = (np.corrcoef(xy[:, axis], places[:, axis])[0, 1] for axis in (0, 1))
    assert min(across, down) > 0.9


def test_a_grid_needs_a_map_that_takes_it() -> None:
    with pytest.raises(ValueError, match="too small"):
        spread_grid(np.random.default_rng(0).normal(size=(30, 2)), np.full(30, 100.0), 512, 50)


def test_unmoved_points_are_scaled_and_rounded_only() -> None:
    xy = shape("dense clusters", 50, 0)
    places, frames = spread_none(xy, 2048, 90)
    assert np.abs(places - fit(xy, 2048, 90)).max() <= 0.5
    assert len(frames) == 1


def test_a_crowded_map_is_filled_from_the_nearest_free_places() -> None:
    points = np.full((40, 2), 500.0)
    places, _ = separate(points, np.full(40, 100.0), 1000, seed=0, margin=50)
    assert len(overlapping(places, np.full(40, 100.0))) == 0


def test_a_map_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="too small"):
        separate(np.zeros((50, 2)) + 200, np.full(50, 100.0), 400, seed=0, margin=50)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_points_that_lie_nowhere_are_told(bad: float) -> None:
    xy = shape("normal", 30, 0)
    xy[4, 1] = xy[9, 0] = bad
    for how in (spread, spread_grid):
        with pytest.raises(UserError, match="2 of 30 points of the map are not finite"):
            how(xy, np.full(30, 100.0), 4096, 64)


def test_same_seed_same_places() -> None:
    xy, diameters = shape("pairs", 150, 0), np.full(150, 120.0)
    first, second, other = (spread(xy, diameters, 4096, seed=s)[0] for s in (5, 5, 6))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


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
    assert np.abs(places - fit(grid, 4096, 64)).max() <= 0.5


def test_clusters_move_little() -> None:
    xy, diameters = shape("normal", 300, 1), np.full(300, 122.0)
    _, map_px = map_size(300, 128, 512)
    places, _ = spread(xy, diameters, map_px, margin=90)
    moved = np.hypot(*(places - fit(xy, map_px, 90)).T) / 128
    assert moved.mean() < 0.25


def test_points_on_one_spot_become_a_round_heap() -> None:
    n = 2000
    places, _ = spread(np.zeros((n, 2)), np.full(n, 128.0), 16_384)
    far = np.hypot(*(places - places.mean(axis=0)).T)
    assert far.max() < 1.25 * 64 * np.sqrt(n)  # the least a disc of them could be is 1.05


@pytest.mark.parametrize("how", [spread, spread_grid])
def test_no_points(how: Any) -> None:
    places, _ = how(np.zeros((0, 2)), np.zeros(0), 512, 0)
    assert places.shape == (0, 2)


@pytest.mark.parametrize(
    ("n", "zoom", "width"), [(150_000, 8, 131_072), (2300, 5, 16_384), (600, 4, 8192), (1, 0, 512)]
)
def test_map_size_grows_with_the_specimens(n: int, zoom: int, width: int) -> None:
    assert map_size(n, 128, 512) == (zoom, width)


def test_the_map_is_three_pictures_wide_at_least() -> None:
    assert map_size(1, 256, 256) == (2, 1024)
