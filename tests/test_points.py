from pathlib import Path

import numpy as np
import pytest

from butterflies.rendering.points import (
    column_file,
    coverage_file,
    morton,
    points_file,
    representatives_file,
)
from tests.site_reader import read_column, read_coverage, read_points, read_representatives


def test_points_come_back_exactly(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 2**31 - 1, (2, 500))
    x[:4], y[:4] = (0, 2**31 - 1, 0, 64), (0, 0, 2**31 - 1, 63)
    (tmp_path / "points.bin").write_bytes(points_file(x, y))
    assert read_points(tmp_path / "points.bin") == list(zip(x.tolist(), y.tolist(), strict=True))


def test_no_points_at_all(tmp_path: Path) -> None:
    none = np.zeros(0, dtype=np.int64)
    (tmp_path / "points.bin").write_bytes(points_file(none, none))
    assert read_points(tmp_path / "points.bin") == []


def test_morton_keys_interleave_the_bits_x_first() -> None:
    x, y = np.array([0b101, 2**32 - 1, 1, 0]), np.array([0b011, 2**32 - 1, 0, 1])
    assert morton(x, y).tolist() == [0b011011, 2**64 - 1, 1, 2]


def test_a_tile_is_one_run_of_rows() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, 4096, (2, 3000))
    order = np.argsort(morton(x, y), kind="stable")
    tile = (x[order] // 512) + 8 * (y[order] // 512)
    assert np.count_nonzero(np.diff(tile)) == len(np.unique(tile)) - 1


@pytest.mark.parametrize("kinds", [3, 255, 256, 300])
def test_columns_come_back_with_their_counts(tmp_path: Path, kinds: int) -> None:
    values = [f"v{i % kinds}" for i in range(kinds * 2)] + ["v1", None, ""]
    data, ranked = column_file(values)
    (tmp_path / "column.bin").write_bytes(data)
    codes = read_column(tmp_path / "column.bin")
    assert [ranked[c - 1][0] if c else None for c in codes] == [v or None for v in values]
    assert ranked[0] == ("v1", 3)
    assert sum(count for _, count in ranked) == kinds * 2 + 1


def test_too_many_values_for_two_bytes_are_refused() -> None:
    with pytest.raises(ValueError, match="65536"):
        column_file([str(i) for i in range(65536)])


def test_coverage_and_representatives_come_back(tmp_path: Path) -> None:
    tiles = {0: {(0, 0)}, 1: {(1, 0), (0, 1)}, 2: set(), 3: {(7, 7), (0, 7), (3, 2)}}
    (tmp_path / "c").write_bytes(coverage_file(tiles))
    assert read_coverage(tmp_path / "c") == tiles
    drawn = [
        {"assetID": "b", "place_x": 70000, "place_y": 5, "size_px": 96, "members": 12},
        {"assetID": "a", "place_x": 1, "place_y": 2, "size_px": 40, "members": 1},
    ]
    (tmp_path / "r").write_bytes(representatives_file(drawn, {"a": 0, "b": 7}))
    assert read_representatives(tmp_path / "r") == [(7, 70000, 5, 96, 12), (0, 1, 2, 40, 1)]
