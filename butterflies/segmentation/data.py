"""Photographs with masks as training data: decoded once, seen anew in each epoch."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytorch_lightning as pl
from PIL import Image
from torch.utils.data import DataLoader

from butterflies.collection.drawn import draw_backdrop
from butterflies.collection.photos import photo_marks
from butterflies.collection.records import read_records
from butterflies.collection.splits import split_of
from butterflies.errors import UserError
from butterflies.files import sha256
from butterflies.segmentation import contrast
from butterflies.segmentation.crops import Batched, Crops, EpochOrder, Sample, Whole
from butterflies.segmentation.pairs import (
    Pair,
    Row,
    contrast_pairs,
    hand_pair,
    with_hand_masks,
    worth_trying,
)
from butterflies.tables import ok_rows
from butterflies.tracking.batches import Loader, Order, check_shares, share_of
from butterflies.tracking.provenance import hash_of

TaughtBy = Literal["hand", "contrast", "both"]
PASTED: dict[TaughtBy, tuple[float, int]] = {
    "hand": (0.5, 0),
    "contrast": (0.8, 200),
    "both": (0.6, 100),
}
"""`paste` and `backdrops` by who taught: clean backgrounds alone teach nothing of others."""
PARTS = ("train", "validation", "test")
EVALUATED = 4
"""Photographs in a batch of validation and test."""


class MaskedPhotographs(pl.LightningDataModule):
    """The photographs of a collection that have masks, split by specimen.

    All are held in memory at working size, about 0.5 MB each and thrice that if pasted. What an
    epoch shows, and in which order, follows from seed, epoch and assetID alone.

    Args:
        collection: the collection's folder.
        taught_by: `hand` trains on the masks in `masks/`; `contrast` on masks by contrast of
            photographs on clean backgrounds, at most pairs.TRIED of which are looked at; `both` on
            both. Whatever taught, masks in `masks/` validate and test where there are any.
        batch_size: crops per training step.
        working_px: longer side that larger photographs are scaled down to; the model's own.
        crop_px: side of the squares trained on.
        repeats: crops of each photograph in an epoch.
        paste: part of the crops that show the specimen before another background; None = as
            PASTED says.
        backdrops: drawn backgrounds, beside those of the photographs, to paste on; None likewise.
        split: `specimen` holds validation and test specimens out of training, `all` trains on
            everything, validates on a part of it, and leaves nothing to test on.
        split_seed: see collection.splits.
        seed: of order and augmentation.
        workers: processes that prepare crops; 0 prepares them in the training process.
    """

    def __init__(
        self,
        collection: str,
        taught_by: TaughtBy = "hand",
        batch_size: int = 8,
        working_px: int = 480,
        crop_px: int = 256,
        repeats: int = 4,
        paste: float | None = None,
        backdrops: int | None = None,
        split: Literal["specimen", "all"] = "specimen",
        split_seed: int = 0,
        seed: int = 0,
        workers: int = 0,
    ) -> None:
        super().__init__()
        self.save_hyperparameters(logger=False)
        self.collection, self.taught_by = Path(collection), taught_by
        self.batch_size, self.repeats, self.workers = batch_size, repeats, workers
        self.working_px, self.crop_px, self.seed = working_px, crop_px, seed
        for name in ("batch_size", "crop_px", "repeats"):
            if self.hparams[name] < 1:
                raise UserError(f"data.{name} is {self.hparams[name]}: give at least 1.")
        if workers < 0:
            raise UserError(f"data.workers is {workers}: give 0 or more.")
        if taught_by not in PASTED:
            raise UserError(f"masks={taught_by}: choose one of {', '.join(PASTED)}.")
        usual = PASTED[taught_by]
        self.paste = usual[0] if paste is None else paste
        self.backdrops = usual[1] if backdrops is None else backdrops
        self.split, self.split_seed = split, split_seed
        self.pairs: dict[str, list[Pair]] = {}
        self.crops: Crops | None = None

    def setup(self, stage: str | None = None) -> None:
        if self.pairs:
            return
        told = self.rows()
        self.pairs = {part: self._pairs(rows) for part, rows in told.items()}
        for part, rows in self.untold(told).items():
            self.pairs[part] = sorted(self.pairs[part] + self._by_contrast(rows))
        if not self.pairs["train"] or not self.pairs["validation"]:
            raise self._too_few({part: len(found) for part, found in self.pairs.items()})
        check_shares(self, {part: len(found) for part, found in self.pairs.items()})

    def rows(self) -> dict[str, list[Row]]:
        """The records whose hand masks train, validate and test, sorted by assetID.

        Raises:
            UserError: the collection has too few masks to train and to validate on.
        """
        parts = self._split(with_hand_masks(self.collection, self._records()))
        if self.taught_by == "contrast":
            parts["train"] = []
        elif self.taught_by == "hand" and not (parts["train"] and parts["validation"]):
            raise self._too_few({part: len(rows) for part, rows in parts.items()})
        return parts

    def untold(self, told: Mapping[str, list[Row]]) -> dict[str, list[Row]]:
        """The records, beside those of `rows`, that are looked at for masks by contrast."""
        if self.taught_by == "hand":
            return {}
        ids = {part: {row["assetID"] for row in rows} for part, rows in told.items()}
        tried = self._split(worth_trying(self.collection, self._records()))
        return {
            part: [row for row in rows if row["assetID"] not in ids[part]]
            for part, rows in tried.items()
            if part == "train" or not told[part]
        }

    def train_dataloader(self) -> DataLoader[Sample]:
        if self.crops is None:
            self.crops = self._crops()
        share = share_of(self)
        order = EpochOrder(len(self.crops), self.repeats, self.seed, self.batch_size, share)
        return Loader(Batched(self.crops), order, self.workers)

    def val_dataloader(self) -> DataLoader[Sample]:
        return self._whole("validation")

    def test_dataloader(self) -> DataLoader[Sample]:
        return self._whole("test")

    @property
    def sources(self) -> list[Path]:
        """What it reads, for the lineage."""
        return [self.collection]

    def fingerprint(self) -> str:
        """Changes when a photograph, a mask or a specimen of the training data does."""
        told = self.rows()
        seen = {**self._marks([row for rows in told.values() for row in rows]), "contrast": {}}
        for rows in self.untold(told).values():
            seen["contrast"] |= self._marks(rows, masked=False)
        return hash_of({**seen, "version": contrast.VERSION if seen["contrast"] else 0})

    def _marks(self, rows: list[Row], masked: bool = True) -> dict[str, Any]:
        marks = photo_marks(self.collection, rows)
        masks = self._mask_mark if masked else lambda row: ""
        return {r["assetID"]: [r["specimen"], marks[r["assetID"]], masks(r)] for r in rows}

    def _mask_mark(self, row: Row) -> str:
        return sha256(self.collection / "masks" / f"{row['assetID']}.png")

    def _records(self) -> list[Row]:
        rows = ok_rows(read_records(self.collection))
        return sorted(rows, key=lambda row: str(row["assetID"]))

    def _split(self, rows: list[Row]) -> dict[str, list[Row]]:
        parts: dict[str, list[Row]] = {part: [] for part in PARTS}
        for row in rows:
            parts[split_of(row["specimen"], self.split_seed)].append(row)
        if self.split == "all":
            parts = {"train": rows, "validation": parts["validation"] or rows, "test": []}
        return parts

    def _pairs(self, rows: list[Row]) -> list[Pair]:
        return [hand_pair(self.collection, self.working_px, row) for row in rows]

    def _by_contrast(self, rows: list[Row]) -> list[Pair]:
        return contrast_pairs(self.collection, self.working_px, rows)

    def _crops(self) -> "Crops":
        drawn = [Image.fromarray(draw_backdrop(i, self.seed)) for i in range(self.backdrops)]
        return Crops(self.pairs["train"], self.crop_px, self.paste, drawn, self.seed)

    def _too_few(self, counts: Mapping[str, int]) -> UserError:
        asked = "masks by contrast" if self.taught_by == "contrast" else "masks"
        return UserError(
            f"{self.collection} has {sum(counts.values())} photographs with {asked}, "
            f"{counts['train']} of them for training and {counts['validation']} for "
            "validation: collect with more masks (masks=DIR), draw some (butterflies annotate), "
            "or train on all (data.split=all)."
        )

    def _whole(self, part: str) -> DataLoader[Sample]:
        whole = Whole(self.pairs[part])
        order = Order(np.arange(len(whole)), EVALUATED, share=share_of(self))
        return Loader(Batched(whole), order)
