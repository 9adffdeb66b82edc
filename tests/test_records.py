from pathlib import Path

import pyarrow as pa
import pytest

from butterflies.collection import records
from butterflies.collection.identity import asset_id, source_id, specimen_of
from butterflies.collection.records import (
    check,
    read_records,
    stream_records,
    table_of,
    write_records,
)
from butterflies.collection.splits import split_of
from butterflies.collection.values import normalise
from butterflies.errors import UserError


def rows(*ids: str) -> list[dict[str, object]]:
    return [{"assetID": key, "status": "ok", "specimen": key} for key in ids]


def test_a_table_comes_back_sorted_with_its_further_columns(tmp_path: Path) -> None:
    table = table_of([{**rows("b")[0], "collector": "Åsa, “the” 1st"}, *rows("a")])
    write_records(tmp_path, table)
    found = read_records(tmp_path)
    assert found["assetID"].to_pylist() == ["a", "b"]
    assert found["collector"].to_pylist() == [None, "Åsa, “the” 1st"]


def test_a_table_written_in_batches_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "BATCH", 2)
    whole = [{**row, "collector": "Åsa"} for row in rows("a", "b", "c", "d", "e")]
    stream_records(tmp_path, iter(whole), ["collector", "genus"])
    assert read_records(tmp_path).equals(table_of(whole))
    with pytest.raises(UserError, match="no valid id"):
        stream_records(tmp_path, iter(rows("../f")), [])
    assert read_records(tmp_path).num_rows == 5


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (rows("a", "A"), "row 2, column assetID: 'A' stands in row 1"),
        (rows("a", "../b"), "row 2, column assetID: '../b'"),
        ([{**rows("a")[0], "status": "fine"}], "row 1, column status: 'fine'"),
    ],
)
def test_a_bad_table_is_refused_with_row_and_column(
    tmp_path: Path, bad: list[dict[str, object]], said: str
) -> None:
    with pytest.raises(UserError, match=r"records\.parquet") as error:
        write_records(tmp_path, table_of(bad))
    assert said in str(error.value)
    assert not (tmp_path / "records.parquet").exists()


def test_a_missing_or_retyped_column_is_named() -> None:
    table = table_of(rows("a"))
    with pytest.raises(UserError, match="lacks the column genus"):
        check(table.drop_columns(["genus"]), "it")
    year = table.schema.get_field_index("year")
    with pytest.raises(UserError, match="column year: string found, int16 expected"):
        check(table.set_column(year, "year", pa.array(["x"])), "it")


def test_no_table_names_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="butterflies collect"):
        read_records(tmp_path)
    (tmp_path / "records.parquet").write_text("no Parquet")
    with pytest.raises(UserError, match="not a readable table"):
        read_records(tmp_path)


@pytest.mark.parametrize(
    ("record", "stem", "expected"),
    [
        ({"assetID": "x1", "associatedMedia": "https://a/b"}, "s", "x1"),
        ({"associatedMedia": "https://a/media/uu-id?size=1"}, "s", "uu-id"),
        ({"associatedMedia": "https://a/one | https://a/two"}, "s", "one"),
        ({"associatedMedia": "https://a/one\nhttps://a/two"}, "s", "one"),
        ({"associatedMedia": "https://a/media/uu-id/preview"}, "s", "uu-id"),
        ({"associatedMedia": "https://a/asset/0123abcd/contents/preview"}, "s", "0123abcd"),
        ({"associatedMedia": "https://[a/b"}, "s", "b"),
        ({}, "s", "s"),
        ({"assetID": ""}, None, None),
    ],
)
def test_source_id(record: dict[str, str | None], stem: str | None, expected: str | None) -> None:
    assert (source_id(record, stem) or None) == expected


