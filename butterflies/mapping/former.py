"""A map that was made before: to add to, or to compare with."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from butterflies.errors import UserError
from butterflies.mapping.projection import PCA, Precomputed, Projection
from butterflies.mapping.tsne import TSNE
from butterflies.mapping.umap import UMAP
from butterflies.tables import read_table
from butterflies.tracking.provenance import read_provenance

KINDS = {kind.__name__: kind for kind in (TSNE, UMAP, PCA, Precomputed)}


@dataclass(frozen=True)
class Former:
    """A finished embedding.

    Attributes:
        folder: of its tables.
        provenance: its own.
        ids: the assetIDs on its map, sorted.
        codes: (n, d).
        errors: (n,) reconstruction errors, NaN where there is none.
        points: (n, 2).
        apart: (n,) distance of each code to the nearest other, NaN where there is none.
    """

    folder: Path
    provenance: dict[str, Any]
    ids: list[str]
    codes: npt.NDArray[np.float32]
    errors: npt.NDArray[np.float32]
    points: npt.NDArray[np.float64]
    apart: npt.NDArray[np.float64]

    @property
    def fingerprint(self) -> str:
        return str(self.provenance["fingerprint"])

    @property
    def collection(self) -> Path:
        return Path(self.provenance["collection"])

    @property
    def cutouts(self) -> str:
        return str(self.provenance["cutouts"]["name"])

    @property
    def projection(self) -> Projection:
        """What made its map."""
        told = dict(self.provenance["settings"]["projection"])
        kind = KINDS.get(told.pop("class", ""))
        if kind is None:
            raise UserError(f"{self.folder} was projected by something this program has not.")
        known = {field.name for field in fields(kind)}
        return kind(**{name: value for name, value in told.items() if name in known})


def read_former(folder: Path, key: str) -> Former:
    """A finished embedding.

    Args:
        folder: that `python embed.py` wrote.
        key: of the setting that names it, for messages.

    Raises:
        UserError: it is none.
    """
    made = read_provenance(folder)
    if made.get("job") != "embed" or made.get("status") != "finished":
        raise UserError(
            f"{key}={folder} holds no finished embedding: a folder that `python embed.py` wrote "
            "is expected."
        )
    command = "python embed.py"
    places = read_table(folder / "map.parquet", command, ["assetID", "status", "x", "y"])
    places = places.filter(pc.equal(places["status"], "ok")).sort_by("assetID")
    if not places.num_rows:
        raise UserError(f"{key}={folder} has no specimen on its map.")
    names = ["assetID", "code", "reconstruction_error"]
    found = _rows_of(places, read_table(folder / "codes.parquet", command, names))
    near = _rows_of(places, read_table(folder / "neighbours.parquet", command))
    return Former(
        folder=folder,
        provenance=made,
        ids=places["assetID"].to_pylist(),
        codes=_matrix(found["code"], places.num_rows),
        errors=_numbers(found["reconstruction_error"]).astype(np.float32),
        points=np.column_stack([_numbers(places[axis]) for axis in ("x", "y")]),
        apart=np.array([row[0] if row else np.nan for row in near["distances"].to_pylist()]),
    )


def _rows_of(places: pa.Table, table: pa.Table) -> pa.Table:
    return table.take(pc.index_in(places["assetID"], table["assetID"].combine_chunks()))


def _matrix(column: pa.ChunkedArray, n: int) -> npt.NDArray[np.float32]:
    return np.asarray(column.combine_chunks().flatten(), np.float32).reshape(n, -1)


def _numbers(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    return np.asarray(pc.fill_null(column.cast(pa.float64()), np.nan))
