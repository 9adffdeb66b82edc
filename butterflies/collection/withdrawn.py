"""Photographs that were withdrawn after something had been made of them."""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from butterflies.tables import read_table

STATUS = "withdrawn"


def withdrawn(collection: Path) -> dict[str, str | None]:
    """The photographs that are withdrawn by now and why: {assetID: reason}."""
    path = collection / "records.parquet"
    if not path.is_file():
        return {}
    table = read_table(path, "butterflies collect", ["assetID", "status", "reason"])
    gone = table.filter(pc.equal(table["status"], STATUS))
    return dict(zip(gone["assetID"].to_pylist(), gone["reason"].to_pylist(), strict=True))


def marked(table: pa.Table, gone: Mapping[str, str | None]) -> pa.Table:
    """A table with assetID, status and reason as it would be without the photographs `gone`.

    Their rows tell status and reason, and all else is null there.
    """
    if not gone:
        return table
    table = table.combine_chunks()
    where = pc.index_in(table["assetID"], pa.array(gone, pa.string()))
    left = pc.is_null(where)
    rows = pc.if_else(left, pa.array(range(table.num_rows)), None)
    columns = {n: table[n].take(rows) for n in table.column_names if n != "assetID"}
    reasons = pa.array(gone.values(), pa.string()).take(where)
    columns["status"] = pc.if_else(left, table["status"], STATUS)
    columns["reason"] = pc.if_else(left, table["reason"], reasons)
    return pa.table({"assetID": table["assetID"], **columns}, schema=table.schema)
