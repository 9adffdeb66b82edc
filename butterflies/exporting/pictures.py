"""Cut-outs as files that others read: Parquet shards with the pictures in them, or image folders.

Parquet as the `datasets` library writes it: https://huggingface.co/docs/hub/datasets-image.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from butterflies.exporting.rows import Rows
from butterflies.files import write_bytes, writing
from butterflies.rendering.credits import cell
from butterflies.segmentation.store import CutoutStore
from butterflies.tables import write_table
from butterflies.tracking.console import progress

GROUP = 256
"""Pictures in a row group, and the most that are in memory at once."""

SHARD_BYTES = 450_000_000
"""About the largest shard; the Hub's viewer likes them below 500 MB."""

IMAGE = pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())])
TYPED = "columns.parquet"
"""metadata.csv with its types: where a column is empty in one split, the types that `datasets`
guesses from CSV differ between splits, which it refuses."""


def write_shards(rows: Rows, store: CutoutStore, folder: Path) -> None:
    """Writes `data/<split>-00000-of-0000N.parquet`; a shard that is there already is kept."""
    for split, table in rows.splits.items():
        shards = _shards(table, store)
        for number, shard in enumerate(shards):
            path = folder / "data" / f"{split}-{number:05d}-of-{len(shards):05d}.parquet"
            if not path.exists():
                _write_shard(shard, store, path)


def _shards(table: pa.Table, store: CutoutStore) -> list[pa.Table]:
    """The rows in pieces of about equal size, at most SHARD_BYTES."""
    fixed = table.nbytes // table.num_rows
    ends, total = [], 0
    for asset_id in table["assetID"].to_pylist():
        total += len(store.data(asset_id)) + fixed
        ends.append(total)
    count = -(-total // SHARD_BYTES)
    of = [min(count - 1, end * count // total) for end in ends]
    starts = [n for n in range(len(of)) if n == 0 or of[n] != of[n - 1]]
    stops = [*starts[1:], table.num_rows]
    return [table.slice(a, b - a) for a, b in zip(starts, stops, strict=True)]


def _write_shard(table: pa.Table, store: CutoutStore, path: Path) -> None:
    schema = _described(table.schema)
    starts = range(0, table.num_rows, GROUP)
    with (
        writing(path) as temporary,
        pq.ParquetWriter(temporary, schema, use_dictionary=table.column_names) as file,
    ):
        for start in progress(starts, path.stem):
            group = table.slice(start, GROUP)
            pictures = _pictures(group["assetID"].to_pylist(), store)
            whole = pa.Table.from_arrays([pictures, *group.columns], schema=schema)
            file.write_table(whole, row_group_size=GROUP)


def _pictures(ids: Sequence[str], store: CutoutStore) -> pa.Array:
    found = [{"bytes": store.data(i), "path": f"{i}.webp"} for i in ids]
    return pa.array(found, IMAGE)


def _described(schema: pa.Schema) -> pa.Schema:
    """The schema behind a column `image`, with what `datasets` wants to know in its metadata."""
    kinds = {"double": "float64", "float": "float32"}
    features: dict[str, Any] = {"image": {"_type": "Image"}}
    for field in schema:
        kind = str(field.type)
        features[field.name] = {"dtype": kinds.get(kind, kind), "_type": "Value"}
    said = json.dumps({"info": {"features": features}})
    return pa.schema([pa.field("image", IMAGE), *schema], {"huggingface": said})


def write_folders(rows: Rows, store: CutoutStore, folder: Path, suffix: str) -> None:
    """Writes `<split>/<assetID>.<suffix>` and the split's metadata.csv and columns.parquet.

    Args:
        rows: what to write.
        store: has their pictures.
        folder: receives the splits; a picture that is there already is kept.
        suffix: `png`, or `webp` for the stored bytes as they are.
    """
    made: Callable[[bytes], bytes] = png if suffix == "png" else bytes
    for split, table in rows.splits.items():
        for asset_id in progress(table["assetID"].to_pylist(), split):
            file = folder / split / f"{asset_id}.{suffix}"
            if not file.exists():
                write_bytes(file, made(store.data(asset_id)))
        names = pa.array(f"{i}.{suffix}" for i in table["assetID"].to_pylist())
        named = table.add_column(0, "file_name", names)
        write_table(folder / split / TYPED, named)
        _write_csv(folder / split / "metadata.csv", named)


def png(webp: bytes) -> bytes:
    """A cut-out's WebP file as PNG: the same pixels, those of transparent ones too."""
    file = io.BytesIO()
    with Image.open(io.BytesIO(webp)) as picture:
        picture.convert("RGBA").save(file, "PNG")
    return file.getvalue()


def _write_csv(path: Path, table: pa.Table) -> None:
    """Numbers as they are, texts and names of columns so that no spreadsheet runs them."""
    with writing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(map(cell, table.column_names))
        lines.writerows(_lines(table))


def _lines(table: pa.Table) -> Iterator[list[Any]]:
    for batch in table.to_batches(max_chunksize=4096):
        for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            yield [value if isinstance(value, (int, float)) else cell(value) for value in values]
