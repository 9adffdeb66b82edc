import csv
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from butterflies.__main__ import main
from butterflies.collection.records import read_records, table_of, write_records
from butterflies.collection.splits import split_of
from butterflies.errors import UserError
from butterflies.exporting import cutouts as exporting
from butterflies.exporting import pictures
from butterflies.exporting.card import plain
from butterflies.exporting.cutouts import CutoutExportSettings, run
from butterflies.files import read_json, write_json
from butterflies.rendering.credits import COLUMNS, write_credits
from butterflies.segmentation.store import CUTOUTS, CutoutStore
from butterflies.tables import formula_safe
from tests.cutout_sets import Pixels, blob, write_cutouts

IDS = [f"ID{number:02d}" for number in range(24)]
SPECIMENS = {key: f"m{number // 2}" for number, key in enumerate(IDS)}
BY = "http://creativecommons.org/licenses/by/4.0/"
ODD: dict[str, dict[str, Any]] = {
    "ID00": {"creator": "=cmd|' /C calc'!A0", "locality": "+1", "decimalLatitude": -4.25},
    "ID01": {"creator": "Ångström, “É”\n2nd line", "country": "日本", "sex": None},
    "ID02": {"institutionCode": "NHMUK", "recordLicense": "CC0", "year": None},
    "ID03": {"bibliographicCitation": 'Museum, "A" (2014)', "occurrenceID": "https://a.example/r"},
    "ID04": {"rightsHolder": "<img src=x onerror=alert(1)>|*x*", "scientificName": "@SUM(1)"},
}


def record(asset_id: str, **facts: Any) -> dict[str, Any]:
    plain_facts = {
        "assetID": asset_id,
        "status": "ok",
        "specimen": SPECIMENS.get(asset_id, asset_id),
        "photo": f"/home/somebody/{asset_id}.jpg",
        "locality": f"where {asset_id} was found",
        "year": 1886,
        "sex": "male",
        "view": "dorsal",
        "license": BY,
        "rightsHolder": "A museum",
    }
    return plain_facts | ODD.get(asset_id, {}) | facts


def with_records(rows: list[dict[str, Any]]) -> Path:
    """A collection `c` of 24 cut-outs, three of them other than ok, whose records are `rows`."""
    shown: dict[str, Pixels] = {key: blob(n, 24) for n, key in enumerate(IDS[:21])}
    nothing = ("no_specimen", "Nothing.")
    others = {IDS[21]: nothing, IDS[22]: ("refused", "No."), IDS[23]: nothing}
    collection = write_cutouts(Path("c"), shown, SPECIMENS, others)
    write_records(collection, table_of(rows))
    return collection


def collection() -> Path:
    return with_records([record(key) for key in reversed(IDS)])


def export(**settings: Any) -> Path:
    return run(CutoutExportSettings(**{"collection": "c", "out": "o", **settings}))


def shards(place: Path) -> dict[str, pa.Table]:
    files = sorted((place / "data").glob("*.parquet"))
    splits = {file.name.split("-")[0] for file in files}
    return {
        split: pa.concat_tables(pq.read_table(f) for f in files if f.name.startswith(split))
        for split in splits
    }


def exported(place: Path) -> dict[str, dict[str, Any]]:
    rows = [row for table in shards(place).values() for row in table.to_pylist()]
    assert len({row["assetID"] for row in rows}) == len(rows)
    return {row["assetID"]: row for row in rows}


def contents(place: Path) -> dict[str, bytes]:
    files = (p for p in place.rglob("*") if p.is_file() and p.name != "provenance.json")
    return {str(p.relative_to(place)): p.read_bytes() for p in files}


def pixels(data: bytes) -> Pixels:
    with Image.open(BytesIO(data)) as picture:
        assert picture.mode == "RGBA"
        return np.asarray(picture)


def test_each_picture_comes_with_the_pixels_and_the_record_of_its_own_asset() -> None:
    rows = [record(key) for key in ("AAA", *IDS[:3], *IDS[4:], "ZZZ")]  # other rows than cut-outs
    store = CutoutStore(with_records(rows), "cutouts")
    found = exported(export())
    assert sorted(found) == [key for key in IDS[:21] if key != IDS[3]]
    known = {row["assetID"]: row for row in read_records(Path("c")).to_pylist()}
    for key, row in found.items():
        assert row["image"]["path"] == f"{key}.webp"
        assert row["image"]["bytes"] == store.data(key)
        assert np.array_equal(pixels(row["image"]["bytes"]), store.image(key))
        for name in ("specimen", "locality", "country", "sex", "year", "decimalLatitude", "view"):
            assert row[name] == known[key][name]


