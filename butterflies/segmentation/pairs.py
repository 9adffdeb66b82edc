"""Photographs beside their masks, small enough to train on: drawn by hand, or by contrast."""

import hashlib
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from butterflies.collection.judgements import read_judgements, untaught
from butterflies.collection.photos import masked_ids, open_photo, photo_path, read_mask
from butterflies.compute import stream
from butterflies.errors import PhotographError, UserError
from butterflies.segmentation.contrast import CERTAIN, contrast_mask
from butterflies.segmentation.pictures import opaque
from butterflies.segmentation.working import working_size

Pair = tuple[str, Image.Image, Image.Image]
"""assetID, photograph (RGB) and mask (L, 0 to 255) at working size."""

Row = Mapping[str, Any]

TRIED = 1000
"""So many photographs are looked at for masks by contrast: enough to train on, of any museum."""


def with_hand_masks(collection: Path, rows: Iterable[Row]) -> list[Row]:
    """The records whose masks may teach, in their order."""
    masked = set(masked_ids(collection)) - untaught(collection)
    return [row for row in rows if row["assetID"] in masked]


def worth_trying(collection: Path, rows: Iterable[Row]) -> list[Row]:
    """At most TRIED records whose photographs may have a mask by contrast, sorted by assetID.

    Of a photograph that somebody has judged, bad or without a specimen, contrast knows no better.
    """
    judged = read_judgements(collection)
    left = [row for row in rows if row["assetID"] not in judged]
    chosen = sorted(left, key=lambda row: number_of(row["assetID"]))[:TRIED]
    return sorted(chosen, key=lambda row: str(row["assetID"]))


def hand_pair(collection: Path, working_px: int, row: Row) -> Pair:
    """A photograph with its mask.

    Raises:
        UserError: the photograph or the mask cannot be read, or they differ in size.
    """
    path = photo_path(collection, row)
    try:
        photo = opaque(open_photo(path))
    except PhotographError as error:
        raise UserError(
            f"The photograph {path}, which has a mask, cannot be trained on: {error} "
            "Run `butterflies collect` again, or judge it bad (butterflies annotate)."
        ) from None
    mask = read_mask(collection, row["assetID"], photo.size)
    return _pair(row, photo, np.asarray(mask), working_px)


def contrast_pairs(
    collection: Path, working_px: int, rows: Iterable[Row], workers: int = 0
) -> list[Pair]:
    """The photographs on clean backgrounds, with masks by contrast; what is refused is left out."""
    task = partial(_contrast_pair, collection, working_px)
    found = stream(task, list(rows), "masks by contrast", workers, chunk=16)
    return [pair for pair in found if pair]


def number_of(asset_id: str) -> int:
    """A number below 2^32 that only the assetID decides."""
    return int(hashlib.sha256(asset_id.encode()).hexdigest()[:8], 16)


def _contrast_pair(collection: Path, working_px: int, row: Row) -> Pair | None:
    try:
        photo = opaque(open_photo(photo_path(collection, row)))
    except PhotographError:
        return None
    mask, confidence = contrast_mask(np.asarray(photo))
    return _pair(row, photo, mask, working_px) if confidence >= CERTAIN else None


def _pair(row: Row, photo: Image.Image, mask: npt.NDArray[np.bool_], working_px: int) -> Pair:
    size, box = working_size(photo.size, working_px), Image.Resampling.BOX
    truth = Image.fromarray(mask.astype(np.uint8) * 255)
    return row["assetID"], photo.resize(size, box), truth.resize(size, box)
