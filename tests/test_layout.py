from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from butterflies.errors import UserError
from butterflies.files import read_json, write_json
from butterflies.rendering.embedded import open_embedding
from butterflies.rendering.layout import Kept, Layout, lay_out, read_kept
from butterflies.rendering.render import run
from butterflies.tables import ok_rows, write_table
from tests.test_render import embedded, settings
from tests.test_spread import overlaps_of

PX, TILE = 32, 128


def laid(folder: Path, how: str = "discs", kept: Kept | None = None) -> tuple[Layout, Any]:
    embedding = open_embedding(folder)
    rooms = np.array([20 + int(asset_id[1:]) * 7 % 13 for asset_id in embedding.ids], np.float64)
    return lay_out(embedding, rooms, PX, TILE, 0, how, kept), rooms


@pytest.mark.parametrize("how", ["discs", "grid"])
def test_no_two_pictures_of_a_layout_overlap(tmp_path: Path, how: str) -> None:
    layout, rooms = laid(embedded(tmp_path), how)
    assert overlaps_of(layout.places, rooms) == []
    assert layout.moved["moved_max"] >= layout.moved["moved_mean"] > 0


def test_nothing_is_moved_where_it_shall_not_be(tmp_path: Path) -> None:
    layout, rooms = laid(embedded(tmp_path), "none")
    assert overlaps_of(layout.places, rooms)
    assert layout.moved["moved_max"] < 1 / PX
    assert layout.moved["neighbours_kept"] > 0.9


def test_specimens_that_are_added_leave_the_others_where_they_are(tmp_path: Path) -> None:
    new = {f"b{number:02d}" for number in range(20, 26)}
    before, _ = laid(embedded(tmp_path / "a", without=new))
    write_table(tmp_path / "places.parquet", before.table)
    made = {"zoom": before.zoom, "picture_px": PX, "tile_px": TILE}
    write_json(tmp_path / "site" / "map.json", made)
    after, rooms = laid(embedded(tmp_path / "b"), kept=read_kept(tmp_path, PX, TILE))
    assert after.zoom == before.zoom
    assert overlaps_of(after.places, rooms) == []
    there = {row["assetID"]: (row["place_x"], row["place_y"]) for row in ok_rows(after.table)}
    old = {row["assetID"]: (row["place_x"], row["place_y"]) for row in ok_rows(before.table)}
    assert {asset_id: there[asset_id] for asset_id in old} == old
    assert set(there) - set(old) == new
    with pytest.raises(UserError, match="rendered with picture_px=32, not 64"):
        read_kept(tmp_path, 64, TILE)


def test_a_map_without_any_of_the_specimens_keeps_nothing(tmp_path: Path) -> None:
    folder = embedded(tmp_path)
    fresh, _ = laid(folder)
    beside, _ = laid(folder, kept=Kept(9, {"other": (5, 5)}))
    assert np.array_equal(fresh.places, beside.places)
    assert fresh.zoom == beside.zoom


@pytest.mark.parametrize("how", ["grid", "none"])
def test_a_render_may_set_pictures_in_a_grid_or_leave_them(tmp_path: Path, how: str) -> None:
    place = run(replace(settings(embedded(tmp_path)), spread=how, out=str(tmp_path / "out")))
    assert (place / "site" / "map.json").is_file()
    assert (place / "plots" / "spread.webp").is_file()


def test_a_render_tells_how_far_it_moved_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = run(settings(embedded(tmp_path), out=str(tmp_path / "out")))
    told = read_json(place / "provenance.json")["scores"]
    assert 0 < told["map/moved_mean"] <= told["map/moved_p95"] <= told["map/moved_max"]
    assert 0 < told["map/neighbours_kept"] <= 1
    assert "Pictures were moved by" in capsys.readouterr().out


def test_a_way_to_spread_that_there_is_not_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="spread=squares is none of discs, grid, none"):
        run(settings(embedded(tmp_path), spread="squares"))
