import math
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from butterflies.collection.records import read_records, table_of, write_records
from butterflies.encoding.neighbours import SCHEMA as NEIGHBOURS
from butterflies.errors import UserError
from butterflies.files import read_json, write_json
from butterflies.rendering.embedded import open_embedding
from butterflies.rendering.render import run
from butterflies.rendering.settings import RenderSettings
from butterflies.rendering.site import SiteSettings
from butterflies.rendering.sprites import Shadow
from butterflies.tables import from_rows, read_table, schema, write_table
from tests.cutout_sets import blob, write_cutouts

N = 40
REASON = "No specimen was found."
GONE = "The museum no longer lists it."


def embedded(folder: Path, n: int = N, without: Collection[str] = ()) -> Path:
    """A collection of `n` blobs and one empty photograph, and an embedding of them.

    Those named by `without` were never there; the others are as they would be beside them.
    """
    whole = [f"b{number:02d}" for number in range(n)]
    ids = [asset_id for asset_id in whole if asset_id not in without]
    pictures = {i: blob(number, 64) for number, i in enumerate(whole) if i in ids}
    collection = folder / "collection"
    write_cutouts(collection, pictures, others={"empty": ("no_specimen", REASON)})
    records = [
        {"assetID": i, "status": "ok", "specimen": i, "genus": f"G{k % 4}", "family": "F"}
        for k, i in enumerate([*whole, "empty"])
        if i not in without
    ]
    write_records(collection, table_of(records))
    random = np.random.default_rng(0)
    rows: list[dict[str, Any]] = [
        {"assetID": i, "status": "ok", "x": x, "y": y, "code": [x, y, 1.0]}
        for i, (x, y) in zip(whole, random.normal(size=(n, 2)).tolist(), strict=True)
        if i in ids
    ]
    for row in rows:
        number = whole.index(row["assetID"])
        near = whole[number + 1 : number + 6]
        row |= {"neighbour_ids": [i for i in near if i in ids], "distances": [1.0]}
    rows.append({"assetID": "empty", "status": "no_specimen", "reason": REASON})
    run_folder = folder / "embedding"
    points = schema(pa.field("x", pa.float64()), pa.field("y", pa.float64()))
    write_table(run_folder / "map.parquet", from_rows(rows, points))
    codes = schema(pa.field("code", pa.list_(pa.float32(), 3)))
    write_table(run_folder / "codes.parquet", from_rows(rows, codes))
    write_table(run_folder / "neighbours.parquet", from_rows(rows, NEIGHBOURS))
    made = {
        "job": "embed",
        "status": "finished",
        "fingerprint": "0123456789abcdef",
        "collection": str(collection),
        "cutouts": {"name": "cutouts", "fingerprint": "mark"},
    }
    write_json(run_folder / "provenance.json", made)
    return run_folder


def withdraw(collection: Path, ids: Collection[str]) -> None:
    """Marks photographs as withdrawn, and leaves everything made of them where it is."""
    rows = read_records(collection).to_pylist()
    for row in rows:
        if row["assetID"] in ids:
            row |= {"status": "withdrawn", "reason": GONE}
    write_records(collection, table_of(rows))


def settings(run_folder: Path, **changes: Any) -> RenderSettings:
    plain = RenderSettings(
        map=str(run_folder), out="out", picture_px=32, tile_px=128, format="png", workers=1
    )
    return replace(plain, **changes)


def files(folder: Path, name: str = "") -> dict[str, bytes]:
    """Every file below a folder whose path begins with `name`, but its provenance."""
    found = (f for f in folder.rglob("*") if f.is_file() and f.name != "provenance.json")
    paths = {str(f.relative_to(folder)): f for f in found}
    return {path: file.read_bytes() for path, file in paths.items() if path.startswith(name)}


def test_a_render_leaves_tables_plots_and_a_site(tmp_path: Path) -> None:
    place = run(settings(embedded(tmp_path)))
    assert {path.name for path in place.iterdir()} == {
        *("places.parquet", "representatives.parquet", "plots", "site", "blocks")
    } | {"provenance.json"}
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


def test_another_title_makes_the_site_anew(tmp_path: Path) -> None:
    run_folder = embedded(tmp_path)
    titles, versions = [], []
    for title in ("One", "Another", "A third"):
        place = run(settings(run_folder, out=str(tmp_path / "out"), site=SiteSettings(title=title)))
        shown = read_json(place / "site" / "map.json")
        titles.append(shown["title"])
        versions.append(shown["version"])
        # Pages that are open on the version before go on.
        assert {f.name for f in (place / "site").glob("v-*")} == set(versions[-2:])
    assert titles == ["One", "Another", "A third"]


def test_settings_of_the_tiles_show_in_them(tmp_path: Path) -> None:
    place = run(settings(embedded(tmp_path), crisp=False, background="#102030", tile_px=256))
    shown = read_json(place / "site" / "map.json")
    tiles = place / "site" / shown["version"] / "tiles"
    assert (shown["background"], shown["tile_px"]) == ("#102030", 256)
    assert {path.name for path in tiles.iterdir()} == {str(z) for z in range(shown["zoom"] + 1)}
    with Image.open(tiles / "0" / "0" / "0.png") as tile:
        assert tile.size == (256, 256)
        assert tile.getpixel((0, 0)) == (0x10, 0x20, 0x30)


