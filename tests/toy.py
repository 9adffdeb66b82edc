"""The smallest model and data that `fit` can train: a line through points."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset


class Line(pl.LightningModule):
    """Fits y = slope * x by squared error."""

    def __init__(self, lr: float = 0.1, poison: bool = False) -> None:
        super().__init__()
        self.save_hyperparameters(logger=False)
        self.lr, self.poison = lr, poison
        self.slope = torch.nn.Parameter(torch.zeros(1))

    def _error(self, batch: list[Tensor]) -> Tensor:
        return ((self.slope * batch[0] - batch[1]) ** 2).mean()

    def training_step(self, batch: list[Tensor], index: int) -> Tensor:
        loss = self._error(batch) * (float("nan") if self.poison else 1.0)
        self.log("train/loss", loss)
        return loss

    def validation_step(self, batch: list[Tensor], index: int) -> None:
        self.log("val/error", self._error(batch))

    def test_step(self, batch: list[Tensor], index: int) -> None:
        self.log("test/error", self._error(batch))

    def picture(self, batch: Any) -> tuple[str, npt.NDArray[np.uint8]]:
        return "line", np.full((4, 5, 3), 200, np.uint8)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), self.lr)


class Points(pl.LightningDataModule):
    """y = 3 x."""

    def __init__(self, n: int = 8, stop_at: int | None = None) -> None:
        super().__init__()
        self.n, self.stop_at = n, stop_at

    def fingerprint(self) -> str:
        return f"points-{self.n}"

    def _loader(self) -> DataLoader[Any]:
        if self.trainer and self.trainer.current_epoch == self.stop_at:
            raise RuntimeError("killed")
        x = torch.linspace(-1, 1, self.n)[:, None]
        return DataLoader(TensorDataset(x, 3 * x), batch_size=4)

    train_dataloader = val_dataloader = test_dataloader = _loader
