"""What rendering reads: an embedding's tables, and the cut-outs they speak of."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from butterflies.collection.withdrawn import marked, withdrawn
from butterflies.errors import UserError
from butterflies.segmentation.store import CutoutStore
from butterflies.tables import ok_rows, read_table
from butterflies.tracking.provenance import read_provenance

COMMAND = "python embed.py"

MAP_SCORES = ("knn_recall", "genus_purity")
CODE_SCORES = ("reconstruction_error",)
CUTOUT_SCORES = ("confidence", "damage")
"""Columns that the site tells of each specimen. As a map grows, those of specimens change only
whose neighbours do."""


@dataclass
class Embedding:
    """An embedding's tables and the cut-outs it was made from.

    Photographs that were withdrawn since are in none of it.

    Attributes:
        folder: of its tables.
        collection: the collection's folder.
        name: of the set of cut-outs.
        fingerprint: of the embedding.
        added_to: fingerprint of the embedding that it was added to, if any.
    """

    folder: Path
    collection: Path
    name: str
    fingerprint: str
    added_to: str | None = None

    @cached_property
    def store(self) -> CutoutStore:
        return CutoutStore(self.collection, self.name)

    @cached_property
    def gone(self) -> dict[str, str | None]:
        """The withdrawn photographs and why: {assetID: reason}."""
        return withdrawn(self.collection)

    @cached_property
    def points(self) -> pa.Table:
        table = read_table(self.folder / "map.parquet", COMMAND).sort_by("assetID")
        return marked(table, self.gone)

    @cached_property
    def neighbours(self) -> pa.Table | None:
        """assetID, status, reason and neighbour_ids; None where the embedding found none."""
        path = self.folder / "neighbours.parquet"
        if not path.is_file():
            return None
        columns = ["assetID", "status", "reason", "neighbour_ids"]
        table = marked(read_table(path, COMMAND, columns), self.gone)
        left = [
            near and [other for other in near if other not in self.gone]
            for near in table["neighbour_ids"].to_pylist()
        ]
        return table.set_column(3, "neighbour_ids", pa.array(left, pa.list_(pa.string())))

    @cached_property
    def ids(self) -> list[str]:
        """The assetIDs that are on the map, sorted."""
        return [row["assetID"] for row in ok_rows(self.points)]

    @cached_property
    def scores(self) -> pa.Table:
        """assetID, in the order of `ids`, and the scores above, null where they are not known."""
        ids = pa.array(self.ids, pa.string())
        columns: dict[str, pa.Array] = {"assetID": ids}
        path = self.folder / "codes.parquet"
        told = [name for name in CODE_SCORES if name in pq.read_schema(path).names]
        codes = read_table(path, COMMAND, ["assetID", *told])
        known = (self.points, MAP_SCORES), (codes, told), (self.store.table, CUTOUT_SCORES)
        for table, names in known:
            rows = pc.index_in(ids, table["assetID"].combine_chunks())
            there = [name for name in names if name in table.column_names]
            columns |= {name: table[name].take(rows).cast(pa.float64()) for name in there}
        return pa.table(columns)

    @cached_property
    def xy(self) -> npt.NDArray[np.float64]:
        """(n, 2) in the order of `ids`."""
        found = [(row["x"], row["y"]) for row in ok_rows(self.points)]
        return np.array(found, np.float64).reshape(-1, 2)

    @cached_property
    def codes(self) -> npt.NDArray[np.float32]:
        """(n, d) in the order of `ids`."""
        table = read_table(self.folder / "codes.parquet", COMMAND, ["assetID", "code"])
        rows = pc.index_in(pa.array(self.ids), table["assetID"].combine_chunks())
        codes = table["code"].combine_chunks().take(rows)
        return np.asarray(codes.flatten()).reshape(len(self.ids), -1)


def open_embedding(folder: Path, collection: Path | None = None) -> Embedding:
    """A finished embedding.

    Args:
        folder: that `python embed.py` wrote.
        collection: where its collection lies now; by default where it lay then.

    Raises:
        UserError: it is no finished embedding, or its cut-outs have changed since.
    """
    made = read_provenance(folder)
    if made.get("job") != "embed" or made.get("status") != "finished":
        raise UserError(
            f"{folder} holds no finished embedding: map= takes a folder that `{COMMAND}` wrote."
        )
    collection = collection or Path(made["collection"])
    cutouts = made["cutouts"]
    if not (collection / "records.parquet").is_file():
        raise UserError(
            f"{folder} was made from the collection {collection}, which is not there: "
            "give its place as collection=DIR."
        )
    added_to = made.get("added_to", {}).get("fingerprint")
    embedding = Embedding(folder, collection, cutouts["name"], made["fingerprint"], added_to)
    if embedding.store.fingerprint != cutouts["fingerprint"]:
        raise UserError(
            f"The cut-outs in {collection / cutouts['name']} have changed since {folder} was made: "
            f"run `{COMMAND}` again."
        )
    return embedding
