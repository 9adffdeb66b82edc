from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from butterflies.mapping.representatives import (
    SIZE_PX,
    WIDTHS_PX,
    drawn_room,
    first_zooms,
    representatives,
    widths_of,
)
from tests.test_spread import overlaps_of

ZOOM, TILE = 4, 512
N = 500


def layout(n: int = N, seed: int = 0) -> tuple[list[str], Any, Any, Any]:
    random = np.random.default_rng(seed)
    places = random.integers(500, TILE * 2**ZOOM - 500, (n, 2)).astype(np.int32)
    codes = np.concatenate([places / 1000, random.normal(size=(n, 6))], axis=1)
    ids = [f"b{number:04d}" for number in range(n)]
    return ids, places, codes.astype(np.float32), random.uniform(0.8, 1.3, n)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return list(representatives(*layout(), ZOOM, TILE).to_pylist())


def at(rows: list[dict[str, Any]], zoom: int) -> list[dict[str, Any]]:
    return [row for row in rows if row["zoom"] == zoom]


def test_they_are_drawn_while_pictures_are_small(rows: list[dict[str, Any]]) -> None:
    assert {row["zoom"] for row in rows} == {0, 1, 2}


def test_a_cluster_splits_into_up_to_four_that_share_its_members(
    rows: list[dict[str, Any]],
) -> None:
    assert sum(row["members"] for row in at(rows, 0)) == N
    for zoom in (1, 2):
        for parent in at(rows, zoom - 1):
            children = [row for row in at(rows, zoom) if row["parent"] == parent["cluster"]]
            assert 1 <= len(children) <= 4
            assert sum(child["members"] for child in children) == parent["members"]


def test_a_representative_stays_when_zooming_in(rows: list[dict[str, Any]]) -> None:
    for zoom in (1, 2):
        for parent in at(rows, zoom - 1):
            children = [row for row in at(rows, zoom) if row["parent"] == parent["cluster"]]
            assert [c["assetID"] for c in children].count(parent["assetID"]) == 1


def test_none_stands_twice_on_a_zoom(rows: list[dict[str, Any]]) -> None:
    for zoom in (0, 1, 2):
        ids = [row["assetID"] for row in at(rows, zoom)]
        assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("by_members", [False, True])
@pytest.mark.parametrize(("tile_px", "seed"), [(512, 0), (512, 1), (256, 2), (128, 3)])
def test_none_overlap_on_their_zoom(tile_px: int, seed: int, by_members: bool) -> None:
    ids, places, codes, rooms = layout(seed=seed)
    places //= TILE // tile_px
    room = dict(zip(ids, rooms, strict=True))
    found = representatives(ids, places, codes, rooms, ZOOM, tile_px, by_members).to_pylist()
    for zoom in range(ZOOM - 1):
        unit = 2 ** (ZOOM - zoom)
        here = at(found, zoom)
        drawn = [(row["place_x"] / unit, row["place_y"] / unit) for row in here]
        assert all(x == int(x) and y == int(y) for x, y in drawn)
        widths = np.array([row["size_px"] for row in here])
        needed = drawn_room(np.array([room[row["assetID"]] for row in here]), widths)
        assert overlaps_of(drawn, needed.tolist()) == []
        assert np.array(drawn).min() >= widths.max() / 2
        assert np.array(drawn).max() <= tile_px * 2**zoom - widths.max() / 2


def test_they_are_larger_where_they_stand_for_more_and_take_no_more_room() -> None:
    members = [1, 2, 10, 40, 500, 3000]
    widths = widths_of(members, by_members=True)
    assert (np.diff(widths) >= 0).all()
    assert widths[0] < SIZE_PX < widths[-1]
    assert (widths % 2 == 0).all()
    assert widths.max() <= WIDTHS_PX[1]
    assert (widths**2).mean() <= SIZE_PX**2
    assert set(widths_of([7, 7, 7], by_members=True)) == {SIZE_PX}
    assert set(widths_of(members, by_members=False)) == {SIZE_PX}


def test_the_one_chosen_is_nearest_the_mean_code() -> None:
    ids, places, codes, rooms = layout()
    one = representatives(ids, places // 16, codes, rooms, 2, 128).to_pylist()
    assert len(one) == 1  # a map of 128 px has room for one
    middle = codes.astype(float).mean(axis=0)
    assert one[0]["assetID"] == ids[int(((codes - middle) ** 2).sum(axis=1).argmin())]
    assert one[0]["members"] == N


def test_same_input_same_table() -> None:
    first, second = (representatives(*layout(), ZOOM, TILE) for _ in range(2))
    assert first.equals(second)


@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_few_or_equal_places(n: int) -> None:
    ids, places, codes, rooms = layout(n)
    for given in (places, np.full_like(places, 4000)):
        table = representatives(ids, given, codes, rooms, ZOOM, TILE)
        assert table.filter(pa.compute.equal(table["zoom"], 0)).num_rows >= 1


def test_first_zoom_is_where_a_picture_is_first_drawn(rows: list[dict[str, Any]]) -> None:
    ids = layout()[0]
    table = representatives(*layout(), ZOOM, TILE)
    found = dict(zip(ids, first_zooms(ids, table, ZOOM), strict=True))
    for asset_id, zoom in found.items():
        own = [row["zoom"] for row in rows if row["assetID"] == asset_id]
        assert zoom == (min(own) if own else ZOOM - 1)


def test_small_maps_have_none() -> None:
    ids, places, codes, rooms = layout(4)
    table = representatives(ids, places // 8, codes, rooms, 1, TILE)
    assert table.num_rows == 0
    assert first_zooms(ids, table, 1) == [0] * 4
