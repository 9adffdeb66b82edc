import gzip
from pathlib import Path

import pytest

from butterflies.collection.sources.csvfile import LONGEST, read_csv
from butterflies.errors import UserError


def read(data: bytes, name: str = "r.csv") -> tuple[list[dict[str, str | None]], list[str]]:
    Path(name).write_bytes(data)
    return read_csv(Path(name))


@pytest.mark.parametrize(
    "data",
    [
        "id,sex\r\n1,é\r\n".encode(),
        "id;sex\n1;é".encode(),
        "id\tsex\r1\té\r".encode(),
        "id,sex\n1,é\n".encode("utf-8-sig"),
        "id,sex\n1,é\n".encode("utf-16"),
        b"\xfe\xff" + "id,sex\n1,é\n".encode("utf-16-be"),
        gzip.compress("id,sex\n1,é\n".encode(), mtime=0),
        '\n\n"id","sex"\n\n"1","é"\n ,\n'.encode(),
    ],
)
def test_separators_line_ends_encodings_and_packing_do_not_matter(data: bytes) -> None:
    assert read(data) == ([{"id": "1", "sex": "é"}], [])


def test_darwin_core_names_are_found_whatever_their_spelling() -> None:
    header = "Type Status,AssociatedMedia,decimal_latitude,dwc:genus,Locality latitude,"
    header += "http://purl.org/dc/terms/rightsHolder,file"
    rows, _ = read(f"{header}\n1,2,3,4,5,6,7\n".encode())
    expected = ["typeStatus", "associatedMedia", "decimalLatitude", "genus", "Locality latitude"]
    assert list(rows[0]) == [*expected, "rightsHolder", "file"]


def test_lines_that_are_not_utf_8_are_read_as_windows_1252_and_told() -> None:
    lines = [b"id,place", "1,é".encode(), *("2,Ba\xf1os \x80".encode("latin-1"),) * 5]
    rows, notes = read(b"\n".join(lines))
    assert [row["place"] for row in rows] == ["é", *["Baños €"] * 5]
    assert len(notes) == 4
    assert notes[0] == ("r.csv, line 3 is not UTF-8: such lines are read as Windows-1252.")
    assert notes[-1] == "Lines of r.csv read as Windows-1252: 5 in all."


def test_a_field_may_hold_line_breaks_and_quotation_marks() -> None:
    rows, _ = read(b'id,note\n1,"a ""b""\nc"\n')
    assert rows == [{"id": "1", "note": 'a "b"\nc'}]


def test_short_and_long_rows_are_kept_and_told() -> None:
    rows, notes = read(b"id,a,b\n1,2\n1,2,3,4\n")
    assert rows == [{"id": "1", "a": "2", "b": ""}, {"id": "1", "a": "2", "b": "3"}]
    assert notes == [
        "r.csv, row 1 has 2 fields instead of 3.",
        "r.csv, row 2 has 4 fields instead of 3.",
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"id,a\n", "has a header and no rows"),
        (b"Type status,typeStatus\n1,2\n", "two columns named typeStatus"),
        (b"id,a\n1,\0\n", "not a text file"),
        ("id,a\n1,2\n".encode("utf-16-le"), "not a text file"),
        (b"\xff\xfe" + b"i\0d\0\n\0\x31", "is not utf-16"),
        (
            b'id,a\n1,"' + (b"x" * 999 + b"\n") * 1_100 + b"y",
            "line .*: field larger than .* never closed",
        ),
        (b"x" * LONGEST, "line 1 has no end"),
        (gzip.compress(b"id,a\n1,2\n" * 99, mtime=0)[:-20], "cannot be unpacked"),
    ],
)
def test_what_is_no_table_is_refused_in_a_sentence(data: bytes, said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        read(data)
    assert "\n" not in str(caught.value)


def test_a_folder_in_place_of_a_table_is_named() -> None:
    with pytest.raises(UserError, match=r"records=\. is a folder; a CSV with a header is expected"):
        read_csv(Path())
    with pytest.raises(UserError, match=r"records=x\.csv: there is no such file"):
        read_csv(Path("x.csv"))
