"""Tables of what was measured on photographs, in `<collection>/cache/`; they may be deleted."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from butterflies.collection.photos import open_photo, photo_marks, photo_path
from butterflies.errors import PhotographError, UserError
from butterflies.segmentation.pictures import opaque
from butterflies.tables import from_rows, read_table, write_table

PART = 32
"""Photographs that are measured before the table is written; a killed process loses no more."""

Measure = Callable[[Any], dict[str, float]]
Never: Callable[[], bool] = lambda: False  # noqa: E731


class Measures:
    """Values by assetID; they count while the photograph is the one that was measured.

    Args:
        collection: the collection's folder.
        name: of the table.
        fields: names of the values, floating-point numbers.
        rows: records of the photographs.

    Attributes:
        values: what is known, by assetID.
        unreadable: photographs that could not be measured in this process.
    """

    def __init__(
        self, collection: Path, name: str, fields: Iterable[str], rows: Iterable[Mapping[str, Any]]
    ) -> None:
        self.collection, self.path = collection, collection / "cache" / f"{name}.parquet"
        self.rows = {str(row["assetID"]): row for row in rows}
        self.marks = photo_marks(collection, self.rows.values())
        self.schema = pa.schema(
            [
                pa.field("assetID", pa.string()),
                pa.field("photo", pa.string()),
                *(pa.field(field, pa.float64()) for field in fields),
            ]
        )
        self._kept = {row["assetID"]: row for row in self._read()}
        self.values = {
            key: row for key, row in self._kept.items() if self.marks.get(key) == row["photo"]
        }
        self.unreadable: set[str] = set()

    def missing(self, ids: Iterable[str]) -> list[str]:
        """Those of `ids` that are yet to be measured, in their order."""
        return [key for key in ids if key not in self.values and key not in self.unreadable]

    def complete(
        self, ids: Iterable[str], measure: Measure, stopped: Callable[[], bool] = Never
    ) -> Iterator[int]:
        """Measures what is missing, a part at a time, and yields each part's size once written.

        Args:
            ids: photographs of `rows`.
            measure: from an RGB picture to the values.
            stopped: asked before each photograph; a part that is stopped is written too.
        """
        left = iter(self.missing(ids))
        while not stopped() and (part := list(islice(left, PART))):
            made = [self._measured(key, measure) for key in part if not stopped()]
            self._add([row for row in made if row is not None])
            yield len(made)

    def _measured(self, asset_id: str, measure: Measure) -> dict[str, Any] | None:
        try:
            photo = open_photo(photo_path(self.collection, self.rows[asset_id]))
        except PhotographError:
            self.unreadable.add(asset_id)
            return None
        return {"assetID": asset_id, "photo": self.marks[asset_id], **measure(opaque(photo))}

    def _add(self, rows: list[dict[str, Any]]) -> None:
        found = {row["assetID"]: row for row in rows}
        self._kept |= found
        self.values = self.values | found  # a new dictionary: others may be reading the old one
        write_table(self.path, from_rows(self._kept.values(), self.schema))

    def _read(self) -> list[dict[str, Any]]:
        try:
            table = read_table(self.path, "butterflies annotate")
        except UserError:
            return []
        rows: list[dict[str, Any]] = table.to_pylist() if table.schema == self.schema else []
        return rows
