from pathlib import Path

import pyarrow as pa
import pytest

from butterflies.collection.records import (
    asset_id,
    check,
    normalise,
    read_records,
    source_id,
    specimen_of,
    table_of,
    write_records,
)
from butterflies.collection.splits import split_of
from butterflies.errors import UserError


def rows(*ids: str) -> list[dict[str, object]]:
    return [{"assetID": key, "status": "ok", "specimen": key} for key in ids]


def test_a_table_comes_back_sorted_with_its_further_columns(tmp_path: Path) -> None:
    table = table_of([{**rows("b")[0], "collector": "Åsa, “the” 1st"}, *rows("a")])
    write_records(tmp_path, table)
    found = read_records(tmp_path)
    assert found["assetID"].to_pylist() == ["a", "b"]
    assert found["collector"].to_pylist() == [None, "Åsa, “the” 1st"]


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
        ({}, "s", "s"),
        ({"assetID": ""}, None, None),
    ],
)
def test_source_id(record: dict[str, str | None], stem: str | None, expected: str | None) -> None:
    assert (source_id(record, stem) or None) == expected


def test_an_invalid_or_taken_id_becomes_a_stable_uuid() -> None:
    assert asset_id("BM_1.a", set()) == "BM_1.a"
    assert asset_id("BM_1", {"bm_1"}) == asset_id("BM_1", {"bm_1", "x"}) != "BM_1"
    for odd in ("é", "a b", "../x", "", "x" * 129, ".hidden"):
        assert len(asset_id(odd, set())) == 36


def test_values_are_normalised_and_problems_name_row_and_column() -> None:
    raw: dict[str, str | None] = {"sex": " Female", "year": "1862.0", "month": "13", "day": "x"}
    record, problems = normalise({**raw, "decimalLatitude": "-10.5", "genus": " "}, 7)
    assert (record["sex"], record["verbatimSex"]) == ("female", "Female")
    assert (record["year"], record["month"], record["day"]) == (1862, None, None)
    assert (record["decimalLatitude"], record["genus"]) == (-10.5, None)
    assert [str(p)[:19] for p in problems] == ["row 7, column month", "row 7, column day: "]


@pytest.mark.parametrize(
    ("said", "sex"),
    [("Male", "male"), ("♀", "female"), ("Gynandromorph", "gynandromorph"), ("worker", None)],
)
def test_sexes(said: str, sex: str | None) -> None:
    assert normalise({"sex": said}, 1)[0]["sex"] == sex


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
