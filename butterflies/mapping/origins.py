"""Where codes come from: an autoencoder, a file of ready ones, or places on their own."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from butterflies.collection.withdrawn import marked, withdrawn
from butterflies.encoding.codes import (
    codes_column,
    codes_schema,
    encode_collection,
    load_autoencoder,
    read_codes,
)
from butterflies.errors import UserError
from butterflies.files import sha256
from butterflies.mapping.former import Former
from butterflies.mapping.ready import lacking, matched, read_vectors
from butterflies.segmentation.store import read_cutouts
from butterflies.tables import with_statuses
from butterflies.tracking.artifacts import checkpoint

Codes = npt.NDArray[np.float32]


class Origin(Protocol):
    """What Encoded and Ready share.

    Attributes:
        inputs: name -> fingerprint of what the codes depend on, beside the cut-outs.
        sources: the files they come from.
    """

    inputs: dict[str, str]
    sources: list[Path]

    def table(self, collection: Path, cutouts: str, known: Collection[str]) -> pa.Table:
        """The table of `codes_schema`, one row for every input assetID.

        Args:
            collection: its folder.
            cutouts: the name of its set of cut-outs.
            known: assetIDs whose code is known already: null here.
        """


@dataclass
class Encoded:
    """Codes by an autoencoder.

    Raises:
        UserError: there is none at that place.
    """

    autoencoder: str

    def __post_init__(self) -> None:
        """Finds the checkpoint, and says what is wrong with it before a run folder is made."""
        self.model = checkpoint(self.autoencoder)
        load_autoencoder(self.model)
        self.inputs = {"autoencoder": sha256(self.model)[:16]}
        self.sources = [self.model]

    def table(self, collection: Path, cutouts: str, known: Collection[str]) -> pa.Table:
        return encode_collection(self.model, collection, cutouts, known)


class Ready:
    """Codes that are there.

    Args:
        name: of the setting.
        path: the file they come from.
        names: their assetIDs.
        codes: (n, d).
        ids: the file of the assetIDs, where that is another.
    """

    def __init__(
        self, name: str, path: Path, names: list[str], codes: Codes, ids: Path | None = None
    ) -> None:
        self.path, self.names, self.codes = path, names, codes
        self.inputs = {name: sha256(path)[:16]}
        self.sources = [path]
        if ids:
            self.inputs["ids"] = sha256(ids)[:16]
            self.sources.append(ids)

    def table(self, collection: Path, cutouts: str, known: Collection[str]) -> pa.Table:
        source = marked(read_cutouts(collection, cutouts), withdrawn(collection))
        ids = _ok_ids(source)
        rows = matched(self.names, ids, str(self.path)) if ids else np.zeros(0, np.int64)
        rows[[asset_id in known for asset_id in ids]] = -1
        found = [asset_id for asset_id, row in zip(ids, rows, strict=True) if row >= 0]
        codes = self.codes[rows[rows >= 0]]
        statuses = lacking(source, [*found, *known], f"{self.path.name} has no code of it.")
        errors = pa.nulls(len(codes), pa.float32())
        made = {"code": codes_column(codes), "reconstruction_error": errors}
        return with_statuses(statuses, found, made, codes_schema(self.codes.shape[1]))


def ready_codes(path: Path, ids: Path | None) -> Ready:
    """The codes of a file, see `read_vectors`."""
    names, codes = read_vectors(path, ids)
    return Ready("codes", path, names, codes, ids)


def enlarged(table: pa.Table, former: Former) -> pa.Table:
    """A table of codes with those of a former map beside its own.

    Raises:
        UserError: they are not of the same length.
    """
    ids, codes = read_codes(table.filter(table["code"].is_valid()))
    if codes.shape[1] != former.codes.shape[1]:
        raise UserError(
            f"The codes to add are {codes.shape[1]} numbers each, those of {former.folder} "
            f"{former.codes.shape[1]}: codes of the same autoencoder are expected."
        )
    errors = table.filter(table["code"].is_valid()).sort_by("assetID")["reconstruction_error"]
    there = set(_ok_ids(table))
    kept = [row for row, asset_id in enumerate(former.ids) if asset_id in there]
    every = np.concatenate([codes, former.codes[kept]])
    old_errors = pa.array(former.errors[kept], pa.float32(), from_pandas=True)
    made = {
        "code": codes_column(every),
        "reconstruction_error": pa.chunked_array([*errors.chunks, old_errors]).combine_chunks(),
    }
    names = [*ids, *(former.ids[row] for row in kept)]
    return with_statuses(table, names, made, table.schema)


def _ok_ids(table: pa.Table) -> list[str]:
    both = zip(table["assetID"].to_pylist(), table["status"].to_pylist(), strict=True)
    return [asset_id for asset_id, status in both if status == "ok"]
