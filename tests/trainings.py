"""Trainings small enough to be stopped anywhere; run as a module, one that takes its time."""

import csv
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from butterflies.encoding.autoencoder import Autoencoder
from butterflies.encoding.data import Cutouts
from butterflies.segmentation.data import MaskedPhotographs
from butterflies.segmentation.segmenter import Segmenter
from butterflies.tracking import resuming
from butterflies.tracking.fit import fit
from butterflies.tracking.settings import FitSettings
from butterflies.tracking.wandb import WandbSettings
from tests.cutout_sets import blob, write_cutouts
from tests.specimens import masked_collection


def autoencoder(collection: Path) -> dict[str, Any]:
    if not collection.is_dir():
        write_cutouts(collection, {f"b{n:03d}": blob(n, 32) for n in range(40)})
    return {
        "model": partial(Autoencoder, latent_dim=4, width=4),
        "data": Cutouts(str(collection), batch_size=4),
        "monitor": "val/l1",
        "mode": "min",
    }


def segmenter(collection: Path) -> dict[str, Any]:
    if not collection.is_dir():
        masked_collection(collection, 16, (48, 64))
    data = MaskedPhotographs(
        str(collection), batch_size=2, crop_px=32, repeats=1, paste=0.5, workers=1
    )
    return {
        "model": partial(Segmenter, depth=1, width=4),
        "data": data,
        "monitor": "val/loss",
        "mode": "min",
    }


KINDS = {"autoencoder": autoencoder, "segmenter": segmenter}


def settings(kind: str, collection: Path, **changed: Any) -> FitSettings:
    trainer = {"max_epochs": 3, "log_every_n_steps": 2, "accelerator": "cpu"}
    quiet = WandbSettings(mode="disabled")
    return FitSettings(
        **{**KINDS[kind](collection), "trainer": trainer, "logger": quiet, **changed}
    )


def metrics(place: Path) -> list[dict[str, str]]:
    with (place / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def assert_same_training(one: Path, other: Path) -> None:
    """The same rows of metrics and the same weights, to numerical noise."""
    rows, same = metrics(one), metrics(other)
    assert [row["step"] for row in same] == [row["step"] for row in rows]
    for row, again in zip(rows, same, strict=True):
        assert {k: v for k, v in again.items() if v}.keys() == {k for k, v in row.items() if v}
        for name in row:
            assert abs(float(row[name] or 0) - float(again[name] or 0)) < 1e-5, name
    for name in ("last", "best"):
        weights, found = (
            torch.load(place / f"{name}.ckpt", weights_only=True)["state_dict"]
            for place in (one, other)
        )
        for key, value in weights.items():
            assert torch.allclose(value.float(), found[key].float(), atol=1e-6), key


class Slowly(pl.Callback):
    def on_train_batch_end(self, *_: Any) -> None:
        time.sleep(0.05)


if __name__ == "__main__":
    resuming.EVERY_S = 0.0
    fit(settings(sys.argv[1], Path(sys.argv[2]), callbacks=[Slowly()]))
