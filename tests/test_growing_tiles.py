"""What a later map takes over from an earlier one, and what it draws anew."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from butterflies.errors import UserError
from butterflies.files import read_json, write_json
from butterflies.mapping.representatives import SCHEMA as REPRESENTATIVES
from butterflies.rendering.archive import NAME, join_tiles
from butterflies.rendering.copies import copy_photographs, picture_name
from butterflies.rendering.growing import kept_representatives, open_rendering, remember
from butterflies.rendering.layers import Placed
from butterflies.rendering.pyramid import Pyramid, Written
from butterflies.rendering.render import run
from butterflies.rendering.settings import RenderSettings
from butterflies.rendering.spritefiles import SpriteFiles
from butterflies.rendering.sprites import Shadow
from butterflies.rendering.tilefiles import Earlier
from butterflies.rendering.versions import EarlierVersion
from butterflies.segmentation.store import CutoutStore
from butterflies.tables import from_rows
from tests.cutout_sets import blob
from tests.test_render import embedded, files, settings
from tests.worlds import PX, TILE, ZOOM, World, contents, make_world

NEW = 17
"""The specimen that comes later."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


def old(world: World) -> Placed:
    return world.base.take(np.array([n for n in range(40) if n != NEW]))


def draw(world: World, folder: Path, base: Placed, earlier: Earlier | None = None) -> Written:
    return world.written(world.at(folder, earlier=earlier), base)


def left(folder: Path) -> Earlier:
    return Earlier(folder / "tiles", folder / "work")


