"""Two collections as one, without copying a picture: for a map that grows by a new collection."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from butterflies.collection.records import read_records, write_records
from butterflies.files import write_json
from butterflies.segmentation.store import part_path, read_cutouts
from butterflies.tables import write_table
from butterflies.tracking.provenance import hash_of, read_provenance

NAME = "cutouts"


def join(sets: list[tuple[Path, str]], folder: Path) -> Path:
    """Writes a collection of links to the photographs and cut-outs of others.

    Of what is in several, the last holds.

    Args:
        sets: collections and the names of their sets of cut-outs.
        folder: of the new one.

    Raises:
        UserError: one of them has no cut-outs.
    """
    tables, marks, parts = [], [], 0
    for collection, name in sets:
        table = read_cutouts(collection, name)
        marks.append(read_provenance(collection / name)["fingerprint"])
        tables.append(_shifted(table, parts))
        for part in pc.unique(table["part"].drop_null()).to_pylist():
            _link(part_path(collection / name, part, "arrow"), folder, parts + part)
        parts += 1 + (pc.max(table["part"]).as_py() or 0)
    mark = hash_of(marks)
    write_json(folder / NAME / "provenance.json", {"status": "finished", "fingerprint": mark})
    write_table(folder / f"{NAME}.parquet", _last(tables), fingerprint=mark)
    records = [_absolute(c) for c, _ in sets if (c / "records.parquet").is_file()]
    if records:
        write_records(folder, _last(records))
    return folder


def _shifted(table: pa.Table, by: int) -> pa.Table:
    column = table.schema.get_field_index("part")
    parts = pc.add(table["part"], pa.scalar(by, pa.int32()))
    return table.set_column(column, "part", parts).replace_schema_metadata(None)


def _link(part: Path, folder: Path, number: int) -> None:
    link = part_path(folder / NAME, number, "arrow")
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(part.resolve())


def _absolute(collection: Path) -> pa.Table:
    """The records, whose photographs are found from anywhere."""
    table = read_records(collection)
    there = pa.scalar(str(collection.resolve()))
    whole = pc.binary_join_element_wise(there, table["photo"], "/")
    photos = pc.if_else(pc.starts_with(table["photo"], "/"), table["photo"], whole)
    return table.set_column(table.schema.get_field_index("photo"), "photo", photos)


def _last(tables: list[pa.Table]) -> pa.Table:
    """All rows of the last table, and of each before what those after it have not."""
    kept = tables[-1]
    for table in reversed(tables[:-1]):
        new = pc.invert(pc.is_in(table["assetID"], kept["assetID"].combine_chunks()))
        kept = pa.concat_tables([kept, table.filter(new)], promote_options="default")
    return kept.sort_by("assetID")
