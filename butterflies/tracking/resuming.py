"""last.ckpt: what a training that was stopped at any moment goes on from, to the same end."""

import io
import pickle
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.io.torch_io import TorchCheckpointIO
from pytorch_lightning.callbacks import Checkpoint

from butterflies.errors import UserError
from butterflies.files import write_bytes
from butterflies.tracking.metrics import MetricsFile

EVERY_S = 300.0
"""Seconds of a long epoch after which last.ckpt is written anew."""

ASKED_EVERY = 10
"""Steps after which several processes agree on whether so long has passed."""


class LastCheckpoint(Checkpoint):
    """Writes `last.ckpt` at the end of every epoch, and every five minutes within one.

    A state is taken at the end of a step and gets its name once `metrics.csv` has what was logged
    until then. If a validation comes in between, it is given up: Lightning, going on from there,
    would leave the validation out.

    Args:
        folder: the run folder.
        metrics: its metrics; None in a process that writes none.
    """

    def __init__(self, folder: Path, metrics: MetricsFile | None) -> None:
        self.path, self.taken = folder / "last.ckpt", folder / ".last.ckpt.new"
        self.metrics = metrics
        self.waiting = False
        self.step, self.time = 0, time.monotonic()

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.step, self.time = trainer.global_step, time.monotonic()

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        stepped = trainer.global_step != self.step  # else gradients are being accumulated
        self.step = trainer.global_step
        if stepped and self._due(trainer):
            self._take(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._take(trainer)

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.waiting = False

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        self._keep(trainer)

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._keep(trainer)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._keep(trainer)

    def _due(self, trainer: pl.Trainer) -> bool:
        if trainer.world_size > 1 and trainer.global_step % ASKED_EVERY:
            return False
        return bool(trainer.strategy.broadcast(time.monotonic() - self.time >= EVERY_S))

    def _take(self, trainer: pl.Trainer) -> None:
        trainer.save_checkpoint(self.taken, weights_only=False)
        self.waiting, self.time = True, time.monotonic()

    def _keep(self, trainer: pl.Trainer) -> None:
        if self.waiting and trainer.is_global_zero:
            if self.metrics:
                self.metrics.write()
            self.taken.replace(self.path)
        self.waiting = False


class SameCourse(pl.Callback):
    """What is random in a step follows from seed, epoch, batch and process.

    All processes begin with the first one's weights.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Tells the loader how much of the epoch was seen.

        Lightning 2.6 forgets it where a model has asked for `estimated_stepping_batches`.
        """
        trainer.fit_loop._load_combined_loader_states()

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """A model may have chosen its first weights in `on_train_start`, from what it saw."""
        if trainer.global_step == 0 and trainer.world_size > 1:
            for value in pl_module.state_dict().values():
                whole = value.contiguous()
                torch.distributed.broadcast(whole, 0)
                value.copy_(whole)

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        when = [self.seed, trainer.current_epoch, batch_idx, trainer.global_rank]
        torch.manual_seed(int(np.random.SeedSequence(when).generate_state(1)[0]))


class WholeFiles(TorchCheckpointIO):
    """Checkpoints appear by rename; Lightning's own are moved from another disk, byte by byte."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None
    ) -> None:
        buffer = io.BytesIO()
        torch.save(checkpoint, buffer)
        write_bytes(Path(path), buffer.getvalue())


def check_start(path: str, model: pl.LightningModule, max_epochs: int) -> None:
    """Whether a training of `model` can go on from a checkpoint.

    Raises:
        UserError: there is none, it is another model's, or it has been trained long enough.
    """
    asked = f"ckpt_path={path}"
    if not Path(path).is_file():
        raise UserError(f"{asked}: there is no such file; give the last.ckpt of a run.")
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
        shapes = {name: tuple(w.shape) for name, w in found["state_dict"].items()}
        epochs = found["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"]
    except (pickle.UnpicklingError, RuntimeError, TypeError, KeyError, EOFError, ValueError):
        raise UserError(f"{asked} is no checkpoint: give the last.ckpt of a run.") from None
    if shapes != {name: tuple(w.shape) for name, w in model.state_dict().items()}:
        raise UserError(
            f"{asked} holds another model than this {type(model).__name__}: give the last.ckpt of "
            "a run with the same settings of model.*, which its config.yaml tells."
        )
    if 0 <= max_epochs <= epochs:
        raise UserError(
            f"{asked} has been trained for {epochs} epochs already: give a larger max_epochs."
        )
