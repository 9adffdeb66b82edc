"""The records table: one row per photograph, Darwin Core names, key `assetID`.

Darwin Core: https://dwc.tdwg.org/terms/. The table lies in `<collection>/records.parquet`.
"""

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa

from butterflies.errors import UserError
from butterflies.files import sha256
from butterflies.tables import STATUSES, read_table, schema, write_table

TEXT_COLUMNS = (
    "catalogNumber",
    "occurrenceID",
    "order",
    "family",
    "genus",
    "specificEpithet",
    "infraspecificEpithet",
    "scientificName",
    "higherClassification",
    "sex",
    "verbatimSex",
    "typeStatus",
    "country",
    "locality",
    "project",
    "modified",
    "associatedMedia",
    "title",
    "creator",
    "category",
    "view",
    "license",
    "rightsHolder",
)
RANGES = {
    "decimalLatitude": (-90, 90),
    "decimalLongitude": (-180, 180),
    "year": (1, 9999),
    "month": (1, 12),
    "day": (1, 31),
}
SCHEMA = schema(
    pa.field("specimen", pa.string()),
    pa.field("sourceID", pa.string()),
    pa.field("photo", pa.string()),
    pa.field("photo_bytes", pa.int64()),
    pa.field("photo_mtime_ns", pa.int64()),
    pa.field("sha256", pa.string()),
    pa.field("width", pa.int32()),
    pa.field("height", pa.int32()),
    *(pa.field(name, pa.string()) for name in TEXT_COLUMNS),
    pa.field("decimalLatitude", pa.float64()),
    pa.field("decimalLongitude", pa.float64()),
    *(pa.field(name, pa.int16()) for name in ("year", "month", "day")),
)
"""Any further column follows as string. `photo_bytes` and `photo_mtime_ns` tell whether `sha256`
still holds without reading the photograph again."""

OWN_COLUMNS = {f.name for f in SCHEMA} - {"assetID", *TEXT_COLUMNS, *RANGES}
"""Columns that this program fills; a source's columns of these names are not taken over."""

COMMAND = "butterflies collect"
ID_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
SEXES = {"male": "male", "m": "male", "♂": "male", "female": "female", "f": "female"} | {
    "♀": "female",
    "gynandromorph": "gynandromorph",
}


def read_records(collection: Path) -> pa.Table:
    """The records of a collection, sorted by assetID.

    Raises:
        UserError: there are none, or a row breaks the table's rules.
    """
    table = read_table(collection / "records.parquet", COMMAND)
    check(table, str(collection / "records.parquet"))
    return table


def write_records(collection: Path, table: pa.Table) -> None:
    check(table, str(collection / "records.parquet"))
    write_table(collection / "records.parquet", table)


def records_mark(collection: Path) -> str:
    """Fingerprint of the records table."""
    read_records(collection)
    return sha256(collection / "records.parquet")[:16]


def check(table: pa.Table, name: str) -> None:
    """Checks that a table is a records table.

    Raises:
        UserError: names the column that is missing or of another type, or the row and column at
            fault (rows count from 1).
    """
    for field in SCHEMA:
        if field.name not in table.column_names:
            raise UserError(f"{name} lacks the column {field.name}: `{COMMAND}` writes it anew.")
        found = table.schema.field(field.name).type
        if found != field.type:
            raise UserError(f"{name}, column {field.name}: {found} found, {field.type} expected.")
    _check_ids(table["assetID"].to_pylist(), name)
    for row, status in enumerate(table["status"].to_pylist(), 1):
        if status not in STATUSES:
            raise UserError(
                f"{name}, row {row}, column status: {status!r} is none of {', '.join(STATUSES)}."
            )


def _check_ids(ids: list[Any], name: str) -> None:
    seen: dict[str, int] = {}
    for row, asset_id in enumerate(ids, 1):
        if not isinstance(asset_id, str) or not ID_PATTERN.fullmatch(asset_id):
            raise UserError(f"{name}, row {row}, column assetID: {asset_id!r} is no valid id.")
        if asset_id.lower() in seen:
            raise UserError(
                f"{name}, row {row}, column assetID: {asset_id!r} stands in row "
                f"{seen[asset_id.lower()]} already (upper and lower case count as one)."
            )
        seen[asset_id.lower()] = row


def source_id(record: Mapping[str, str | None], stem: str | None = None) -> str | None:
    """What a source calls a photograph: assetID, else the end of associatedMedia, else the stem.

    >>> source_id({"associatedMedia": "https://data.nhm.ac.uk/media/6b39f8c1"})
    '6b39f8c1'
    """
    if record.get("assetID"):
        return record["assetID"]
    media = re.split(r"\s*\|\s*|\s+", (record.get("associatedMedia") or "").strip())[0]
    return PurePosixPath(urlsplit(media).path).name or stem


def asset_id(source: str, taken: set[str]) -> str:
    """A valid assetID for a source's id, unique ignoring case.

    Args:
        source: the source's own id.
        taken: assetIDs in use, in lower case.

    Returns:
        `source` itself where it is valid and free, else its uuid5.
    """
    if ID_PATTERN.fullmatch(source) and source.lower() not in taken:
        return source
    return str(uuid.uuid5(uuid.NAMESPACE_URL, source))


@dataclass(frozen=True)
class Problem:
    """A value that was left empty, and where it stood; rows count from 1, without the header."""

    row: int
    column: str
    sentence: str

    def __str__(self) -> str:
        return f"row {self.row}, column {self.column}: {self.sentence}"


def normalise(raw: Mapping[str, str | None], row: int) -> tuple[dict[str, Any], list[Problem]]:
    """A source's row of texts as a row of the records table.

    Texts are stripped and empty ones become null; sexes become male, female, gynandromorph or
    null with the original in verbatimSex; numbers that are none, or out of range, become null
    and a problem.
    """
    taken = {k: v for k, v in raw.items() if k not in OWN_COLUMNS}
    record: dict[str, Any] = {k: (v or "").strip() or None for k, v in taken.items()}
    problems: list[Problem] = []
    for column in RANGES:
        value, sentence = _number(column, record.get(column))
        record[column] = value
        if sentence:
            problems.append(Problem(row, column, sentence))
    record["verbatimSex"] = record.get("verbatimSex") or record.get("sex")
    record["sex"] = SEXES.get((record["verbatimSex"] or "").lower())
    return record, problems


def _number(column: str, text: str | None) -> tuple[float | int | None, str | None]:
    if text is None:
        return None, None
    convert: Callable[[str], float] = float if column.startswith("decimal") else _whole
    low, high = RANGES[column]
    try:
        number = convert(text)
    except ValueError:
        return None, f"{text!r} is not a number and was left empty."
    if not low <= number <= high:
        return None, f"{text} is not between {low} and {high} and was left empty."
    return number, None


def _whole(text: str) -> int:
    number = float(text)
    if number != int(number):
        raise ValueError(text)
    return int(number)


def specimen_of(record: Mapping[str, Any], key: str) -> str:
    """The specimen that a photograph shows: occurrenceID, else catalogNumber, else the assetID."""
    return str(record.get("occurrenceID") or record.get("catalogNumber") or key)


def table_of(rows: list[dict[str, Any]]) -> pa.Table:
    """A records table of rows that have assetID and status; unknown keys become strings."""
    further = sorted({k for row in rows for k in row} - set(SCHEMA.names) - {""})
    whole = pa.schema([*SCHEMA, *(pa.field(name, pa.string()) for name in further)])
    filled = [{name: row.get(name) for name in whole.names} for row in rows]
    return pa.Table.from_pylist(filled, schema=whole)