def touched(world: World) -> set[tuple[int, int, int]]:
    """The tiles on which something of the new specimen may lie."""
    x, y = world.base.centres[NEW].tolist()
    found = set()
    for zoom in range(ZOOM + 2):
        unit = 2.0 ** (zoom - ZOOM)
        reach = PX * (0.5 + Shadow().pad) + 2
        spans = [
            range(int((v - reach) * unit // TILE), int((v + reach) * unit // TILE) + 1)
            for v in (x, y)
        ]
        found |= {(zoom, across, down) for across in spans[0] for down in spans[1]}
    return found


@pytest.mark.parametrize("block_px", [TILE, 128, 512])
def test_a_grown_map_is_the_one_that_would_be_drawn_anew(
    world: World, tmp_path: Path, block_px: int
) -> None:
    world = replace(world, pyramid=replace(world.pyramid, block_px=block_px))
    draw(world, tmp_path / "old", old(world))
    grown = draw(world, tmp_path / "grown", world.base, left(tmp_path / "old"))
    whole = draw(world, tmp_path / "whole", world.base)
    assert grown.tiles == whole.tiles
    assert contents(tmp_path / "grown" / "tiles") == contents(tmp_path / "whole" / "tiles")
    assert 0 < grown.drawn <= len(touched(world))
    assert whole.drawn == whole.count > 2 * grown.drawn


def test_only_tiles_that_the_new_specimen_touches_are_drawn(world: World, tmp_path: Path) -> None:
    draw(world, tmp_path / "old", old(world))
    grown = draw(world, tmp_path / "grown", world.base, left(tmp_path / "old"))
    taken = {
        tuple(map(int, file.relative_to(tmp_path / "grown" / "tiles").with_suffix("").parts))
        for file in (tmp_path / "grown" / "tiles").glob("*/*/*.png")
        if file.stat().st_nlink == 2
    }
    tiles = {(z, x, y) for z, cells in grown.tiles.items() for x, y in cells}
    assert tiles - taken <= touched(world)
    assert len(tiles - taken) == grown.drawn


def test_a_specimen_that_is_gone_leaves_the_map_as_if_it_had_never_been_there(
    world: World, tmp_path: Path
) -> None:
    draw(world, tmp_path / "old", world.base)
    less = draw(world, tmp_path / "less", old(world), left(tmp_path / "old"))
    never = draw(world, tmp_path / "never", old(world))
    assert less.tiles == never.tiles
    assert contents(tmp_path / "less" / "tiles") == contents(tmp_path / "never" / "tiles")


def test_the_earlier_map_stays_as_it_was(world: World, tmp_path: Path) -> None:
    draw(world, tmp_path / "old", old(world))
    before = contents(tmp_path / "old")
    draw(world, tmp_path / "grown", world.base, left(tmp_path / "old"))
    assert contents(tmp_path / "old") == before


def test_a_map_grows_from_one_archive_and_twice(world: World, tmp_path: Path) -> None:
    written = draw(world, tmp_path / "a", old(world))
    join_tiles(tmp_path / "a", written.tiles, ".png")
    draw(world, tmp_path / "b", old(world), Earlier(tmp_path / "a" / NAME, tmp_path / "a" / "work"))
    grown = draw(world, tmp_path / "c", world.base, left(tmp_path / "b"))
    whole = draw(world, tmp_path / "whole", world.base)
    assert contents(tmp_path / "c" / "tiles") == contents(tmp_path / "whole" / "tiles")
    assert grown.drawn < whole.drawn


def test_where_links_cannot_be_tiles_are_copied(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    draw(world, tmp_path / "old", world.base)
    monkeypatch.setattr(os, "link", refused)
    again = draw(world, tmp_path / "again", world.base, left(tmp_path / "old"))
    assert again.drawn == 0
    assert contents(tmp_path / "again" / "tiles") == contents(tmp_path / "old" / "tiles")
    one = next((tmp_path / "again" / "tiles").glob("*/*/*.png"))
    assert one.stat().st_nlink == 1


def test_what_an_earlier_map_lost_is_drawn(world: World, tmp_path: Path) -> None:
    draw(world, tmp_path / "old", world.base)
    before = contents(tmp_path / "old" / "tiles")
    lost = sorted((tmp_path / "old" / "tiles").glob("*/*/*.png"))[::9]
    tops = sorted((tmp_path / "old" / "work").glob("*.npz"))[:2]
    for file in (*lost, *tops):
        file.unlink()
    (tmp_path / "old" / "work" / "0-1.json").write_text('{"mark": ')
    again = draw(world, tmp_path / "again", world.base, left(tmp_path / "old"))
    assert contents(tmp_path / "again" / "tiles") == before
    assert len(lost) <= again.drawn < again.count


def test_tiles_of_another_look_are_not_taken(world: World, tmp_path: Path) -> None:
    """A rendering offers its tiles to pyramids of its look only."""
    draw(world, tmp_path / "old", world.base)
    (tmp_path / "old" / "work").rename(tmp_path / "old" / "blocks")
    (tmp_path / "old" / "provenance.json").write_text(
        '{"job": "render", "status": "finished", "fingerprint": "ab"}'
    )
    rendering = open_rendering(tmp_path / "old")
    pyramid = world.at(tmp_path)

    def offered(other: Pyramid) -> bool:
        return rendering.tiles_for(other) is not None

    assert offered(pyramid)
    assert not offered(replace(pyramid, background=(0, 0, 0)))
    assert not offered(replace(pyramid, zoom=ZOOM + 1))
    assert not offered(replace(pyramid, encoder=replace(pyramid.encoder, format="webp")))
    assert not offered(replace(pyramid, block_px=512))


def test_known_specimens_are_not_measured_again(world: World, tmp_path: Path) -> None:
    store = CutoutStore(world.collection)
    records = pa.table({"assetID": store.ids[:1], "sha256": ["ab"]})
    seen = remember(tmp_path / "blocks", store.ids, world.sprites, records)
    assert seen["photo"].to_pylist() == ["ab", *[None] * 39]
    (tmp_path / "provenance.json").write_text(
        '{"job": "render", "status": "finished", "fingerprint": "ab"}'
    )
    known = open_rendering(tmp_path).known(PX)
    again = SpriteFiles(tmp_path / "sprites", store, store.ids, PX, known=known).make(workers=1)
    assert np.array_equal(again.rooms, world.sprites.rooms)
    assert (again.rows["bytes"] == 0).all()
    for number in (0, 39):
        made, kept = again.read(number), world.sprites.read(number)
        assert np.array_equal(made.picture, kept.picture)
        assert np.array_equal(made.shadow, kept.shadow)
    assert open_rendering(tmp_path).known(2 * PX) == {}


def test_a_cutout_that_changed_is_measured_again(world: World, tmp_path: Path) -> None:
    store = CutoutStore(world.collection)
    marks = world.sprites.rows["mark"].tolist()
    known = {asset_id: (marks[n] + (n == 3), 7.0) for n, asset_id in enumerate(store.ids)}
    again = SpriteFiles(tmp_path / "sprites", store, store.ids, PX, known=known).make(workers=1)
    assert again.rows["bytes"].nonzero()[0].tolist() == [3]
    assert again.rooms[3] == world.sprites.rooms[3]
    assert again.rooms[4] == 7.0


def rendered(run_folder: Path, out: str, **changes: object) -> Path:
    return run(replace(settings(run_folder), out=out, **changes))  # type: ignore[arg-type]


def test_a_rendering_added_to_draws_what_has_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same places, another title: no tile is drawn."""
    run_folder = embedded(tmp_path)
    first = rendered(run_folder, "first")
    changed = replace(RenderSettings().site, title="Another")
    again = rendered(run_folder, "again", add_to=str(first), site=changed)
    assert " 0 of them drawn anew" in capsys.readouterr().out
    [one], [other] = ((p / "site").glob("v-*") for p in (first, again))
    assert one.name != other.name
    assert files(one / "tiles") == files(other / "tiles")


def test_a_site_that_grows_takes_over_what_has_not_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those before the new one list it as similar; no one else's chunk is written."""
    monkeypatch.setattr("butterflies.rendering.chunks.MAX_ROWS", 3)
    new, changed = "b17", {f"b{n}" for n in range(12, 18)}
    first = rendered(embedded(tmp_path / "old", without={new}), str(tmp_path / "first"))
    grown_embedding = embedded(tmp_path / "new")
    made = read_json(grown_embedding / "provenance.json")
    known = {"fingerprint": "fedcba9876543210", "added_to": {"fingerprint": made["fingerprint"]}}
    write_json(grown_embedding / "provenance.json", made | known)
    second = rendered(grown_embedding, str(tmp_path / "second"), add_to=str(first))
    told = capsys.readouterr().out
    [before], [after] = ((p / "site").glob("v-*") for p in (first, second))
    chunks = sorted((after / "chunks").iterdir())
    touched = [file for file in chunks if changed & ids_in(file)]
    taken = [file for file in chunks if linked(file, before / "chunks" / file.name)]
    assert 0 < len(touched) < len(chunks) / 2
    assert sorted(touched + taken) == chunks
    assert f"{len(touched)} of {len(chunks)} chunks of records are new" in told
    cutouts = list((after / "cutouts").rglob("*.webp"))
    drawn = [file for file in cutouts if not linked(file, before / file.relative_to(after))]
    assert (len(cutouts), len(drawn)) == (40, 1)
    assert drawn[0] == after / "cutouts" / picture_name(new, ".webp")


def ids_in(chunk: Path) -> set[str]:
    return {card["assetID"] for card in read_json(chunk)["rows"]}


def linked(file: Path, other: Path) -> bool:
    return other.is_file() and file.samefile(other)


def test_photographs_that_are_the_same_are_not_copied_again(tmp_path: Path) -> None:
    version, collection = tmp_path / "v-aa", tmp_path / "collection"
    records = [{"assetID": name, "photo": f"{name}.png"} for name in ("a", "b", "gone")]
    for number, name in enumerate(("a", "b")):
        path = collection / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(blob(number)).save(path)
    assert copy_photographs(collection, records, version, 1) == {"a", "b"}
    earlier = EarlierVersion(version, photographs={"a", "gone"})
    again = tmp_path / "v-bb"
    assert copy_photographs(collection, records, again, 1, earlier) == {"a", "b"}
    files = [Path("photographs", picture_name(name, ".jpg")) for name in ("a", "b")]
    assert [linked(again / file, version / file) for file in files] == [True, False]
    assert all((again / file).read_bytes() == (version / file).read_bytes() for file in files)


def test_representatives_stay_and_new_specimens_count_among_the_nearest() -> None:
    rows = [
        {"zoom": 0, "cluster": 0, "assetID": "a", "place_x": 100, "place_y": 100, "members": 5},
        {"zoom": 1, "cluster": 0, "assetID": "a", "place_x": 100, "place_y": 100, "members": 3},
        {"zoom": 1, "cluster": 1, "assetID": "b", "place_x": 900, "place_y": 900, "members": 2},
        {"zoom": 1, "cluster": 2, "assetID": "gone", "place_x": 9, "place_y": 9, "members": 1},
    ]
    before = from_rows(rows, REPRESENTATIVES)
    places = np.array([[100, 100], [900, 900], [120, 90], [880, 901], [870, 910]], np.int32)
    found = kept_representatives(before, {"a", "b", "gone"}, ["a", "b", "n", "o", "p"], places)
    assert found.schema == before.schema
    told = [(row["zoom"], row["assetID"], row["members"]) for row in found.to_pylist()]
    assert told == [(0, "a", 8), (1, "a", 4), (1, "b", 4)]
    nobody = kept_representatives(before, {"a", "b", "gone"}, ["a", "b"], places[:2])
    assert nobody["members"].to_pylist() == [5, 3, 2]


@pytest.mark.parametrize("folder", ["nowhere", "embedding"])
def test_what_is_no_rendering_is_said(tmp_path: Path, folder: str) -> None:
    run_folder = embedded(tmp_path)
    with pytest.raises(UserError, match="holds no finished rendering"):
        rendered(run_folder, "out", add_to=str(tmp_path / folder))
