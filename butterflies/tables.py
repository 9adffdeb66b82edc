"""Parquet tables with one row per assetID, a status and a reason."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from butterflies.errors import UserError
from butterflies.files import writing

BATCH = 4096
"""Rows that are dictionaries at a time."""

STATUSES = ("ok", "unreadable", "missing", "no_specimen", "refused", "failed", "withdrawn")
KEY_FIELDS = (
    pa.field("assetID", pa.string(), nullable=False),
    pa.field("status", pa.string(), nullable=False),
    pa.field("reason", pa.string()),
)


def schema(*fields: pa.Field) -> pa.Schema:
    """A table's schema: assetID, status, reason, then its own fields."""
    return pa.schema([*KEY_FIELDS, *fields])


def write_table(path: Path, table: pa.Table, **metadata: str) -> None:
    """Writes `table` by rename, sorted by assetID; `metadata` goes into the file's schema.

    Raises:
        ValueError: two rows share an assetID and the table is keyed by it alone.
    """
    if "assetID" in table.column_names and "zoom" not in table.column_names:
        table = table.sort_by("assetID")
        if pc.count_distinct(table["assetID"]).as_py() != table.num_rows:
            raise ValueError(f"{path.name}: two rows share an assetID")
    kept = {**(table.schema.metadata or {}), **{k: v.encode() for k, v in metadata.items()}}
    with writing(path) as temporary:
        pq.write_table(table.replace_schema_metadata(kept), temporary)


def read_table(path: Path, made_by: str, columns: Sequence[str] | None = None) -> pa.Table:
    """Reads a Parquet table.

    Args:
        path: the file.
        made_by: the command that makes it, for the message when it is not there.
        columns: only these.

    Raises:
        UserError: there is no such table, or it is none.
    """
    if not path.is_file():
        raise UserError(f"{path} does not exist: `{made_by}` makes it.")
    try:
        return pq.read_table(path, columns=columns)
    except (pa.ArrowInvalid, OSError, KeyError) as error:
        first = str(error).splitlines()[0]
        raise UserError(
            f"{path} is not a readable table ({first}): `{made_by}` makes it."
        ) from None


def ok_rows(table: pa.Table) -> list[dict[str, Any]]:
    """The rows whose status is ok, as dictionaries, in the table's order."""
    rows: list[dict[str, Any]] = table.filter(pc.equal(table["status"], "ok")).to_pylist()
    return rows


def stream_rows(table: pa.Table, columns: Iterable[str] | None = None) -> Iterator[dict[str, Any]]:
    """The rows as dictionaries, in the table's order, of which a few thousand are held at a time.

    Args:
        table: may have a million rows.
        columns: only these, as far as the table has them.
    """
    if columns is not None:
        wanted = set(columns)
        table = table.select([name for name in table.column_names if name in wanted])
    for batch in table.to_batches(max_chunksize=BATCH):
        yield from batch.to_pylist()


def from_rows(rows: Iterable[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    """A table of `rows`; a column that a row lacks is null there."""
    names = schema.names
    return pa.Table.from_pylist([{n: row.get(n) for n in names} for row in rows], schema=schema)


def with_statuses(
    source: pa.Table, ids: Sequence[str], made: Mapping[str, Any], whole: pa.Schema
) -> pa.Table:
    """A row for every row of `source`, with `made` for `ids`, null and its reason for the others.

    Args:
        source: a table with assetID, status, reason.
        ids: assetIDs that something was made for.
        made: column name -> Arrow values in the order of `ids`.
        whole: the schema of the result.
    """
    keys = source.select(["assetID", "status", "reason"]).sort_by("assetID").combine_chunks()
    where = pc.index_in(keys["assetID"], pa.array(ids, pa.string()))
    columns = [made[n].take(where) if n in made else keys[n] for n in whole.names]
    return pa.table(columns, schema=whole)


def formula_safe(text: str) -> str:
    """A text that a spreadsheet shows and does not run (OWASP, CSV injection).

    >>> formula_safe("=1+1")
    "'=1+1"
    """
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def count_statuses(table: pa.Table) -> str:
    """`640 ok, 3 unreadable`: for closing summaries, in the order of STATUSES."""
    counts = Counter(table["status"].to_pylist())
    return ", ".join(f"{counts[name]:,} {name}" for name in STATUSES if counts[name]) or "no rows"
