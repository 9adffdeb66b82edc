"""What an autoencoder's codes hold, watched beside its training."""

from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.seed import isolate_rng

from butterflies.encoding.data import Cutouts
from butterflies.encoding.looks import looks
from butterflies.encoding.seen import Gallery, Seen, drawn, knn_scores
from butterflies.errors import UserError
from butterflies.tracking.callbacks import show
from butterflies.tracking.wandb import log_table

TABLED = 2_000
"""Validation specimens in the table at most: as many as W&B's projector shows."""


class CodesWatch(pl.Callback):
    """Asks neighbouring codes for genus and sex, and draws what the codes hold.

    The labels are those of the collection's records; they enter no training. Scores are those of
    `knn_scores` under `val/`: training specimens (at most 10,000 pictures) answer for those of the
    validation; and under `test/`, where validation specimens answer too. Where the records tell
    too little there are none. Pictures (`looks`) are made of validations only; at the end of the
    training W&B gets a table of validation codes for its projector.

    All this happens at the first validation, about every `every_n_epochs` and at the last. Scores
    are taken at every validation when a checkpoint or an early stop goes by one of them: between
    two scores Lightning would show it the old one again, and none at all after resuming.

    On several devices the first one encodes and all are told the scores; nothing here draws from
    the random numbers of the training.

    Args:
        every_n_epochs: epochs from one look to the next.
    """

    def __init__(self, every_n_epochs: int = 5) -> None:
        if every_n_epochs < 1:
            raise UserError(f"every_n_epochs is {every_n_epochs}: give at least 1.")
        self.every_n_epochs = every_n_epochs

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        data = getattr(trainer, "datamodule", None)
        if not isinstance(data, Cutouts):
            raise UserError(
                "callbacks=autoencoder watches codes of cut-outs, but none are trained on: "
                "give callbacks=none."
            )
        self.gallery = Gallery(data)

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        due = self._due(trainer)
        if not trainer.sanity_checking and (due or _decides(trainer)):
            self._watch(trainer, pl_module, "val", due)

    def on_test_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._watch(trainer, pl_module, "test", False)

    @torch.no_grad()
    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.is_global_zero:
            model: Any = pl_module.eval()
            with isolate_rng():
                rows = drawn(self.gallery.rows["validation"], TABLED)
                columns, values = self._table(self.gallery.see(model, rows))
            model.train()
            for logger in trainer.loggers:
                log_table(logger, "val/codes", columns, values)

    def _due(self, trainer: pl.Trainer) -> bool:
        """Counted from the first epoch, so that a resumed training looks when it would have."""
        apart = trainer.check_val_every_n_epoch or 1
        return trainer.current_epoch % self.every_n_epochs < apart or _last(trainer, apart)

    def _watch(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str, draw: bool
    ) -> None:
        scores: dict[str, float] = {}
        if trainer.is_global_zero:
            with isolate_rng():
                scores = self._look(trainer, pl_module, stage, draw)
        scores = trainer.strategy.broadcast(scores)
        named = {f"{stage}/{name}": value for name, value in scores.items()}
        pl_module.log_dict(named, batch_size=1, sync_dist=True)

    def _look(self, trainer: pl.Trainer, model: Any, stage: str, draw: bool) -> dict[str, float]:
        rows = self.gallery.rows
        known = self.gallery.see(model, rows["train"])
        asked = self.gallery.see(model, rows["validation"])
        if stage == "test":
            known, asked = known.joined(asked), self.gallery.see(model, rows["test"])
        if not np.isfinite(known.codes).all() or not np.isfinite(asked.codes).all():
            return {}  # the training is about to be stopped for it
        if draw:
            for name, picture in looks(self.gallery, model, known, asked):
                show(trainer, name, picture)
        return knn_scores(known, asked)

    def _table(self, seen: Seen) -> tuple[list[str], list[list[Any]]]:
        """Columns and rows: assetID, genus, species, sex and the numbers of the code."""
        numbers = [f"code_{number:03d}" for number in range(seen.codes.shape[1])]
        rows = [
            [self.gallery.ids[row], label.genus, label.species, label.sex, *code.tolist()]
            for row, label, code in zip(seen.rows, seen.labels, seen.codes, strict=True)
        ]
        return ["assetID", "genus", "species", "sex", *numbers], rows


def _last(trainer: pl.Trainer, apart: int) -> bool:
    """Whether this validation is the training's last, as far as can be known in it."""
    epochs, steps = trainer.max_epochs or -1, trainer.max_steps
    return (
        trainer.should_stop
        or 0 <= epochs <= trainer.current_epoch + apart
        or 0 <= steps <= trainer.global_step
    )


def _decides(trainer: pl.Trainer) -> bool:
    """Whether a checkpoint or an early stop goes by one of the scores."""
    watched = (getattr(callback, "monitor", None) for callback in trainer.callbacks)  # type: ignore[attr-defined]
    return any(str(name).startswith("val/knn_") for name in watched)
