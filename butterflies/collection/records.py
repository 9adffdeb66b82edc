"""The records table: one row per photograph, Darwin Core names, key `assetID`.

Darwin Core: https://dwc.tdwg.org/terms/. The table lies in `<collection>/records.parquet`.
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from butterflies.collection.identity import ID_PATTERN
from butterflies.errors import UserError
from butterflies.files import sha256, writing
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
BATCH = 4000
"""Rows that are written at once; as Python objects they take some 25 kB each."""


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


def stream_records(
    collection: Path, rows: Iterable[Mapping[str, Any]], further: Iterable[str]
) -> None:
    """Writes the records table a batch at a time, so that a million rows need little memory.

    Args:
        collection: the collection's folder.
        rows: sorted by assetID, each assetID once.
        further: the names of all columns beyond SCHEMA that occur in `rows`.

    Raises:
        UserError: a row's assetID is no valid id.
    """
    path, whole = collection / "records.parquet", _schema(further)
    with writing(path) as temporary, pq.ParquetWriter(temporary, whole) as file:
        for batch in _batches(rows):
            _check_ids([row["assetID"] for row in batch], str(path))
            filled = [{name: row.get(name) for name in whole.names} for row in batch]
            file.write_table(pa.Table.from_pylist(filled, schema=whole))


def _batches(rows: Iterable[Mapping[str, Any]]) -> Iterable[list[Mapping[str, Any]]]:
    left = iter(rows)
    while batch := list(islice(left, BATCH)):
        yield batch


def _schema(further: Iterable[str]) -> pa.Schema:
    names = sorted(set(further) - set(SCHEMA.names) - {""})
    return pa.schema([*SCHEMA, *(pa.field(name, pa.string()) for name in names)])


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


def table_of(rows: list[dict[str, Any]]) -> pa.Table:
    """A records table of rows that have assetID and status; unknown keys become strings."""
    whole = _schema({key for row in rows for key in row})
    filled = [{name: row.get(name) for name in whole.names} for row in rows]
    return pa.Table.from_pylist(filled, schema=whole)
