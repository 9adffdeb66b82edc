"""Cut-outs as batches: whole batches out of one array, seen anew in each epoch."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from butterflies.collection.splits import split_of
from butterflies.collection.withdrawn import marked, withdrawn
from butterflies.encoding.augment import augment
from butterflies.encoding.cache import PictureCache, on_white
from butterflies.errors import UserError
from butterflies.segmentation.store import CutoutStore
from butterflies.tables import ok_rows
from butterflies.tracking.provenance import hash_of

Batch = dict[str, Tensor]
"""`picture` float32 (n, 3, 128, 128) on white and `alpha` (n, 1, 128, 128), 0 to 1."""

FEWEST = 8
"""Training pictures below which nothing can be learned."""

EVALUATED = 256
"""Pictures in a batch of validation and test."""


class Cutouts(pl.LightningDataModule):
    """The cut-outs of a collection, split by specimen.

    What an epoch shows, and in which order, follows from seed, epoch and assetID alone.

    Args:
        collection: the collection's folder.
        cutouts: the name of its set of cut-outs.
        batch_size: pictures per training step.
        augmentation: 0 only mirrors half of the training pictures; 1 also turns, shifts, scales
            and relights them a little, see `augment`; worth it when training is long.
        split: `specimen` holds validation and test specimens out of training, `all` trains on
            everything and validates on a part of it.
        split_seed: see collection.splits.
        seed: of order and augmentation.
    """

    def __init__(
        self,
        collection: str,
        cutouts: str = "cutouts",
        batch_size: int = 32,
        augmentation: float = 0.0,
        split: Literal["specimen", "all"] = "specimen",
        split_seed: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.save_hyperparameters(logger=False)
        if batch_size < 1:
            raise UserError(f"data.batch_size is {batch_size}: give at least 1.")
        self.collection, self.cutouts = Path(collection), cutouts
        self.batch_size, self.augmentation = batch_size, augmentation
        self.split, self.split_seed, self.seed = split, split_seed, seed
        self.cache: PictureCache | None = None

    def prepare_data(self) -> None:
        """Makes the cache: Lightning calls this in one process only."""
        PictureCache(self.collection, self.cutouts)

    def setup(self, stage: str | None = None) -> None:
        if self.cache is None:
            self.parts = self.assets()
            self.cache = PictureCache(self.collection, self.cutouts)

    def train_dataloader(self) -> DataLoader[Batch]:
        return self._loader("train", self.batch_size, shuffled=True)

    def val_dataloader(self) -> DataLoader[Batch]:
        return self._loader("validation", EVALUATED)

    def test_dataloader(self) -> DataLoader[Batch]:
        return self._loader("test", EVALUATED)

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """From pixels (n, 4, 128, 128) and rows (n) of the cache to a `Batch`, on the device."""
        picture, alpha = on_white(batch["pixels"])
        if self.trainer is not None and self.trainer.training:
            seed = (self.seed, self.trainer.current_epoch)
            picture, alpha = augment(picture, alpha, batch["row"], seed, self.augmentation)
        return {"picture": picture, "alpha": alpha}

    def assets(self) -> dict[str, list[str]]:
        """The assetIDs for train, validation and test, sorted, without withdrawn ones.

        Raises:
            UserError: the collection has no cut-outs, or too few to train and to validate on.
        """
        table = CutoutStore(self.collection, self.cutouts).table
        rows = ok_rows(marked(table, withdrawn(self.collection)))
        parts: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
        for row in sorted(rows, key=lambda r: str(r["assetID"])):
            parts[split_of(row["specimen"], self.split_seed)].append(row["assetID"])
        if self.split == "all":
            parts["train"] = sorted(row["assetID"] for row in rows)
            parts["validation"] = parts["validation"] or parts["train"]
            parts["test"] = []
        if len(parts["train"]) < FEWEST or not parts["validation"]:
            raise UserError(
                f"{self.collection} has {len(rows)} cut-outs that are ok, "
                f"{len(parts['train'])} of them for training (at least {FEWEST} are needed) and "
                f"{len(parts['validation'])} for validation (at least 1): collect and cut out "
                "more photographs, or train on all of them (data.split=all)."
            )
        return parts

    def fingerprint(self) -> str:
        """Changes when a cut-out or its part in the training does."""
        store = CutoutStore(self.collection, self.cutouts)
        return hash_of({"cutouts": store.fingerprint, "parts": self.assets()})

    def _loader(self, part: str, batch_size: int, shuffled: bool = False) -> DataLoader[Batch]:
        if self.cache is None:
            raise RuntimeError("setup() comes before the batches.")
        row_of = {asset_id: row for row, asset_id in enumerate(self.cache.ids)}
        rows = np.array([row_of[asset_id] for asset_id in self.parts[part]], dtype=np.int64)
        order = Batches(rows, batch_size, self.seed if shuffled else None)
        return DataLoader(Pictures(self.cache), batch_size=None, sampler=order)


class Pictures(Dataset[Batch]):
    """The pictures of a cache; an item is a whole batch, asked for by its rows."""

    def __init__(self, cache: PictureCache) -> None:
        self.cache = cache

    def __len__(self) -> int:
        return len(self.cache.ids)

    def __getitem__(self, rows: Any) -> Batch:
        pixels = torch.from_numpy(self.cache.pictures[rows])
        return {"pixels": pixels, "row": torch.from_numpy(rows)}


class Batches(Sampler[Any]):
    """Rows in batches: shuffled in an order of the epoch's own, or as they are without a seed.

    Lightning calls `set_epoch`. A shuffled epoch leaves out the rows that fill no whole batch,
    others each time.
    """

    def __init__(self, rows: Any, batch_size: int, seed: int | None) -> None:
        self.rows, self.seed, self.epoch = rows, seed, 0
        self.batch_size = min(batch_size, max(1, len(rows)))

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        short = self.batch_size - 1 if self.seed is None else 0
        return (len(self.rows) + short) // self.batch_size

    def __iter__(self) -> Iterator[Any]:
        rows = self.rows
        if self.seed is not None:
            rows = np.random.default_rng([self.seed, self.epoch]).permutation(rows)
        for number in range(len(self)):
            yield np.sort(rows[number * self.batch_size : (number + 1) * self.batch_size])
