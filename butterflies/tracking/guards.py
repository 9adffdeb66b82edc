"""What stops a training that cannot end well, or that need not go on, with a sentence."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EarlyStopping

from butterflies.errors import UserError


class Finite(pl.Callback):
    """Stops when the loss or a weight is no number any more.

    Looks at the loss when it is logged, and at the weights before a checkpoint holds them: a GPU
    has to be waited for both times. If one process stops, all do.
    """

    def __init__(self, last: Path) -> None:
        self.last = last

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, *_: Any
    ) -> None:
        every: int = trainer.log_every_n_steps  # type: ignore[attr-defined]
        if trainer.global_step % max(1, every):
            return
        loss = float(outputs["loss"]) if isinstance(outputs, Mapping) else 0.0
        self._stop_if(trainer, not math.isfinite(loss), "The loss is no number any more")

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        weights = [w for w in checkpoint["state_dict"].values() if w.is_floating_point()]
        sound = torch.stack([w.isfinite().all() for w in weights]).all() if weights else True
        self._stop_if(trainer, not sound, "Weights are no numbers any more")

    def _stop_if(self, trainer: pl.Trainer, broken: bool, what: str) -> None:
        if not trainer.strategy.reduce_boolean_decision(broken, all=False):
            return
        rate = getattr(trainer.lightning_module.hparams, "lr", None)
        now = "" if rate is None else f" (now {rate})"
        there = self.last.is_file()
        kept = f"{self.last} holds the last good state" if there else "no state was kept yet"
        raise UserError(f"{what} at step {trainer.global_step}: lower model.lr{now}; {kept}.")


class Monitored(pl.Callback):
    """Stops after the first validation where it does not give the metric that chooses best.ckpt."""

    def __init__(self, monitor: str) -> None:
        self.monitor, self.seen = monitor, False

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.sanity_checking or self.seen:
            return
        self.seen = self.monitor in trainer.callback_metrics
        if not self.seen:
            names = ", ".join(sorted(trainer.callback_metrics))
            raise UserError(
                f"monitor={self.monitor}: there is no such metric; choose one of {names}."
            )


class Patience(EarlyStopping):
    """Stops after so many validations without a better `monitor`."""

    def __init__(self, monitor: str, mode: str, patience: int) -> None:
        super().__init__(monitor, mode=mode, patience=patience, check_finite=False)

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """A training that had stopped so before it was killed does not go on."""
        if self.wait_count >= self.patience:
            trainer.should_stop = True
