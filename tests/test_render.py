from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from butterflies.collection.records import table_of, write_records
from butterflies.errors import UserError
from butterflies.files import write_json
from butterflies.rendering.render import RenderSettings, run
from butterflies.tables import from_rows, read_table, schema, write_table
from tests.cutout_sets import blob, write_cutouts

N = 40
REASON = "No specimen was found."


def embedded(folder: Path, n: int = N) -> Path:
    """A collection of `n` blobs and one empty photograph, and an embedding of them."""
    ids = [f"b{number:02d}" for number in range(n)]
    pictures = {asset_id: blob(number, 64) for number, asset_id in enumerate(ids)}
    collection = folder / "collection"
    write_cutouts(collection, pictures, others={"empty": ("no_specimen", REASON)})
    records = [
        {"assetID": i, "status": "ok", "specimen": i, "genus": f"G{k % 4}", "family": "F"}
        for k, i in enumerate([*ids, "empty"])
    ]
    write_records(collection, table_of(records))
    random = np.random.default_rng(0)
    rows: list[dict[str, Any]] = [
        {"assetID": i, "status": "ok", "x": x, "y": y, "code": [x, y, 1.0]}
        for i, (x, y) in zip(ids, random.normal(size=(n, 2)).tolist(), strict=True)
    ]
    rows.append({"assetID": "empty", "status": "no_specimen", "reason": REASON})
    run_folder = folder / "embedding"
    points = schema(pa.field("x", pa.float64()), pa.field("y", pa.float64()))
    write_table(run_folder / "map.parquet", from_rows(rows, points))
    codes = schema(pa.field("code", pa.list_(pa.float32(), 3)))
    write_table(run_folder / "codes.parquet", from_rows(rows, codes))
    made = {
        "job": "embed",
        "status": "finished",
        "fingerprint": "0123456789abcdef",
        "collection": str(collection),
        "cutouts": {"name": "cutouts", "fingerprint": "mark"},
    }
    write_json(run_folder / "provenance.json", made)
    return run_folder


def settings(run_folder: Path, **changes: Any) -> RenderSettings:
    plain = RenderSettings(
        map=str(run_folder), out="out", picture_px=32, tile_px=128, format="png", workers=1
    )
    return replace(plain, **changes)


def files(folder: Path) -> dict[str, bytes]:
    found = (f for f in folder.rglob("*") if f.is_file() and f.name != "provenance.json")
    return {str(f.relative_to(folder)): f.read_bytes() for f in found}


def test_a_render_leaves_tables_plots_and_a_site(tmp_path: Path) -> None:
    place = run(settings(embedded(tmp_path)))
    assert {path.name for path in place.iterdir()} == {
        *("places.parquet", "representatives.parquet", "plots", "site", "provenance.json")
    }
    assert {path.name for path in (place / "plots").iterdir()} == {
        *("genus.png", "family.png", "sex.png", "spread.webp")
    }
    assert (place / "site" / "map.json").is_file()
    places = read_table(place / "places.parquet", "render").to_pylist()
    assert len(places) == N + 1
    left_out = next(row for row in places if row["assetID"] == "empty")
    assert (left_out["status"], left_out["reason"]) == ("no_specimen", REASON)
    assert left_out["place_x"] is None
    representatives = read_table(place / "representatives.parquet", "render").to_pylist()
    first = {row["assetID"]: row["first_zoom"] for row in places}
    assert representatives
    assert all(first[row["assetID"]] <= row["zoom"] for row in representatives)


def test_the_same_is_skipped_and_anew_gives_the_same_bytes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_folder = embedded(tmp_path)
    before = files(run(settings(run_folder)))
    run(settings(run_folder))
    assert "Nothing changed" in capsys.readouterr().out
    assert files(run(settings(run_folder, force=True))) == before


def test_a_collection_that_moved_is_found_where_the_user_says(tmp_path: Path) -> None:
    run_folder = embedded(tmp_path)
    (tmp_path / "collection").rename(tmp_path / "élsewhere, moved")
    with pytest.raises(UserError, match="collection=DIR"):
        run(settings(run_folder))
    place = run(settings(run_folder, collection=str(tmp_path / "élsewhere, moved")))
    assert (place / "site" / "map.json").is_file()


def test_cutouts_that_changed_are_not_mixed_up(tmp_path: Path) -> None:
    run_folder = embedded(tmp_path)
    write_cutouts(tmp_path / "collection", {"b00": blob(9)}, mark="another")
    with pytest.raises(UserError, match="have changed since"):
        run(settings(run_folder))


def test_a_single_specimen_has_a_map(tmp_path: Path) -> None:
    place = run(settings(embedded(tmp_path, 1)))
    assert read_table(place / "places.parquet", "render").num_rows == 2


def test_no_specimen_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no specimen on its map"):
        run(settings(embedded(tmp_path, 0)))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"map": None}, "map= is missing"),
        ({"map": "nowhere"}, "holds no finished embedding"),
        ({"picture_px": 33}, "no even number"),
        ({"tile_px": 300}, "tile_px=300"),
        ({"format": "gif"}, "format=gif"),
    ],
)
def test_wrong_settings_are_said(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        run(settings(Path("missing"), **change))