def test_a_specimen_lies_in_one_split_which_is_that_of_every_job() -> None:
    collection()
    tables = shards(export())
    assert set(tables) == {"train", "validation", "test"}
    for split, table in tables.items():
        assert {split_of(specimen) for specimen in table["specimen"].to_pylist()} == {split}
        assert table["assetID"].to_pylist() == sorted(table["assetID"].to_pylist())


def test_all_columns_leave_but_those_of_this_machine() -> None:
    place = collection()
    table = shards(export())["train"]
    internal = {"status", "reason", "photo", "photo_bytes", "photo_mtime_ns", "part", "row"}
    known = set(read_records(place).column_names)
    own = {f"cutout_{n}" if n == "view" else n for n in CUTOUTS.names if n not in internal}
    assert set(table.column_names) == {"image", "record", *COLUMNS, *own, *(known - internal)}
    assert table.schema.field("year").type == pa.int16()
    assert b"/home/somebody" not in b"".join(contents(Path("o")).values())
    assert "collection" not in read_json(Path("o/provenance.json"))["settings"]


def test_the_schema_tells_datasets_what_each_column_is() -> None:
    collection()
    schema = shards(export())["train"].schema
    said = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert list(said) == schema.names
    assert said["image"] == {"_type": "Image"}
    kinds = {"year": "int16", "scale": "float64", "touches_border": "bool", "genus": "string"}
    for name, kind in kinds.items():
        assert said[name] == {"dtype": kind, "_type": "Value"}
    assert schema.field("image").type == pa.struct({"bytes": pa.binary(), "path": pa.string()})


def test_a_column_never_takes_the_name_of_another() -> None:
    names = ("image", "file_name", "scale", "record", "other_file_name", "Genus")
    free = {"part": "1", "row": "2"}
    with_records([record(k, **free, **{name: f"{name} {k}" for name in names}) for k in IDS])
    row = exported(export())["ID07"]
    assert row["image"]["path"] == "ID07.webp"
    assert row["scale"] is None
    for name in names:
        assert row[f"{name}_recorded"] == f"{name} ID07"
    assert {name: row[name] for name in free} == free
    assert not [n for n in row if n.endswith(("file_name", "file_names"))]


@pytest.mark.parametrize("form", ["parquet", "png"])
def test_credits_are_those_that_the_site_gives(form: str) -> None:
    place = collection()
    export(format=form)
    records = [r for r in read_records(place).to_pylist() if r["assetID"] in IDS[:21]]
    write_credits(records, Path("credits.csv"))
    site = {row["assetID"]: row for row in lines(Path("credits.csv"))}
    if form == "png":
        found = {r["assetID"]: r for file in Path("o").glob("*/*.csv") for r in lines(file)}
    else:
        found = exported(Path("o"))
    assert set(found) == set(site)
    for key, row in found.items():
        for name in (*COLUMNS, "record"):
            quoted = formula_safe(row[name] or "")  # Parquet has no need of it
            assert quoted == site[key][name]
    assert found["ID03"]["record"] == "https://a.example/r"


