"""A training in two processes, run as a module: its model would begin differently in each."""

import sys
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor

from butterflies.errors import UserError
from butterflies.tracking.batches import Loader, Order, counted, share_of
from butterflies.tracking.console import complain
from butterflies.tracking.fit import fit
from butterflies.tracking.settings import FitSettings
from butterflies.tracking.wandb import WandbSettings
from tests.toy import Line


class Between(Line):
    """A line through 0 that begins anywhere, and breaks in one process if asked to."""

    def __init__(self, broken_rank: int | None = None) -> None:
        super().__init__(lr=0.05)
        self.broken_rank = broken_rank

    def on_train_start(self) -> None:
        with torch.no_grad():
            self.slope.fill_(1.0 + self.global_rank)

    def training_step(self, batch: list[Tensor], index: int) -> Tensor:
        loss = super().training_step(batch, index)
        return loss * (float("nan") if self.global_rank == self.broken_rank else 1)

    def validation_step(self, batch: list[Tensor], index: int) -> None:
        self._log("val/error", batch)

    def test_step(self, batch: list[Tensor], index: int) -> None:
        self._log("test/error", batch)

    def _log(self, name: str, batch: list[Tensor]) -> None:
        self.log(name, self._error(batch), batch_size=counted(len(batch[0])), sync_dist=True)


class Curve(torch.utils.data.Dataset[list[Tensor]]):
    def __getitem__(self, numbers: Any) -> list[Tensor]:
        x = torch.from_numpy(numbers).float()[:, None] / 24
        return [x, 3 * x**2]


class Numbers(pl.LightningDataModule):
    """y = 3 x^2 at 24 places, told from 5 others."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def fingerprint(self) -> str:
        return "numbers"

    def train_dataloader(self) -> Loader:
        return Loader(Curve(), Order(np.arange(24), self.size, 1, share_of(self)))

    def val_dataloader(self) -> Loader:
        return Loader(Curve(), Order(np.arange(5), 4, share=share_of(self)))

    test_dataloader = val_dataloader


def settings(processes: int, out: str, broken_rank: int | None = None) -> FitSettings:
    return FitSettings(
        model=lambda: Between(broken_rank),
        data=Numbers(12 // processes),
        monitor="val/error",
        mode="min",
        trainer={
            "max_epochs": 4,
            "log_every_n_steps": 1,
            "accelerator": "cpu",
            "devices": processes,
        },
        logger=WandbSettings(mode="disabled"),
        out=out,
    )


if __name__ == "__main__":
    rank = int(sys.argv[2]) if len(sys.argv) > 2 else None
    try:
        fit(settings(2, sys.argv[1], rank))
    except UserError as error:
        complain(str(error))
        sys.exit(1)