def test_shadows_are_as_long_soft_and_dark_as_one_likes(tmp_path: Path) -> None:
    """Without shadow all is picture or white; a hard one is a darker copy of its picture."""
    run_folder = embedded(tmp_path, 1)

    def deepest(shadow: Shadow, out: str) -> Any:
        changes = {"picture_px": 64, "crisp": False, "shadow": shadow}
        place = run(settings(run_folder, out=str(tmp_path / out), **changes))
        shown = read_json(place / "site" / "map.json")
        tiles = place / "site" / shown["version"] / "tiles" / str(shown["zoom"])
        width = shown["tile_px"] * 2 ** shown["zoom"]
        whole = np.full((width, width, 3), 255, int)
        for file in tiles.glob("*/*.png"):
            x, y = (128 * int(part) for part in (file.parent.name, file.stem))
            whole[y : y + 128, x : x + 128] = np.asarray(Image.open(file))
        return whole

    plain = deepest(Shadow(strength=0), "plain")
    picture = (plain < 250).any(axis=2)
    hard = deepest(Shadow(radius=0, strength=0.5, offset=0.25), "hard")
    fallen = np.roll(picture, (16, 8), axis=(0, 1)) & ~picture
    shaded = np.abs(hard - 127.5).max(axis=2) <= 2
    assert fallen.sum() > 100
    assert (shaded & fallen).sum() > 0.9 * fallen.sum()
    assert (hard[picture] == plain[picture]).mean() > 0.95
    soft = deepest(Shadow(radius=0.3, strength=0.5, offset=0), "soft")
    assert (soft < 255).any(axis=2).sum() > 2 * picture.sum()
    assert soft[~picture].min() > 127


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


def test_withdrawn_photographs_are_gone_as_if_they_had_never_been_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_folder, gone = embedded(tmp_path / "a"), {"b03", "b04", "b17"}
    run(settings(run_folder))
    before = run(settings(run_folder, force=True))  # made where the next will be made
    withdraw(tmp_path / "a" / "collection", gone)
    place = run(settings(run_folder))
    assert place == before
    assert "Nothing changed" not in capsys.readouterr().out
    places = read_table(place / "places.parquet", "render").to_pylist()
    told = {row["assetID"]: row for row in places if row["status"] == "withdrawn"}
    assert set(told) == gone
    assert all(
        (r["reason"], r["place_x"], r["first_zoom"]) == (GONE, None, None) for r in told.values()
    )
    never = run(settings(embedded(tmp_path / "b", without=gone), out="never"))
    for name in ("plots", "representatives.parquet"):
        assert files(place, name) == files(never, name)
    [version], [other] = ((p / "site").glob("v-*") for p in (place, never))
    assert files(version) == files(other)
    assert read_json(place / "site" / "about.json")["left_out"]["withdrawn"] == 3


def test_an_embedding_is_read_without_what_was_withdrawn_since(tmp_path: Path) -> None:
    run_folder = embedded(tmp_path)
    whole = open_embedding(run_folder)
    withdraw(tmp_path / "collection", {"b05"})
    left = open_embedding(run_folder)
    kept = [number for number, i in enumerate(whole.ids) if i != "b05"]
    assert left.ids == [whole.ids[number] for number in kept]
    assert np.array_equal(left.xy, whole.xy[kept])
    assert np.array_equal(left.codes, whole.codes[kept])
    assert left.neighbours is not None
    rows = {row["assetID"]: row for row in left.neighbours.to_pylist()}
    assert (rows["b05"]["status"], rows["b05"]["neighbour_ids"]) == ("withdrawn", None)
    assert rows["b03"]["neighbour_ids"] == ["b04", "b06", "b07", "b08"]


def test_nothing_but_withdrawn_photographs_is_said(tmp_path: Path) -> None:
    run_folder = embedded(tmp_path)
    withdraw(tmp_path / "collection", {f"b{number:02d}" for number in range(N)})
    with pytest.raises(UserError, match=r"no specimen on its map \(40 were withdrawn\)"):
        run(settings(run_folder))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"map": None}, "map= is missing"),
        ({"map": "nowhere"}, "holds no finished embedding"),
        ({"picture_px": 33}, "no even number"),
        ({"tile_px": 300}, "tile_px=300"),
        ({"format": "gif"}, "format=gif"),
        ({"background": "ivry"}, "background=ivry is no colour"),
        ({"background": "#ffffff00"}, "is no colour"),
        ({"shadow": Shadow(strength=1)}, "shadow.strength=1 is not between 0 and 0.63"),
        ({"shadow": Shadow(radius=math.nan)}, "shadow.radius=nan is not between 0 and 0.5"),
        ({"block_px": 64}, "block_px=64 is not between"),
        ({"site": SiteSettings(tiles="zip")}, "site.tiles=zip is none of files, pmtiles"),
    ],
)
def test_wrong_settings_are_said(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        run(settings(Path("missing"), **change))
