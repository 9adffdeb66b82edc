"""Small collections and embeddings of them."""

from pathlib import Path
from typing import Any

import pyarrow as pa

from butterflies.collection.records import table_of, write_records
from butterflies.encoding.codes import codes_column
from butterflies.mapping.embedding import EmbedSettings, run
from butterflies.mapping.tsne import TSNE
from butterflies.tables import ok_rows, read_table, write_table
from tests.cutout_sets import blob, write_cutouts

IDS = [f"b{number:03d}" for number in range(40)]


def collection(folder: Path, ids: list[str], mark: str = "mark") -> Path:
    write_cutouts(folder, {i: blob(int(i[1:])) for i in ids}, mark=mark)
    rows = [
        {"assetID": i, "status": "ok", "specimen": i, "genus": "AB"[int(i[1:]) % 2]} for i in ids
    ]
    write_records(folder, table_of(rows))
    return folder


def embedded(where: Path, checkpoint: str | None = None, **given: Any) -> Path:
    settings = {"projection": TSNE(perplexity=5, iterations=50), **given}
    return run(EmbedSettings(str(where), checkpoint, **settings))


def rows_of(place: Path, name: str = "map") -> dict[str, dict[str, Any]]:
    rows = ok_rows(read_table(place / f"{name}.parquet", "embed"))
    return {row["assetID"]: row for row in rows}


def place_of(row: dict[str, Any]) -> tuple[float, float]:
    return row["x"], row["y"]


def write_codes(path: Path, ids: list[str], codes: Any) -> None:
    columns = {"assetID": ids, "status": ["ok"] * len(ids), "code": codes_column(codes)}
    write_table(path, pa.table(columns))
