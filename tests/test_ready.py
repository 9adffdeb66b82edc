from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from butterflies.encoding.codes import codes_column
from butterflies.errors import UserError
from butterflies.mapping.ready import lacking, matched, read_positions, read_vectors
from butterflies.tables import write_table

CODES = np.arange(6, dtype=np.float32).reshape(3, 2)


def saved(codes: Any, ids: str = "a\nb\nc\n") -> tuple[Path, Path]:
    np.save("codes.npy", codes)
    Path("ids.txt").write_text(ids)
    return Path("codes.npy"), Path("ids.txt")


def csv(text: str) -> Path:
    Path("xy.csv").write_text(text)
    return Path("xy.csv")


@pytest.mark.parametrize("ids", ["a\nb\nc", "a\r\nb\r\nc\r\n", "assetID\na\nb\nc\n\n"])
@pytest.mark.parametrize("kind", ["float32", "float64", "int16"])
def test_an_array_and_its_ids_are_read(ids: str, kind: str) -> None:
    names, codes = read_vectors(*saved(CODES.astype(kind), ids))
    assert names == ["a", "b", "c"]
    assert codes.dtype == np.float32
    assert np.array_equal(codes, CODES)


def test_a_table_is_read_without_its_rows_that_are_not_ok() -> None:
    columns = {
        "assetID": ["a", "b", "c"],
        "status": ["ok", "refused", "ok"],
        "code": codes_column(CODES),
    }
    write_table(Path("codes.parquet"), pa.table(columns))
    names, codes = read_vectors(Path("codes.parquet"), None)
    assert names == ["a", "c"]
    assert np.array_equal(codes, CODES[[0, 2]])


@pytest.mark.parametrize(
    ("codes", "ids", "sentence"),
    [
        (CODES, "a\nb\n", "has 3 codes and ids.txt 2 assetIDs"),
        (CODES, "a\nb\na\n", "row 3: a stands there twice"),
        (CODES, "a\n\nc\n", "row 2: there is no assetID"),
        (CODES[:, 0], "a\nb\nc\n", "is 3 float32: numbers"),
        (CODES[:0], "", "is empty"),
        (CODES.astype(str), "a\nb\nc\n", "numbers .* are expected"),
        (CODES + np.array([0, np.inf]), "a\nb\nc\n", "3 of 3 rows .* the first that of a"),
        (np.where(CODES == 2, np.nan, CODES), "a\nb\nc\n", "1 of 3 rows .* the first that of b"),
    ],
)
def test_arrays_that_cannot_be_codes_are_said(codes: Any, ids: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        read_vectors(*saved(codes, ids))


def test_files_that_are_not_there_or_something_else_are_said() -> None:
    codes, ids = saved(CODES)
    Path("text.npy").write_text("no array")
    Path("ids.bin").write_bytes(b"\xff\xfe\xff")
    write_table(Path("other.parquet"), pa.table({"assetID": ["a"], "x": [1.0]}))
    ragged = pa.table({"assetID": ["a", "b"], "code": [[1.0], [1.0, 2.0]]})
    write_table(Path("ragged.parquet"), ragged)
    for given, beside, sentence in (
        (codes, None, "has no assetIDs: give ids="),
        (codes, Path("gone.txt"), "is no readable text"),
        (codes, Path("ids.bin"), "is no readable text"),
        (Path("text.npy"), ids, "is no readable array"),
        (Path("gone.npy"), ids, "is no readable array"),
        (Path("gone.parquet"), None, "does not exist"),
        (Path("other.parquet"), None, "lacks assetID or code"),
        (Path("ragged.parquet"), None, "of one length"),
        (Path("other.parquet"), ids, "goes with a .npy file"),
    ):
        with pytest.raises(UserError, match=sentence):
            read_vectors(given, beside)


def test_positions_are_read_whatever_else_stands_beside_them() -> None:
    names, places = read_positions(csv("name;x;assetID;y\nP;1.5;a;-2\nQ;3e2;b;0\n"))
    assert names == ["a", "b"]
    assert places.tolist() == [[1.5, -2], [300, 0]]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("assetID,x\na,1\n", "lacks the column y"),
        ("assetID,x,y\na,1,2\na,2,3\n", "row 2: a stands there twice"),
        ("assetID,x,y\na,1,2\nb,two,3\n", "1 of 2 rows .* the first that of b"),
        ("assetID,x,y\na,1,\n", "the first that of a"),
        ("assetID,x,y\n", "no rows"),
    ],
)
def test_positions_that_are_none_are_said(text: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        read_positions(csv(text))


def test_positions_that_are_not_there_are_said() -> None:
    with pytest.raises(UserError, match=r"positions=gone.csv does not exist"):
        read_positions(Path("gone.csv"))


def test_each_wanted_finds_its_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert matched(["c", "a", "x", "y"], ["a", "b", "c"], "f").tolist() == [1, -1, 0]
    assert "2 assetIDs of f are no cut-outs" in capsys.readouterr().out
    assert matched(["b", "a"], ["a", "b"], "f").tolist() == [1, 0]
    assert capsys.readouterr().out == ""


def test_ids_of_something_else_are_said() -> None:
    with pytest.raises(UserError, match=r"None of the 1 assetIDs of f, such as x, is a cut-out"):
        matched(["x"], ["a"], "f")


def test_who_lacks_something_is_missing_and_keeps_another_reason() -> None:
    columns = {"assetID": ["a", "b", "c"], "status": ["ok", "ok", "refused"]}
    table = pa.table({**columns, "reason": [None, None, "Blurred."]})
    assert lacking(table, ["a"], "No code.").to_pylist() == [
        {"assetID": "a", "status": "ok", "reason": None},
        {"assetID": "b", "status": "missing", "reason": "No code."},
        {"assetID": "c", "status": "refused", "reason": "Blurred."},
    ]
