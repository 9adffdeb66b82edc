"""The settings of a training, and which of them make its result."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pytorch_lightning as pl

from butterflies.errors import UserError
from butterflies.tracking import provenance as prov
from butterflies.tracking import wandb
from butterflies.tracking.processes import processes
from butterflies.tracking.resuming import check_start
from butterflies.tracking.trainer import check_options

SAME_RESULT = (
    "accelerator",
    "devices",
    "enable_progress_bar",
    "log_every_n_steps",
    "num_nodes",
    "strategy",
)
"""Options of the Trainer that do not make another result; the number of processes does."""


@dataclass
class FitSettings:
    """Settings of a training."""

    model: Callable[[], pl.LightningModule]
    """Builds the model, once the seed is set; it has a `picture(batch)`, see `callbacks`."""
    data: pl.LightningDataModule
    """With a method `fingerprint()` of what it reads, and where that lies: `sources`."""
    monitor: str
    """The metric that chooses best.ckpt."""
    mode: Literal["min", "max"]
    """Whether a small or a large value of it is good."""
    trainer: dict[str, Any] = field(default_factory=dict)
    """Options of Lightning's Trainer; precision=auto is bf16-mixed where that is fast."""
    logger: wandb.WandbSettings = field(default_factory=wandb.WandbSettings)
    callbacks: Sequence[pl.Callback] = ()
    """What else happens beside the training; they do not change what it learns."""
    patience: int | None = None
    """Validations without improvement after which the training stops."""
    ckpt_path: str | None = None
    """Go on from this checkpoint's weights, optimizer and step."""
    out: str | None = None
    force: bool = False
    seed: int = 0
    config: dict[str, Any] = field(default_factory=dict)
    """The resolved configuration, to be kept and logged."""


@dataclass
class Matters:
    """The part of the settings that makes the result, as plain values."""

    model: dict[str, Any]
    data: dict[str, Any]
    trainer: dict[str, Any]
    processes: int
    monitor: str
    mode: str
    patience: int | None
    seed: int
    ckpt_path: str | None
    out: str | None
    force: bool

    @classmethod
    def of(cls, s: FitSettings, built: pl.LightningModule) -> "Matters":
        data = {k: v for k, v in s.data.hparams.items() if k not in prov.IGNORED_KEYS}
        trainer = {k: v for k, v in s.trainer.items() if k not in SAME_RESULT}
        model = {"class": type(built).__name__, **built.hparams}
        return cls(
            model=model,
            data=data,
            trainer=trainer,
            processes=processes(s.trainer),
            monitor=s.monitor,
            mode=s.mode,
            patience=s.patience,
            seed=s.seed,
            ckpt_path=s.ckpt_path,
            out=s.out,
            force=s.force,
        )


def check(settings: FitSettings) -> None:
    """Says which setting makes no sense.

    Raises:
        UserError: one makes none.
    """
    check_options(settings.trainer, settings.patience)
    if not isinstance(settings.seed, int) or not 0 <= settings.seed < 2**32:
        raise UserError(f"seed={settings.seed}: give a whole number from 0 on.")
    if settings.mode not in ("min", "max"):
        raise UserError(f"mode={settings.mode}: give min or max, whichever is good.")


def check_model(settings: FitSettings, model: pl.LightningModule) -> None:
    """Says what makes no sense now that the model is built.

    Raises:
        UserError: its learning rate, or the checkpoint to go on from.
    """
    rate = model.hparams.get("lr", 1.0)
    if not isinstance(rate, (int, float)) or not 0 < rate < float("inf"):
        raise UserError(f"model.lr={rate}: give a number above 0, such as 0.003.")
    if settings.ckpt_path:
        check_start(settings.ckpt_path, model, settings.trainer.get("max_epochs") or -1)
