"""The rows of a data set of cut-outs: records and cut-outs joined by assetID, with their credits.

A name belongs to one column. The record's Darwin Core columns keep theirs; a column of the
cut-outs that one of them has already is called `cutout_<name>`, and a further column of the source
that any of these has already `<name>_recorded`.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, get_args

import pyarrow as pa
import pyarrow.compute as pc

from butterflies.collection.identity import ID_PATTERN
from butterflies.collection.records import SCHEMA
from butterflies.collection.splits import Split, split_of
from butterflies.errors import UserError
from butterflies.rendering import credits
from butterflies.rendering.cards import media, record_link, text
from butterflies.tables import BATCH, STATUSES

SHARED = ("assetID", "specimen", "status", "reason")
OF_RECORDS = (*SHARED, "photo", "photo_bytes", "photo_mtime_ns")
OF_CUTOUTS = (*SHARED, "part", "row")
"""Columns of either table that are not taken over; `photo` may be a path of this machine."""

PAGE = "record"
"""The column with the address of the record's page, as in credits.csv."""

FILE_NAMES = re.compile(r"(.*_)?file_names?", re.IGNORECASE)
"""Columns that the `datasets` library takes for paths of pictures."""

CREDITS = pa.schema([pa.field(name, pa.string()) for name in (*credits.COLUMNS[1:], PAGE)])


@dataclass(frozen=True)
class Rows:
    """The pictures of a data set.

    Attributes:
        splits: split -> its rows without pictures, sorted by assetID; no split is empty.
        left_out: status -> photographs that have none.
    """

    splits: dict[Split, pa.Table]
    left_out: dict[str, int]

    @property
    def schema(self) -> pa.Schema:
        return next(iter(self.splits.values())).schema

    def __len__(self) -> int:
        return sum(table.num_rows for table in self.splits.values())

    def column(self, name: str) -> list[Any]:
        """The values of a column in all splits."""
        return [v for table in self.splits.values() for v in table[name].to_pylist()]


def gather(records: pa.Table, cutouts: pa.Table) -> Rows:
    """Joins the cut-outs that are ok with their records that are ok, and splits them by specimen.

    Args:
        records: the records table; a cut-out without a record is left out as `missing`.
        cutouts: the cut-outs' table.

    Raises:
        UserError: an assetID is no valid id.
    """
    cutouts = cutouts.sort_by("assetID").combine_chunks()
    records = records.combine_chunks()
    where = pc.index_in(cutouts["assetID"], records["assetID"].combine_chunks())
    recorded = pc.fill_null(records["status"].take(where), "missing")
    status = pc.if_else(pc.equal(recorded, "ok"), cutouts["status"], recorded)
    counts = Counter(status.to_pylist())
    ok = pc.equal(status, "ok")
    table = _joined(records.take(where.filter(ok)), cutouts.filter(ok))
    _check(table["assetID"].to_pylist())
    found = [split_of(specimen) for specimen in table["specimen"].to_pylist()]
    rows = {split: [n for n, s in enumerate(found) if s == split] for split in get_args(Split)}
    return Rows(
        {split: table.take(numbers) for split, numbers in rows.items() if numbers},
        {name: counts[name] for name in STATUSES if name != "ok" and counts[name]},
    )


def _check(ids: Iterable[str]) -> None:
    """An assetID becomes the name of a file."""
    for asset_id in ids:
        if not ID_PATTERN.fullmatch(asset_id):
            raise UserError(f"{asset_id!r} is no valid assetID: run `butterflies collect` again.")


def _joined(records: pa.Table, cutouts: pa.Table) -> pa.Table:
    """The columns of both; row n of one belongs to row n of the other.

    The specimen is the cut-out's, whose split the networks have been trained by.
    """
    names = _names(records.column_names, cutouts.column_names)
    columns = {"assetID": cutouts["assetID"], "specimen": cutouts["specimen"]}
    columns |= {names.of_record[c]: records[c] for c in names.of_record}
    columns |= _credits(records)
    columns |= {names.of_cutout[c]: cutouts[c] for c in names.of_cutout}
    return pa.table(columns)


@dataclass(frozen=True)
class _Names:
    """Column -> its name in the data set, of the record and of the cut-out."""

    of_record: dict[str, str]
    of_cutout: dict[str, str]


def _names(records: Iterable[str], cutouts: Iterable[str]) -> _Names:
    own = [*SCHEMA.names, *credits.COLUMNS, PAGE]
    taken = {name.lower() for name in ("image", "file_name", *own)}
    kept = [column for column in cutouts if column not in OF_CUTOUTS]
    of_cutout = {c: f"cutout_{c}" if c.lower() in taken else c for c in kept}
    taken |= {name.lower() for name in of_cutout.values()}
    of_record: dict[str, str] = {}
    for column in records:
        if column in OF_RECORDS:
            continue
        name = column
        if column not in SCHEMA.names and column not in credits.COLUMNS:
            name = _free(text(column) or "column", taken)
        of_record[column] = name
        taken.add(name.lower())
    return _Names(of_record, of_cutout)


def _free(name: str, taken: set[str]) -> str:
    while name.lower() in taken or FILE_NAMES.fullmatch(name):
        name = f"{name}_recorded"
    return name


def _credits(records: pa.Table) -> dict[str, pa.ChunkedArray]:
    """What credits.csv says of each record: texts on one line, and the address of its page."""
    wanted = set(credits.TOLD) & set(records.column_names)
    batches = records.select(sorted(wanted)).to_batches(max_chunksize=BATCH)
    told = [pa.Table.from_pylist(list(map(_credit, b.to_pylist())), CREDITS) for b in batches]
    whole = pa.concat_tables([CREDITS.empty_table(), *told])
    return {name: whole[name] for name in CREDITS.names}


def _credit(record: dict[str, Any]) -> dict[str, str | None]:
    said = {name: text(record.get(name)) for name in CREDITS.names}
    return said | {PAGE: record_link(record, media(record))}
