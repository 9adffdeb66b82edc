"""The latent codes of a collection's specimens."""

import copy
import pickle
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import torch

from butterflies.collection.withdrawn import marked, withdrawn
from butterflies.compute import each, fastest_device, on_cluster
from butterflies.encoding.autoencoder import Autoencoder
from butterflies.encoding.cache import PictureCache, on_white, shrink
from butterflies.errors import UserError
from butterflies.segmentation.store import CutoutStore
from butterflies.tables import schema, with_statuses
from butterflies.tracking.console import progress

Codes = npt.NDArray[np.float32]

BATCH = 256
"""Pictures encoded at a time; part of what a code is to the last bit."""

PIECE = 16 * BATCH
"""Pictures that a worker of a cluster encodes at a time."""


def codes_schema(latent_dim: int) -> pa.Schema:
    return schema(
        pa.field("code", pa.list_(pa.float32(), latent_dim)),
        pa.field("reconstruction_error", pa.float32()),
    )


def load_autoencoder(checkpoint: Path) -> Autoencoder:
    """The autoencoder of a checkpoint, on the CPU, ready to encode.

    Nothing but numbers and plain Python is ever unpickled.

    Raises:
        UserError: there is no such file, or it holds no autoencoder of this program.
    """
    if not checkpoint.is_file():
        raise UserError(
            f"{checkpoint} does not exist: give autoencoder= the best.ckpt of a run of "
            "`python train.py experiment=autoencoder`."
        )
    try:
        model = Autoencoder.load_from_checkpoint(checkpoint, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, TypeError, KeyError, EOFError, ValueError):
        raise UserError(
            f"{checkpoint} holds no autoencoder: give autoencoder= the best.ckpt of a run of "
            "`python train.py experiment=autoencoder`."
        ) from None
    return model.eval()


def encode_collection(
    checkpoint: Path, collection: Path, cutouts: str = "cutouts", known: Collection[str] = ()
) -> pa.Table:
    """Codes and reconstruction errors of all cut-outs, one row for every input assetID.

    A photograph that was withdrawn after its cut-out was made gets none. Batches follow the
    sorted assetIDs, so that the same cut-outs give the same bits.

    Args:
        checkpoint: an autoencoder's.
        collection: the collection's folder.
        cutouts: the name of its set of cut-outs.
        known: assetIDs that are not encoded; their codes are null.

    Returns:
        The table of `codes_schema`; rows that are not ok keep their status and reason.

    Raises:
        UserError: no autoencoder, or no cut-outs, or all of them are withdrawn.
    """
    model = load_autoencoder(checkpoint).to(fastest_device())
    gone = withdrawn(collection)
    if known:
        store = CutoutStore(collection, cutouts)
        ids = [asset_id for asset_id in store.ids if asset_id not in gone and asset_id not in known]
        codes, errors = _encode_few(model, store, ids)
    else:
        cache = PictureCache(collection, cutouts)
        store, ids = cache.store, [asset_id for asset_id in cache.ids if asset_id not in gone]
        if not ids:
            raise UserError(f"All {len(cache.ids):,} specimens of {collection} are withdrawn.")
        rows = np.flatnonzero([asset_id not in gone for asset_id in cache.ids])
        codes, errors = encode(model, cache.pictures, rows)
    made = {
        "code": codes_column(codes),
        "reconstruction_error": pa.array(errors, pa.float32()),
    }
    return with_statuses(marked(store.table, gone), ids, made, codes_schema(model.latent_dim))


def _encode_few(model: Autoencoder, store: CutoutStore, ids: Sequence[str]) -> tuple[Codes, Codes]:
    """Codes (k, d) and errors (k) of some cut-outs, for which no cache of all is made."""
    codes, errors = [np.zeros((0, model.latent_dim), np.float32)], [np.zeros(0, np.float32)]
    for start in range(0, len(ids), BATCH):
        pictures = np.stack([shrink(store.image(i)) for i in ids[start : start + BATCH]])
        found = encode(model, pictures, np.arange(len(pictures)))
        codes.append(found[0])
        errors.append(found[1])
    return np.concatenate(codes), np.concatenate(errors)


@torch.no_grad()
def encode(
    model: Autoencoder, pictures: npt.NDArray[np.uint8], rows: npt.NDArray[np.int64]
) -> tuple[Codes, Codes]:
    """Codes (k, d) of k rows of pictures uint8 (n, 4, 128, 128), and their mean L1 error (k).

    On a cluster, pictures that are mapped from a file are encoded in pieces of whole batches.
    """
    if on_cluster() and isinstance(pictures, np.memmap):
        return _encoded_there(model, Path(str(pictures.filename)), rows)
    codes, errors = [], []
    for start in progress(range(0, len(rows), BATCH), "Encoding"):
        batch = torch.from_numpy(pictures[rows[start : start + BATCH]]).to(model.device)
        picture, _ = on_white(batch)
        code = model.encode(picture)
        codes.append(code.cpu().numpy())
        errors.append((model.decode(code) - picture).abs().mean((1, 2, 3)).cpu().numpy())
    return np.concatenate(codes), np.concatenate(errors)


@dataclass(frozen=True)
class _Piece:
    """What a worker of a cluster encodes: rows of the pictures in a file."""

    model: Autoencoder
    pictures: Path
    rows: npt.NDArray[np.int64]


def _encoded_there(
    model: Autoencoder, file: Path, rows: npt.NDArray[np.int64]
) -> tuple[Codes, Codes]:
    file, sent = file.absolute(), copy.deepcopy(model).cpu()
    starts = range(0, len(rows), PIECE)
    pieces = [_Piece(sent, file, rows[start : start + PIECE]) for start in starts]
    codes, errors = zip(*each(_encode_piece, pieces, "Encoding"), strict=True)
    return np.concatenate(codes), np.concatenate(errors)


def _encode_piece(piece: _Piece) -> tuple[Codes, Codes]:
    pictures = np.asarray(np.load(piece.pictures, mmap_mode="r"))  # no memmap: encoded right here
    return encode(piece.model.to(fastest_device()).eval(), pictures, piece.rows)


def codes_column(codes: Codes) -> pa.Array:
    """Codes (n, d) as an Arrow array of lists of fixed size."""
    return pa.FixedSizeListArray.from_arrays(pa.array(codes.ravel(), pa.float32()), codes.shape[1])


def read_codes(table: pa.Table) -> tuple[list[str], Codes]:
    """Sorted assetIDs and codes (n, d) of the ok rows of a table of codes."""
    ok = table.filter(pc.equal(table["status"], "ok")).sort_by("assetID")
    column = ok["code"].combine_chunks()
    values = column.flatten().to_numpy(zero_copy_only=False).astype(np.float32)
    return ok["assetID"].to_pylist(), values.reshape(ok.num_rows, column.type.list_size)
