"""A CSV of records, read with messages that name the row."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from butterflies.errors import UserError

csv.field_size_limit(1 << 24)  # one field of a museum's table can hold hundreds of addresses


def read_csv(path: Path) -> tuple[list[dict[str, str | None]], list[str]]:
    """Reads a CSV with a header: UTF-8; comma, semicolon or tab.

    Returns:
        The rows, and a sentence for each row that has more or fewer fields than the header.

    Raises:
        UserError: there is no such file, or it is not such a CSV.
    """
    text = _text(path)
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(header, path)
        return _rows(reader, header, path)
    except csv.Error as error:
        raise UserError(f"{path}, line {reader.line_num}: {error}.") from None


def _rows(
    reader: Iterator[list[str]], header: list[str], path: Path
) -> tuple[list[dict[str, str | None]], list[str]]:
    rows: list[dict[str, str | None]] = []
    notes = []
    for fields in reader:
        if not any(field.strip() for field in fields):
            continue
        if len(fields) != len(header):
            notes.append(f"row {len(rows) + 1} has {len(fields)} fields instead of {len(header)}.")
        padded = [*fields, *[""] * (len(header) - len(fields))]
        rows.append(dict(zip(header, padded, strict=False)))
    if not rows:
        raise UserError(f"{path} has a header and no rows: a row for each photograph is expected.")
    return rows, notes


def _text(path: Path) -> str:
    if not path.is_file():
        raise UserError(f"records={path}: there is no such file; a CSV with a header is expected.")
    data = path.read_bytes()
    if not data.strip():
        raise UserError(f"{path} is empty: a CSV with a header is expected.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UserError(f"{path}, line {line} is not UTF-8: save the file as UTF-8.") from None
    if "\0" in text:
        raise UserError(f"{path} is not a text file: a CSV with a header is expected.")
    return text


def _check_header(header: list[str], path: Path) -> None:
    named = [name for name in header if name]
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        raise UserError(f"{path} has two columns named {twice[0]}: give one another name.")
    if not named:
        raise UserError(f"{path} has no header: its first line must name the columns.")
