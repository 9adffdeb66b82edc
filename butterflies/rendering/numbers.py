"""The files of a site's version that hold a map's specimens as numbers; layouts: see `points`."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from butterflies.files import write_bytes
from butterflies.rendering import points
from butterflies.rendering.cards import text
from butterflies.rendering.rows import Rows
from butterflies.tables import ok_rows, stream_rows


def write_points(
    rows: Rows, tiles: Mapping[int, Collection[tuple[int, int]]], folder: Path
) -> None:
    """Writes `points.bin` and `coverage.bin`."""
    write_bytes(folder / "points.bin", points.points_file(rows.x, rows.y))
    write_bytes(folder / "coverage.bin", points.coverage_file(tiles))


def write_columns(rows: Rows, columns: Sequence[str], folder: Path) -> None:
    """Writes `columns/<name>.bin` of each column, and `names.json`."""
    names: dict[str, list[tuple[str, int]]] = {}
    for column in columns:
        values = [text(record.get(column)) for record in stream_rows(rows.records, [column])]
        data, names[column] = points.column_file(values)
        write_bytes(folder / "columns" / f"{column}.bin", data)
    _write_compact(folder / "names.json", names)


def write_representatives(table: pa.Table, rows: Rows, folder: Path) -> list[int]:
    """Writes `representatives/<zoom>.bin` of each zoom; returns the zooms that have any."""
    drawn = defaultdict(list)
    for one in ok_rows(table):
        drawn[int(one["zoom"])].append(one)
    for zoom, ones in drawn.items():
        data = points.representatives_file(ones, rows.of)
        write_bytes(folder / "representatives" / f"{zoom}.bin", data)
    return sorted(drawn)


def write_index(rows: Rows, folder: Path) -> None:
    """Writes `<2 hex>.json`: the rows of assetIDs and catalogue numbers, see `site`."""
    found: dict[str, dict[str, Any]] = defaultdict(lambda: {"ids": {}, "numbers": {}})
    for row, record in enumerate(stream_rows(rows.records, ["assetID", "catalogNumber"])):
        key = record["assetID"].lower()
        found[_bucket(key)]["ids"][key] = row
        number = (text(record.get("catalogNumber")) or "").lower()
        if number:
            found[_bucket(number)]["numbers"].setdefault(number, []).append(row)
    for bucket in (f"{byte:02x}" for byte in range(256)):
        _write_compact(folder / f"{bucket}.json", found[bucket])


def _bucket(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:2]


def _write_compact(path: Path, value: Any) -> None:
    data = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    write_bytes(path, data.encode())
