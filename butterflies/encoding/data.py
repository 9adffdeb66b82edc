"""Cut-outs as batches: whole batches out of one array, seen anew in each epoch."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from butterflies.collection.splits import split_of
from butterflies.collection.withdrawn import marked, withdrawn
from butterflies.encoding.augment import chances, mirror
from butterflies.encoding.cache import PictureCache, on_white
from butterflies.errors import UserError
from butterflies.segmentation.store import CutoutStore
from butterflies.tables import ok_rows
from butterflies.tracking.batches import Loader, Order, check_shares, share_of
from butterflies.tracking.provenance import hash_of

Batch = dict[str, Tensor]
"""`picture` float32 (n, 3, 128, 128) on white, `alpha` (n, 1, 128, 128), both 0 to 1, and `key`
int64 (n), from which everything drawn by lot follows."""

FEWEST = 8
"""Training pictures below which nothing can be learned."""

MIRROR = 0
"""What chances are drawn for here; models draw for uses from 1 on."""

EVALUATED = 256
"""Pictures in a batch of validation and test."""


class Cutouts(pl.LightningDataModule):
    """The cut-outs of a collection, split by specimen.

    What an epoch shows, and in which order, follows from seed, epoch and assetID alone.

    Args:
        collection: the collection's folder.
        cutouts: the name of its set of cut-outs.
        batch_size: pictures per training step.
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
        split: Literal["specimen", "all"] = "specimen",
        split_seed: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.save_hyperparameters(logger=False)
        if batch_size < 1:
            raise UserError(f"data.batch_size is {batch_size}: give at least 1.")
        self.collection, self.cutouts = Path(collection), cutouts
        self.batch_size = batch_size
        self.split, self.split_seed, self.seed = split, split_seed, seed
        self.cache: PictureCache | None = None
        self.held: Tensor | None = None

    def prepare_data(self) -> None:
        """Makes the cache: Lightning calls this in one process only."""
        PictureCache(self.collection, self.cutouts)

    def setup(self, stage: str | None = None) -> None:
        if self.cache is None:
            self.parts = self.assets()
            check_shares(self, {part: len(ids) for part, ids in self.parts.items()})
            self.cache = PictureCache(self.collection, self.cutouts)
            self.held = self._on_device(self.cache)

    def train_dataloader(self) -> DataLoader[Batch]:
        return self._loader("train", self.batch_size, shuffled=True)

    def val_dataloader(self) -> DataLoader[Batch]:
        return self._loader("validation", EVALUATED)

    def test_dataloader(self) -> DataLoader[Batch]:
        return self._loader("test", EVALUATED)

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """From rows (n) of the cache, or their pixels (n, 4, 128, 128), to a `Batch`."""
        pixels = batch["pixels"] if self.held is None else self.held[batch["row"]]
        picture, alpha = on_white(pixels)
        if self.trainer is not None and self.trainer.training:
            chance = chances(batch["key"], self.trainer.current_epoch, MIRROR, 1)
            picture, alpha = mirror(picture, alpha, chance[:, 0])
        return {"picture": picture, "alpha": alpha, "key": batch["key"]}

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

    @property
    def sources(self) -> list[Path]:
        """What it reads, for the lineage."""
        return [self.collection / self.cutouts]

    def fingerprint(self) -> str:
        """Changes when a cut-out or its part in the training does."""
        store = CutoutStore(self.collection, self.cutouts)
        return hash_of({"cutouts": store.fingerprint, "parts": self.assets()})

    def _loader(self, part: str, batch_size: int, shuffled: bool = False) -> DataLoader[Batch]:
        if self.cache is None:
            raise RuntimeError("setup() comes before the batches.")
        row_of = {asset_id: row for row, asset_id in enumerate(self.cache.ids)}
        rows = np.array([row_of[asset_id] for asset_id in self.parts[part]], dtype=np.int64)
        order = Batches(rows, batch_size, self.seed if shuffled else None, share_of(self))
        pictures = Pictures(self.cache, self.seed, with_pixels=self.held is None)
        pinned = self._device().type == "cuda"
        return Loader(pictures, order, pinned=pinned)

    def _device(self) -> torch.device:
        return self.trainer.strategy.root_device if self.trainer else torch.device("cpu")

    def _on_device(self, cache: PictureCache) -> Tensor | None:
        """All pictures on the GPU, where they leave it half of its free memory; else None."""
        device = self._device()
        if device.type != "cuda":
            return None
        free, _ = torch.cuda.mem_get_info(device)
        fits = cache.pictures.nbytes < free / 2
        return torch.from_numpy(np.array(cache.pictures)).to(device) if fits else None


class Pictures(Dataset[Batch]):
    """The pictures of a cache; an item is a whole batch, asked for by its rows.

    Args:
        cache: the pictures.
        seed: part of every picture's key.
        with_pixels: False where the pixels lie on the device already.
    """

    def __init__(self, cache: PictureCache, seed: int = 0, with_pixels: bool = True) -> None:
        self.cache, self.with_pixels = cache, with_pixels
        self.keys = torch.tensor([_key(asset_id, seed) for asset_id in cache.ids])

    def __len__(self) -> int:
        return len(self.cache.ids)

    def __getitem__(self, rows: Any) -> Batch:
        numbers = torch.from_numpy(rows)
        batch = {"row": numbers, "key": self.keys[numbers]}
        if self.with_pixels:
            batch["pixels"] = torch.from_numpy(self.cache.pictures[rows])
        return batch


def _key(asset_id: str, seed: int) -> int:
    digest = hashlib.sha256(f"{seed} {asset_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


class Batches(Order):
    """Rows in batches, each in the order in which they lie on the disk."""

    def __iter__(self) -> Iterator[Any]:
        yield from map(np.sort, super().__iter__())
