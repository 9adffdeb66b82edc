"""Photographs with masks as training data: decoded once, seen anew in each epoch."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytorch_lightning as pl
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from butterflies.collection.judgements import untaught
from butterflies.collection.photos import masked_ids, open_photo, photo_marks, photo_path, read_mask
from butterflies.collection.records import read_records
from butterflies.collection.splits import split_of
from butterflies.errors import UserError
from butterflies.files import sha256
from butterflies.segmentation.augment import augment
from butterflies.segmentation.pictures import opaque
from butterflies.segmentation.predict import working_size
from butterflies.tables import ok_rows
from butterflies.tracking.provenance import hash_of

Sample = dict[str, Tensor]
Pair = tuple[str, Image.Image, Image.Image]
"""assetID, photograph (RGB) and mask (L, 0 or 255) at working size."""


class MaskedPhotographs(pl.LightningDataModule):
    """The photographs of a collection that have masks, split by specimen.

    All are held in memory at working size, about 0.5 MB each. What an epoch shows, and in which
    order, follows from seed, epoch and assetID alone.

    Args:
        collection: the collection's folder.
        batch_size: crops per training step.
        working_px: longer side that larger photographs are scaled down to; the model's own.
        crop_px: side of the squares trained on.
        repeats: crops of each photograph in an epoch.
        split: `specimen` holds validation and test specimens out of training, `all` trains on
            everything and validates on a part of it.
        split_seed: see collection.splits.
        seed: of order and augmentation.
        workers: processes that prepare crops; 0 prepares them in the training process.
    """

    def __init__(
        self,
        collection: str,
        batch_size: int = 8,
        working_px: int = 480,
        crop_px: int = 256,
        repeats: int = 4,
        split: Literal["specimen", "all"] = "specimen",
        split_seed: int = 0,
        seed: int = 0,
        workers: int = 0,
    ) -> None:
        super().__init__()
        self.save_hyperparameters(logger=False)
        self.collection = Path(collection)
        self.batch_size, self.repeats, self.workers = batch_size, repeats, workers
        self.working_px, self.crop_px, self.seed = working_px, crop_px, seed
        self.split, self.split_seed = split, split_seed
        self.pairs: dict[str, list[Pair]] = {}

    def setup(self, stage: str | None = None) -> None:
        if not self.pairs:
            self.pairs = {part: [self._pair(r) for r in rows] for part, rows in self.rows().items()}

    def train_dataloader(self) -> DataLoader[Sample]:
        crops = Crops(self.pairs["train"], self.crop_px, self.seed)
        order = EpochOrder(len(crops), self.repeats, self.seed)
        return DataLoader(
            crops,
            self.batch_size,
            sampler=order,
            num_workers=self.workers,
            collate_fn=collate,
            drop_last=len(order) >= self.batch_size,
        )

    def val_dataloader(self) -> DataLoader[Sample]:
        return self._whole("validation")

    def test_dataloader(self) -> DataLoader[Sample]:
        return self._whole("test")

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """The records with masks for train, validation and test, sorted by assetID.

        Raises:
            UserError: the collection has too few masks to train and to validate on.
        """
        masked = set(masked_ids(self.collection)) - untaught(self.collection)
        rows = [r for r in ok_rows(read_records(self.collection)) if r["assetID"] in masked]
        parts: dict[str, list[dict[str, Any]]] = {"train": [], "validation": [], "test": []}
        for row in sorted(rows, key=lambda r: str(r["assetID"])):
            parts[split_of(row["specimen"], self.split_seed)].append(row)
        if self.split == "all":
            parts["train"] = sorted(rows, key=lambda r: str(r["assetID"]))
            parts["validation"] = parts["validation"] or parts["train"]
        if not parts["train"] or not parts["validation"]:
            raise UserError(
                f"{self.collection} has {len(rows)} photographs with masks, "
                f"{len(parts['train'])} of them for training and {len(parts['validation'])} for "
                "validation: collect with more masks (masks=DIR), or train on all (data.split=all)."
            )
        return parts

    def fingerprint(self) -> str:
        """Changes when a photograph, a mask or a specimen of the training data does."""
        rows = [row for part in self.rows().values() for row in part]
        marks = photo_marks(self.collection, rows)
        seen = {
            r["assetID"]: [r["specimen"], marks[r["assetID"]], self._mask_mark(r)] for r in rows
        }
        return hash_of(seen)

    def _mask_mark(self, row: dict[str, Any]) -> str:
        return sha256(self.collection / "masks" / f"{row['assetID']}.png")

    def _pair(self, row: dict[str, Any]) -> Pair:
        photo = opaque(open_photo(photo_path(self.collection, row)))
        mask = read_mask(self.collection, row["assetID"], photo.size)
        size = working_size(photo.size, self.working_px)
        truth = Image.fromarray(np.asarray(mask).astype(np.uint8) * 255)
        box = Image.Resampling.BOX
        return row["assetID"], photo.resize(size, box), truth.resize(size, box)

    def _whole(self, part: str) -> DataLoader[Sample]:
        return DataLoader(Whole(self.pairs[part]), batch_size=4, collate_fn=collate)


class Crops(Dataset[Sample]):
    """Random views of photographs; an item is asked for as (index, epoch, repeat)."""

    def __init__(self, pairs: list[Pair], crop_px: int, seed: int) -> None:
        self.pairs, self.crop_px, self.seed = pairs, crop_px, seed

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, asked: tuple[int, int, int]) -> Sample:
        index, *when = asked
        asset_id, photo, mask = self.pairs[index]
        random = np.random.default_rng([self.seed, *when, _number(asset_id)])
        return _sample(*augment(photo, mask, self.crop_px, random))


class Whole(Dataset[Sample]):
    """Photographs as they are, for validation and test."""

    def __init__(self, pairs: list[Pair]) -> None:
        self.pairs = pairs

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Sample:
        _, photo, mask = self.pairs[index]
        return _sample(np.array(photo), (np.asarray(mask) > 127).astype(np.uint8))


class EpochOrder(Sampler[tuple[int, int, int]]):
    """(index, epoch, repeat) in an order of the epoch's own; Lightning calls `set_epoch`."""

    def __init__(self, count: int, repeats: int, seed: int) -> None:
        self.count, self.repeats, self.seed, self.epoch = count, repeats, seed, 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return self.count * self.repeats

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        order = np.random.default_rng([self.seed, self.epoch])
        for repeat in range(self.repeats):
            for index in order.permutation(self.count).tolist():
                yield index, self.epoch, repeat


