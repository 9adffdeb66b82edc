from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from butterflies.errors import UserError
from butterflies.files import read_json, write_json
from butterflies.rendering.embedded import open_embedding
from butterflies.rendering.growing import open_rendering
from butterflies.rendering.layout import Layout, lay_out
from butterflies.rendering.render import run
from butterflies.tables import ok_rows, read_table
from tests.test_render import embedded, settings
from tests.test_spread import overlaps_of

PX, TILE = 32, 128


def laid(folder: Path, how: str = "discs") -> tuple[Layout, Any]:
    embedding = open_embedding(folder)
    rooms = np.array([20 + int(asset_id[1:]) * 7 % 13 for asset_id in embedding.ids], np.float64)
    return lay_out(embedding, rooms, PX, TILE, 0.19, 0, how), rooms


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


def grown(folder: Path) -> Path:
    """The embedding of all, told to be made from that of fewer."""
    run_folder = embedded(folder)
    made = read_json(run_folder / "provenance.json")
    added = {"fingerprint": "fedcba9876543210", "added_to": {"fingerprint": made["fingerprint"]}}
    write_json(run_folder / "provenance.json", made | added)
    return run_folder


def placed(rendering: Path) -> dict[str, tuple[int, int]]:
    rows = ok_rows(read_table(rendering / "places.parquet", "render"))
    return {row["assetID"]: (row["place_x"], row["place_y"]) for row in rows}


def test_specimens_that_are_added_leave_the_others_where_they_are(tmp_path: Path) -> None:
    new = {f"b{number:02d}" for number in range(20, 26)}
    first = run(settings(embedded(tmp_path / "a", without=new), out=str(tmp_path / "first")))
    wanted = settings(grown(tmp_path / "b"), out=str(tmp_path / "more"), add_to=str(first))
    more = run(wanted)
    old, there = placed(first), placed(more)
    assert {asset_id: there[asset_id] for asset_id in old} == old
    assert set(there) - set(old) == new
    rooms = np.array([open_rendering(more).known(PX)[asset_id][1] for asset_id in sorted(there)])
    places = np.array([there[asset_id] for asset_id in sorted(there)], np.int32)
    assert overlaps_of(places, rooms) == []
    with pytest.raises(UserError, match="rendered with picture_px=32, not 64"):
        run(replace(wanted, picture_px=64, out=str(tmp_path / "other")))


def test_a_map_that_was_made_anew_keeps_no_places(tmp_path: Path) -> None:
    new = {"b20", "b21"}
    first = run(settings(embedded(tmp_path / "a", without=new), out=str(tmp_path / "first")))
    run_folder = embedded(tmp_path / "b")
    plain = run(settings(run_folder, out=str(tmp_path / "plain")))
    beside = run(settings(run_folder, out=str(tmp_path / "beside"), add_to=str(first)))
    assert placed(beside) == placed(plain)


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