def lines(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("form", ["png", "webp"])
def test_image_folders_hold_each_picture_beside_its_row(form: str) -> None:
    store = CutoutStore(collection(), "cutouts")
    place = export(format=form)
    seen = set()
    for split in ("train", "validation", "test"):
        rows = lines(place / split / "metadata.csv")
        typed = pq.read_table(place / split / "columns.parquet")
        assert next(iter(rows[0])) == typed.column_names[0] == "file_name"
        assert typed["file_name"].to_pylist() == [row["file_name"] for row in rows]
        files = {p.name for p in (place / split).iterdir()} - {"metadata.csv", "columns.parquet"}
        assert files == {row["file_name"] for row in rows}
        for row in rows:
            data = (place / split / row["file_name"]).read_bytes()
            assert np.array_equal(pixels(data), store.image(row["assetID"]))
            assert form == "png" or data == store.data(row["assetID"])
            assert split_of(row["specimen"]) == split
            seen.add(row["assetID"])
    assert seen == set(IDS[:21])


def test_no_cell_is_a_formula_and_numbers_stay_numbers() -> None:
    with_records([record(key, **{"=1+1": "-x"}) for key in IDS])
    rows = {r["assetID"]: r for file in export(format="webp").glob("*/*.csv") for r in lines(file)}
    first = rows["ID00"]
    assert (first["creator"], first["locality"]) == ("'=cmd|' /C calc'!A0", "'+1")
    assert (first["'=1+1"], first["decimalLatitude"], first["year"]) == ("'-x", "-4.25", "1886")
    assert (rows["ID01"]["creator"], rows["ID01"]["country"]) == ("Ångström, “É” 2nd line", "日本")
    assert (rows["ID01"]["sex"], rows["ID02"]["year"]) == ("", "")
    texts = [v for row in rows.values() for k, v in row.items() if k != "decimalLatitude"]
    assert not [v for v in texts if v.startswith(("=", "+", "-", "@"))]


def test_the_card_counts_licences_and_says_what_is_left_out() -> None:
    collection()
    export()
    card = Path("o/README.md").read_text(encoding="utf-8")
    front, body = card.removeprefix("---\n").split("---\n", 1)
    assert "license: cc-by-4.0\n" in front
    assert "- n<1K\n" in front
    for split in ("train", "validation", "test"):
        assert f"  - split: {split}\n    path: data/{split}-*\n" in front
    assert "21 pictures of 11 specimens" in body
    assert f"| [CC BY 4.0](<{BY}>) | 21 |" in body
    assert "- 2 show no specimen that was found\n- 1 were refused" in body
    assert "makes no warranty" in body
    missing = [n for n in shards(Path("o"))["train"].column_names if f"| {n} |" not in body]
    assert not missing
    assert "| cutout_view | string | dorsal or ventral, where the record says so |" in body


def test_the_card_names_no_licence_at_its_top_where_pictures_differ() -> None:
    for other in ("All rights reserved", None):
        with_records([record(key, license=other if key == "ID05" else BY) for key in IDS])
        front = (export() / "README.md").read_text(encoding="utf-8").split("---\n")[1]
        assert "license: other\n" in front


def test_metadata_is_neither_html_nor_markdown_nor_yaml_in_the_card() -> None:
    evil = "<b>x</b>\n---\nlicense: mit\n[a](javascript:b)|`c`"
    with_records([record(k, license=evil, rightsHolder=evil, **{"a|<i>\nb": "x"}) for k in IDS])
    card = (export() / "README.md").read_text(encoding="utf-8")
    assert card.count("---\n") == 2 + card.count("|---\n")
    assert "license: mit" not in card.split("---\n")[1]
    assert "<b>" not in card
    assert "<i>" not in card
    assert plain("[a](javascript:b)|`c`") in card
    assert r"| a\|&lt;i&gt; b |" in card
    assert plain("__a__ _b_ box_x") == r"\_\_a\_\_ \_b\_ box_x"


def test_what_was_withdrawn_or_is_no_longer_listed_is_left_out() -> None:
    collection()
    assert {"ID06", "ID07", "ID08"} <= set(exported(export()))
    gone: dict[str, str] = {"ID06": "withdrawn", "ID07": "missing"}
    rows = [record(key, status=gone.get(key, "ok")) for key in IDS if key != "ID08"]
    write_records(Path("c"), table_of(rows))
    assert set(exported(export())) == set(IDS[:21]) - {"ID06", "ID07", "ID08"}
    card = Path("o/README.md").read_text(encoding="utf-8")
    assert "- 2 are not at hand" in card
    assert "- 1 were withdrawn\n" in card


@pytest.mark.parametrize("form", ["parquet", "png", "webp"])
def test_the_same_collection_gives_the_same_bytes(form: str) -> None:
    collection()
    one, other = export(format=form, out="one"), export(format=form, out="other")
    assert contents(one) == contents(other)
    assert "README.md" in contents(one)


def test_an_unchanged_export_is_skipped_and_a_changed_one_replaced_whole(
    capsys: pytest.CaptureFixture[str],
) -> None:
    collection()
    place = export()
    stamp = (place / "README.md").stat().st_mtime_ns
    assert export() == place
    assert "Nothing changed: o is up to date" in capsys.readouterr().out
    assert (place / "README.md").stat().st_mtime_ns == stamp
    export(format="webp")
    assert not (place / "data").exists()
    assert (place / "train" / "metadata.csv").is_file()
    assert not [p for p in Path().iterdir() if p.name.startswith(".")]


@pytest.mark.parametrize("form", ["parquet", "webp"])
def test_a_killed_export_leaves_no_half_one_and_goes_on(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection()
    whole = contents(export(format=form, out="whole"))

    def killed(*_: object) -> None:
        (Path("o/work") / ".half.1.tmp").touch()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(exporting, "write_card", killed)
        with pytest.raises(KeyboardInterrupt):
            export(format=form)
    assert {p.name for p in Path("o").iterdir()} == {"provenance.json", "work"}
    assert contents(export(format=form)) == whole


def test_a_killed_export_keeps_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    collection()
    before = contents(export())

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(exporting, "write_card", killed)
    with pytest.raises(KeyboardInterrupt):
        export(format="png")
    assert contents(Path("o")) == before


def test_shards_and_row_groups_are_bounded_and_lose_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    collection()
    one = shards(export(out="one"))
    monkeypatch.setattr(pictures, "SHARD_BYTES", 2000)
    monkeypatch.setattr(pictures, "GROUP", 2)
    many = export(out="many")
    names = sorted(p.name for p in (many / "data").glob("train-*"))
    count = len(names)
    assert names == [f"train-{n:05d}-of-{count:05d}.parquet" for n in range(count)]
    assert count > 2
    assert shards(many) == one
    for file in (many / "data").iterdir():
        parts = pq.ParquetFile(file).metadata
        assert max(parts.row_group(n).num_rows for n in range(parts.num_row_groups)) <= 2


def test_another_jobs_folder_is_never_replaced() -> None:
    place = collection()
    write_json(place / "provenance.json", {"job": "collect", "status": "finished"})
    with pytest.raises(UserError, match="c holds what `butterflies collect` made"):
        export(out="c", force=True)
    assert (place / "records.parquet").is_file()


def stopped(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as stop:
        main(["export", *words])
    return int(stop.value.code or 0), capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (
            (),
            2,
            "say what to export; there is: butterflies export cutouts, butterflies export static.",
        ),
        (("colection=c",), 2, "say what to export"),
        (("cutuots", "collection=c"), 2, "there is no export 'cutuots'; there is: butterflies"),
        (("cutouts",), 2, "collection=... is missing"),
        (("cutouts", "formt=png"), 2, "formt"),
        (("cutouts", "collection=c", "format=gif"), 1, "format=gif is none of parquet, png, webp."),
        (("cutouts", "collection=c", "cutouts=../x"), 1, "is not a name for a set of cut-outs"),
        (("cutouts", "collection=d"), 1, "d/cutouts.parquet does not exist: `butterflies cutout`"),
        (("cutouts", "collection=c", "cutouts=b"), 1, "c/b.parquet does not exist"),
    ],
)
def test_what_cannot_be_exported_is_one_sentence(
    words: tuple[str, ...], status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    collection()
    found, error = stopped(capsys, *words)
    assert (found, error.count("\n")) == (status, 1)
    assert said in error
    assert not Path("runs").exists()


def test_nothing_that_is_ok_is_a_sentence_and_leaves_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with_records([record(key, status="withdrawn") for key in IDS])
    found, error = stopped(capsys, "cutouts", "collection=c", "out=o")
    assert found == 1
    assert "c has no cut-out that is ok (24 withdrawn)" in error
    assert not Path("o").exists()


@pytest.mark.parametrize("words", [["--cfg", "job"], ["--cfg", "job", "cutouts", "out=x"]])
def test_the_settings_of_an_export_can_be_shown(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["export", *words])
    assert "format: parquet" in capsys.readouterr().out.splitlines()


def test_the_command_says_where_the_data_set_lies(capsys: pytest.CaptureFixture[str]) -> None:
    collection()
    main(["export", "cutouts", "collection=c", "out=an é b"])
    assert capsys.readouterr().out.startswith("an é b holds the data set")
    assert sorted(p.name for p in Path("an é b").iterdir()) == [
        *("README.md", "data", "provenance.json")
    ]