def collate(samples: list[Sample]) -> Sample:
    """A batch as `segmenter.Batch` describes it: smaller pictures are padded at right and below."""
    sizes = torch.stack([sample["size"] for sample in samples])
    height, width = sizes.amax(0).tolist()
    batch: Sample = {"size": sizes}
    # Padded as the network pads, so that the company in a batch changes nothing.
    batch["photo"] = torch.stack([_padded(s["photo"], height, width, "edge") for s in samples])
    batch["mask"] = torch.stack([_padded(s["mask"], height, width, "constant") for s in samples])
    return batch


def _padded(pixels: Tensor, height: int, width: int, mode: Literal["edge", "constant"]) -> Tensor:
    short = (0, height - pixels.shape[1]), (0, width - pixels.shape[2])
    return torch.from_numpy(np.pad(pixels.numpy(), ((0, 0), *short), mode=mode))


def _sample(photo: np.ndarray[Any, Any], mask: np.ndarray[Any, Any]) -> Sample:
    return {
        "photo": torch.from_numpy(np.ascontiguousarray(photo.transpose(2, 0, 1))),
        "mask": torch.from_numpy(mask[None]),
        "size": torch.tensor(mask.shape),
    }


def _number(asset_id: str) -> int:
    return int(hashlib.sha256(asset_id.encode()).hexdigest()[:8], 16)
