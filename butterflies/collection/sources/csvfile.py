"""CSVs of records, read as a stream with messages that name the row."""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import BinaryIO, cast

from butterflies.collection.sources.notes import Notes
from butterflies.collection.sources.terms import column_name
from butterflies.collection.sources.zips import open_file
from butterflies.errors import UserError

LONGEST = 1 << 20
"""Characters of a line or field: a museum's field can hold hundreds of addresses."""
csv.field_size_limit(LONGEST)

EXPECTED = "a CSV with a header"
NOT_DECODED = re.compile("[\udc80-\udcff]")
"""Bytes that were not decoded (PEP 383)."""


@dataclass(frozen=True)
class Shape:
    """How a table is written; as its header tells where `delimiter` is empty."""

    delimiter: str = ""
    quote: str = '"'
    encoding: str = "utf-8"


PLAIN = Shape()


def read_csv(path: Path) -> tuple[list[dict[str, str | None]], list[str]]:
    """Reads a CSV with a header: comma, semicolon or tab; packed with gzip or not.

    Returns:
        The rows, and sentences for what was odd about them.

    Raises:
        UserError: there is no such file, or it is not such a CSV.
    """
    notes = Notes()
    with open_file(path, "records", EXPECTED) as stream:
        table = Table(stream, str(path), notes)
        rows: list[dict[str, str | None]] = [
            dict(zip(table.names, row, strict=False)) for row in table.rows()
        ]
    said = notes.take() + notes.rest()
    if not rows:
        raise UserError(" ".join([no_rows(path), *said]))
    return rows, said


def no_rows(name: object) -> str:
    return f"{name} has a header and no rows: a row for each photograph or specimen is expected."


class Table:
    """A CSV with a header, read once from top to bottom.

    Attributes:
        name: what messages call it.
        names: of its columns, see `terms.column_name`.
    """

    def __init__(self, stream: BinaryIO, name: str, notes: Notes, shape: Shape = PLAIN) -> None:
        """Reads the header.

        Raises:
            UserError: there is none, or two columns have the same name.
        """
        self.name, self._notes = name, notes
        self._rows = raw_rows(stream, name, notes, shape)
        header = next(self._rows, None)
        if header is None:
            raise UserError(f"{name} is empty: {EXPECTED} is expected.")
        self.names = [column_name(text) for text in header]
        check_names(self.names, name)

    def rows(self) -> Iterator[list[str]]:
        """The rows, as long as the header or longer."""
        return fitted(self._rows, len(self.names), self.name, self._notes)


def check_names(names: Sequence[str], name: str) -> None:
    """Raises a UserError where no column has a name, or two have the same."""
    named = [n for n in names if n]
    if not named:
        raise UserError(f"{name} has no header: its first line must name the columns.")
    one, times = Counter(named).most_common(1)[0]
    if times > 1:
        raise UserError(f"{name} has two columns named {one}: give one another name.")


def raw_rows(
    stream: BinaryIO, name: str, notes: Notes, shape: Shape = PLAIN
) -> Iterator[list[str]]:
    """The rows of a CSV, its header among them; blank ones are left out."""
    lines = _lines(stream, name, notes, shape.encoding)
    first = next(lines, "")
    delimiter, quote = shape.delimiter, shape.quote
    if not delimiter:
        delimiter = max(",;\t", key=first.count)
        if delimiter == "\t" and "gbifID" in first:
            quote = ""  # GBIF never quotes (portal 2.2): a lone " belongs to the text
    text = chain([first], lines)
    reader = (
        csv.reader(text, delimiter=delimiter, quotechar=quote)
        if quote
        else csv.reader(text, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    )
    try:
        for row in reader:
            if row and (row[0].strip() or any(map(str.strip, row))):
                yield row
    except csv.Error as error:
        raise UserError(
            f"{name}, line {reader.line_num}: {error}; perhaps a quotation mark is never closed."
        ) from None


def fitted(rows: Iterable[list[str]], width: int, name: str, notes: Notes) -> Iterator[list[str]]:
    """The rows of the table `name`, short ones filled up to `width` fields."""
    for number, row in enumerate(rows, 1):
        if len(row) != width:
            said = f"{name}, row {number} has {len(row)} fields instead of {width}."
            notes.add(f"rows of {name} with too many or too few fields", said)
            row = row + [""] * (width - len(row))
        yield row


def keyed(
    rows: Iterable[list[str]],
    key: int,
    columns: Sequence[tuple[int, str]],
    name: str,
    notes: Notes,
    defaults: Mapping[str, str] | None = None,
) -> Iterator[tuple[str, dict[str, str]]]:
    """Rows as (id, column -> text); texts are stripped, empty ones left out.

    Args:
        rows: fields by index.
        key: index of the id.
        columns: index and name of each column; the last text of a name holds.
        name: what messages call the table.
        notes: get the rows without an id, which are left out.
        defaults: texts of columns that a row leaves empty.
    """
    for number, row in enumerate(rows, 1):
        found = row[key].strip()
        if not found:
            said = f"{name}, row {number} has no id and is left out."
            notes.add(f"rows of {name} without an id", said)
            continue
        texts = {column: text for i, column in columns if (text := row[i].strip())}
        yield found, {**defaults, **texts} if defaults else texts


def _lines(stream: BinaryIO, name: str, notes: Notes, encoding: str) -> Iterator[str]:
    text = _decoder(stream, name, encoding)
    try:
        for number in count(1):
            line = text.readline(LONGEST)
            if not line:
                return
            if "\0" in line or not line.isascii() or len(line) == LONGEST:
                line = _checked(line, text.encoding, f"{name}, line {number}", name, notes)
            yield line
    except UnicodeDecodeError as error:
        raise UserError(f"{name} is not {error.encoding} as it says: {error.reason}.") from None
    finally:
        with suppress(ValueError):  # closed already
            text.detach()


def _checked(line: str, encoding: str, where: str, name: str, notes: Notes) -> str:
    if "\0" in line:
        raise UserError(f"{name} is not a text file: {EXPECTED} is expected.")
    if len(line) == LONGEST:
        raise UserError(f"{where} has no end: {EXPECTED} is expected.")
    if line.isascii() or not NOT_DECODED.search(line):
        return line
    said = f"{where} is not UTF-8: such lines are read as Windows-1252."
    notes.add(f"lines of {name} read as Windows-1252", said)
    return line.encode(encoding, "surrogateescape").decode("cp1252", "replace")


def _decoder(stream: BinaryIO, name: str, encoding: str) -> io.TextIOWrapper:
    """Text by its byte order mark, else in `encoding`."""
    buffered = cast(io.BufferedReader, stream)
    start = buffered.peek(4)[:4]
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return io.TextIOWrapper(buffered, "utf-16", newline="")
    if start.startswith(codecs.BOM_UTF8):
        buffered.read(3)
        encoding = "utf-8"
    try:
        return io.TextIOWrapper(buffered, encoding, "surrogateescape", newline="")
    except (LookupError, ValueError):
        raise UserError(f"{name}: the encoding {encoding!r} is unknown; use UTF-8.") from None