def test_an_invalid_or_taken_id_becomes_a_stable_uuid() -> None:
    assert asset_id("BM_1.a", set()) == "BM_1.a"
    assert asset_id("BM_1", {"bm_1"}) == asset_id("BM_1", {"bm_1", "x"}) != "BM_1"
    for odd in ("é", "a b", "../x", "/x", "a\0b", "", "x" * 129, ".hidden", "nul", "Com1.jpg"):
        assert len(asset_id(odd, set())) == 36


def test_values_are_normalised_and_problems_name_row_and_column() -> None:
    raw: dict[str, str | None] = {"sex": " Female", "year": "1862.0", "month": "13", "day": "x"}
    record, problems = normalise({**raw, "decimalLatitude": "-10.5", "genus": " "}, "row 7")
    assert (record["sex"], record["verbatimSex"]) == ("female", "Female")
    assert (record["year"], record["month"], record["day"]) == (1862, None, None)
    assert (record["decimalLatitude"], record["genus"]) == (-10.5, None)
    assert [str(p)[:19] for p in problems] == ["row 7, column month", "row 7, column day: "]


@pytest.mark.parametrize(
    ("said", "sex"),
    [
        ("Male", "male"),
        ("MALES", "male"),
        ("m.", "male"),
        ("♀", "female"),
        ("Gynandromorph", "gynandromorph"),
        ("male?", None),
        ("male | female", None),
        ("worker", None),
    ],
)
def test_sexes(said: str, sex: str | None) -> None:
    assert normalise({"sex": said}, "row 1")[0]["sex"] == sex


def test_a_specimen_is_its_occurrence_then_its_number_then_its_photograph() -> None:
    assert specimen_of({"occurrenceID": "o", "catalogNumber": "c"}, "a") == "o"
    assert specimen_of({"occurrenceID": None, "catalogNumber": "c"}, "a") == "c"
    assert specimen_of({}, "a") == "a"


def test_the_split_holds_its_shares_and_never_moves() -> None:
    parts = [split_of(f"specimen {n}") for n in range(4000)]
    shares = [parts.count(p) / len(parts) for p in ("train", "validation", "test")]
    assert shares == pytest.approx([0.7, 0.1, 0.2], abs=0.02)
    assert [split_of(s) for s in ("EL75532", "ACC0152", "x")] == ["train", "train", "train"]
    assert [split_of(f"specimen {n}", 1) for n in range(100)] != parts[:100]


@pytest.mark.parametrize(
    ("event", "parts"),
    [
        ("1886-03-05", (1886, 3, 5)),
        ("1886-03-05T10:00:00Z", (1886, 3, 5)),
        ("1886-03", (1886, 3, None)),
        ("1886", (1886, None, None)),
        ("1886-03-05/1886-03-20", (1886, 3, None)),
        ("1886-03-05/1886-04-01", (1886, None, None)),
        ("1886/1890", (None, None, None)),
        ("5.3.1886", (None, None, None)),
        ("1886-13-05", (None, None, None)),
    ],
)
def test_an_event_date_gives_as_much_as_it_tells(
    event: str, parts: tuple[int | None, int | None, int | None]
) -> None:
    record, problems = normalise({"eventDate": event}, "row 1")
    assert (record["year"], record["month"], record["day"]) == parts
    assert not problems


def test_year_month_and_day_go_before_the_event_date_and_stay_partial() -> None:
    record, _ = normalise({"eventDate": "1900-01-02", "year": "1886"}, "row 1")
    assert (record["year"], record["month"], record["day"]) == (1886, None, None)
    record, _ = normalise({"year": "1886", "month": "3", "day": "5"}, "row 1")
    assert (record["year"], record["month"], record["day"]) == (1886, 3, 5)


def test_a_day_that_its_month_does_not_have_is_left_empty() -> None:
    record, problems = normalise({"year": "1886", "month": "2", "day": "30"}, "record 8")
    assert (record["year"], record["month"], record["day"]) == (1886, 2, None)
    assert [str(p) for p in problems] == [
        "record 8, column day: month 2 has no day 30; the day was left empty."
    ]
