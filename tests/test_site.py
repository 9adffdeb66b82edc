import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from butterflies.errors import UserError
from butterflies.files import sha256, write_json
from butterflies.rendering.page import policy
from butterflies.rendering.points import column_file, morton, points_file
from butterflies.rendering.site import SiteSettings, check, write_site
from butterflies.rendering.versions import keep_shown
from tests.site_reader import (
    read_cards,
    read_column,
    read_coverage,
    read_points,
    read_representatives,
)
from tests.tiny_site import Squares, colour_of, content_of, make_site

SQUARES = Squares(
    facts={
        0: {"catalogNumber": "../../etc/passwd"},
        1: {"catalogNumber": "NHMUK 0", "associatedMedia": "https://a.example/1.jpg"},
        2: {"catalogNumber": "__proto__", "associatedMedia": "https://b.example;script-src *"},
        3: {"associatedMedia": "https://a.example/2.jpg"},
    }
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_site(SQUARES, tmp_path_factory.mktemp("made") / "site")


def named(asset_id: str, suffix: str) -> str:
    mark = hashlib.sha256(asset_id.lower().encode()).hexdigest()
    return f"{mark[:2]}/{mark[2:20]}{suffix}"


def load(path: Path) -> Any:
    return json.loads(path.read_bytes())


def test_all_files_tell_the_same_of_each_specimen(site: Path) -> None:
    shown = load(site / "map.json")
    version = site / shown["version"]
    cards = read_cards(version, shown["chunks"])
    points = read_points(version / "points.bin")
    names = load(version / "names.json")
    assert len(cards) == len(points) == shown["specimens"] == SQUARES.count
    ids = [card["assetID"] for card in cards]
    for column in shown["columns"]:
        codes = read_column(version / "columns" / f"{column}.bin")
        for asset_id, code in zip(ids, codes, strict=True):
            told = SQUARES.record(SQUARES.ids.index(asset_id))[column]
            assert (names[column][code - 1][0] if code else None) == told
    for row, card in enumerate(cards):
        number = SQUARES.ids.index(card["assetID"])
        assert points[row] == SQUARES.place(number)
        assert card["near"][0] == SQUARES.ids[(number + 1) % SQUARES.count]
        assert card["called"][0].endswith(f"number{(number + 1) % SQUARES.count}")
        scores = {k: v for k, v in SQUARES.scores(number).items() if v is not None}
        assert card["scores"] == pytest.approx(scores, abs=0.0005)
        with Image.open(version / "cutouts" / named(card["assetID"], ".webp")) as picture:
            assert picture.convert("RGB").getpixel((9, 9)) == colour_of(number)


def test_index_finds_ids_and_numbers(site: Path) -> None:
    version = site / load(site / "map.json")["version"]
    ids = [card["assetID"] for card in read_cards(version, load(site / "map.json")["chunks"])]

    def found(key: str) -> Any:
        bucket = hashlib.sha256(key.lower().encode()).hexdigest()[:2]
        return load(version / "index" / f"{bucket}.json")

    for asset_id in ids:
        assert ids[found(asset_id)["ids"][asset_id.lower()]] == asset_id
    assert ids[found("../../etc/passwd")["numbers"]["../../etc/passwd"][0]] == "ID000"
    assert [ids[row] for row in found("NHMUK 0")["numbers"]["nhmuk 0"]] == ["ID001"]
    assert ids[found("__proto__")["numbers"]["__proto__"][0]] == "ID002"
    assert len(list((version / "index").iterdir())) == 256


def test_coverage_lists_exactly_the_tiles_there_are(site: Path) -> None:
    version = site / load(site / "map.json")["version"]
    for zoom, tiles in read_coverage(version / "coverage.bin").items():
        files = (version / "tiles" / str(zoom)).glob("*/*.png")
        assert tiles == {(int(f.parent.name), int(f.stem)) for f in files}


def test_representatives_name_rows(site: Path) -> None:
    shown = load(site / "map.json")
    version = site / shown["version"]
    ids = [card["assetID"] for card in read_cards(version, shown["chunks"])]
    assert shown["representatives"] == [0, 1]
    told = [
        (ids[row], x, y, size)
        for zoom in (0, 1)
        for row, x, y, size, _ in read_representatives(version / "representatives" / f"{zoom}.bin")
    ]
    keys = ("assetID", "place_x", "place_y", "size_px")
    assert told == [tuple(one[key] for key in keys) for one in SQUARES.representatives()]


def test_no_file_tells_of_this_machine(
    site: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = str(tmp_path_factory.getbasetemp()).encode()
    for file in site.rglob("*"):
        if file.is_file():
            assert root not in file.read_bytes(), file
            assert b"/somewhere/private" not in file.read_bytes(), file


def test_only_hosts_of_plain_addresses_are_allowed(site: Path) -> None:
    assert load(site / "map.json")["hosts"] == ["https://a.example"]
    page = (site / "index.html").read_text()
    assert "img-src &#x27;self&#x27; data: https://a.example;" in page
    assert "script-src &#x27;self&#x27;;" in page
    assert "Squares &amp; &lt;b&gt;more&lt;/b&gt;" in page
    assert "unsafe" not in policy([])


def test_pages_files_are_there_and_leaflet_is_the_pinned_one(site: Path) -> None:
    page = (site / "index.html").read_text()
    for name in ("leaflet.js", "leaflet.css", "style.css", "main.js", "icon.svg", "opened.js"):
        assert f"page/{name}" in page
        assert (site / "page" / name).is_file()
    known = "db49d009c841f5ca34a888c96511ae936fd9f5533e90d8b2c4d57596f4e5641a"
    assert sha256(site / "page" / "leaflet.js") == known
    assert "//" not in page.replace("https://a.example", "")


def test_a_version_stays_until_the_next_but_one(tmp_path: Path) -> None:
    site = tmp_path / "site"
    squares = Squares(3)
    (site / "v-notes").mkdir(parents=True)
    seen = []
    for mark in ("aa", "bb", "cc", "cc"):
        make_site(squares, site, fingerprint=mark)
        assert load(site / "map.json")["version"] == f"v-{mark}"
        seen.append(sorted(f.name for f in site.glob("v-*")))
    assert seen == [
        ["v-aa", "v-notes"],
        ["v-aa", "v-bb", "v-notes"],
        ["v-bb", "v-cc", "v-notes"],
        ["v-cc", "v-notes"],
    ]


def test_a_site_that_replaces_another_keeps_what_that_shows(tmp_path: Path) -> None:
    before = make_site(Squares(3), tmp_path / "before", fingerprint="aa")
    site = make_site(Squares(4), tmp_path / "site", fingerprint="bb")
    (site / ".v-aa.tmp" / "half").mkdir(parents=True)  # of a process that was killed
    for _ in range(2):
        keep_shown(before, site)
        assert sorted(f.name for f in site.glob("v-*")) == ["v-aa", "v-bb"]
        assert not list(site.glob(".*"))
    for file in (before / "v-aa").rglob("*"):
        if file.is_file():
            assert file.read_bytes() == (site / file.relative_to(before)).read_bytes()
    assert load(site / "map.json")["version"] == "v-bb"


@pytest.mark.parametrize("version", ["v-gone", "../outside", "", 7, None])
def test_a_site_that_shows_no_version_leaves_none(tmp_path: Path, version: object) -> None:
    site = make_site(Squares(3), tmp_path / "site", fingerprint="bb")
    before = tmp_path / "before"
    (tmp_path / "outside").mkdir()
    keep_shown(before, site)
    write_json(before / "map.json", {"version": version})
    keep_shown(before, site)
    assert sorted(f.name for f in site.glob("*v-*")) == ["v-bb"]
    assert not (tmp_path / "site" / "outside").exists()


def test_a_killed_write_shows_the_old_map_and_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    squares = Squares(3)
    site = make_site(squares, tmp_path / "site", fingerprint="aa")

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("butterflies.rendering.site.write_page", full)
        with pytest.raises(OSError, match="space"):
            make_site(squares, site, fingerprint="bb")
    assert load(site / "map.json")["version"] == "v-aa"
    make_site(squares, site, fingerprint="bb")
    make_site(squares, tmp_path / "other", fingerprint="bb")
    for file in (tmp_path / "other").rglob("*"):
        if file.is_file():
            assert file.read_bytes() == (site / file.relative_to(tmp_path / "other")).read_bytes()


def test_photographs_copied_into_the_site(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (900, 1200, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "large.png")
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    photos = {0: "large.png", 1: "broken.jpg", 2: "missing.jpg", 3: None}
    squares = Squares(4, facts={n: {"photo": p, **_media(n)} for n, p in photos.items()})
    site = make_site(squares, tmp_path / "site", photographs="copy", collection=tmp_path)
    shown = load(site / "map.json")
    assert shown["hosts"] == []
    cards = read_cards(site / shown["version"], shown["chunks"])
    assert {c["assetID"]: c.get("photo") for c in cards} == {
        "ID000": True,
        **dict.fromkeys(("ID001", "ID002", "ID003")),
    }
    folder = site / shown["version"] / "photographs"
    [copy] = folder.rglob("*.jpg")
    assert copy == folder / named("ID000", ".jpg")
    with Image.open(copy) as photo:
        assert photo.size == (640, 480)


def test_no_photographs_at_all(tmp_path: Path) -> None:
    squares = Squares(2, facts={0: _media(0)})
    site = make_site(squares, tmp_path / "site", photographs="none")
    shown = load(site / "map.json")
    assert shown["hosts"] == []
    cards = read_cards(site / shown["version"], shown["chunks"])
    assert all("photo" not in c for c in cards)
    assert any(c.get("link") for c in cards)


def test_an_unknown_choice_is_named() -> None:
    with pytest.raises(UserError, match=r"site\.photographs=all is none of link, copy, none"):
        check(SiteSettings(photographs="all"))


def test_specimens_without_a_record_are_shown_by_their_id(tmp_path: Path) -> None:
    content = content_of(Squares(3), tmp_path / "site")
    bare = {**content.__dict__, "records": content.records.slice(0, 0), "neighbours": None}
    site = write_site(type(content)(**bare))
    shown = load(site / "map.json")
    cards = read_cards(site / shown["version"], shown["chunks"])
    assert sorted(c["assetID"] for c in cards) == ["ID000", "ID001", "ID002"]
    assert all(c["near"] == [] and "name" not in c for c in cards)


def test_sizes_of_a_large_map_stay_small() -> None:
    rng = np.random.default_rng(0)
    centres = rng.uniform(0.15, 0.85, (300, 2))
    spots = centres[rng.integers(0, 300, 50_000)] + rng.normal(0, 0.03, (50_000, 2))
    x, y = (spots.clip(0, 0.999) * 2**17).astype(np.int64).T
    order = np.argsort(morton(x, y), kind="stable")
    assert len(gzip.compress(points_file(x[order], y[order]), 9)) < 600_000 / 3
    genera = (rng.zipf(1.5, 50_000) % 1800).astype(str)
    assert len(gzip.compress(column_file(list(genera))[0], 9)) < 100_000


def _media(number: int) -> dict[str, str]:
    return {"associatedMedia": f"https://a.example/{number}.jpg"}
