"""One training: a run folder with its configuration, metrics, pictures and checkpoints.

<run>/config.yaml  metrics.csv  best.ckpt  last.ckpt  pictures/  wandb/  provenance.json
"""

import logging
import math
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytorch_lightning as pl
import torch
from omegaconf import OmegaConf
from pytorch_lightning.callbacks import ModelCheckpoint, TQDMProgressBar

from butterflies.compute import bf16_is_fast
from butterflies.errors import UserError
from butterflies.files import write_text
from butterflies.tracking import provenance as prov
from butterflies.tracking import wandb
from butterflies.tracking.callbacks import ValidationPicture
from butterflies.tracking.console import say
from butterflies.tracking.metrics import MetricsFile
from butterflies.tracking.outputs import Output, output

VERSION = 1

SAME_RESULT = ("accelerator", "devices", "enable_progress_bar", "log_every_n_steps", "strategy")
"""Options of the Trainer that do not make another result."""


@dataclass
class FitSettings:
    """Settings of a training."""

    model: Callable[[], pl.LightningModule]
    """Builds the model, once the seed is set; it has a `picture(batch)`, see `callbacks`."""
    data: pl.LightningDataModule
    """With a method `fingerprint()` of what it reads."""
    monitor: str
    """The metric that chooses best.ckpt."""
    mode: Literal["min", "max"]
    """Whether a small or a large value of it is good."""
    trainer: dict[str, Any] = field(default_factory=dict)
    """Options of Lightning's Trainer; precision=auto is bf16-mixed where that is fast."""
    logger: wandb.WandbSettings = field(default_factory=wandb.WandbSettings)
    ckpt_path: str | None = None
    """Go on from this checkpoint's weights, optimizer and step."""
    out: str | None = None
    force: bool = False
    seed: int = 0
    config: dict[str, Any] = field(default_factory=dict)
    """The resolved configuration, to be kept and logged."""


def fit(settings: FitSettings) -> tuple[Path, dict[str, float]]:
    """Trains, keeps the best and the last checkpoint, and scores the best on the test specimens.

    Returns:
        The run folder, and the scores of best.ckpt by metric name.

    Raises:
        UserError: the data cannot be trained on, an option is unknown, or the loss is no number.
    """
    pl.seed_everything(settings.seed, verbose=False)
    data: Any = settings.data
    inputs = {"data": data.fingerprint()}
    model = settings.model()
    with output("train", _Matters.of(settings, model), inputs, VERSION) as made:
        if not made.finished:
            failed = True
            try:
                _fit(settings, model, made)
                failed = False
            finally:
                wandb.finish(failed)
    return made.place, made.provenance["scores"]


@dataclass
class _Matters:
    """The part of the settings that makes the result, as plain values."""

    model: dict[str, Any]
    data: dict[str, Any]
    trainer: dict[str, Any]
    monitor: str
    mode: str
    seed: int
    ckpt_path: str | None
    out: str | None
    force: bool

    @classmethod
    def of(cls, s: FitSettings, built: pl.LightningModule) -> "_Matters":
        data = {k: v for k, v in s.data.hparams.items() if k not in prov.IGNORED_KEYS}
        trainer = {k: v for k, v in s.trainer.items() if k not in SAME_RESULT}
        model = {"class": type(built).__name__, **built.hparams}
        return cls(model, data, trainer, s.monitor, s.mode, s.seed, s.ckpt_path, s.out, s.force)


def _fit(settings: FitSettings, model: pl.LightningModule, made: Output) -> None:
    folder = made.folder
    config = settings.config or prov.plain(_Matters.of(settings, model))
    write_text(folder / "config.yaml", OmegaConf.to_yaml(OmegaConf.create(config)))
    run_id = made.provenance.setdefault("wandb_id", wandb.new_run_id())
    metrics = MetricsFile(folder)
    loggers: list[Any] = [metrics]
    with _Quiet():
        if settings.logger.mode != "disabled":
            loggers.append(wandb.wandb_logger(settings.logger, folder, run_id, config, "train"))
        trainer = _trainer(settings, folder, loggers)
    last = folder / "last.ckpt"
    start = str(last) if last.is_file() else settings.ckpt_path
    if last.is_file():
        metrics.forget_after(torch.load(last, weights_only=True)["global_step"])
    with made.stage("fit"), _Quiet():
        trainer.fit(model, settings.data, ckpt_path=start, weights_only=True)
    if trainer.interrupted:
        raise KeyboardInterrupt
    with made.stage("test"), _Quiet():
        made.provenance["scores"] = _test(settings, model, trainer, folder)
    metrics.save()


def _trainer(settings: FitSettings, folder: Path, loggers: list[Any]) -> pl.Trainer:
    best = ModelCheckpoint(
        dirpath=folder,
        filename="best",
        monitor=settings.monitor,
        mode=settings.mode,
        enable_version_counter=False,
    )
    # Lightning's own save_last=True writes only when the best improves.
    last = ModelCheckpoint(dirpath=folder, filename="last", enable_version_counter=False)
    shown = sys.stderr.isatty()
    options = {"enable_progress_bar": shown, **settings.trainer}
    if options.get("precision") == "auto":
        on_gpu = options.get("accelerator") != "cpu" and torch.cuda.is_available()
        fast = bf16_is_fast("cuda" if on_gpu else "cpu")
        options["precision"] = "bf16-mixed" if fast else "32-true"
    try:
        return pl.Trainer(
            default_root_dir=folder,
            callbacks=[best, last, ValidationPicture(), _Finite(), *([_Bar()] if shown else [])],
            logger=loggers,
            enable_model_summary=False,
            **options,
        )
    except TypeError as error:
        raise UserError(f"trainer: {error}; see Lightning's Trainer for its options.") from None


class _Bar(TQDMProgressBar):
    """Lightning's progress bar without the run's id."""

    def get_metrics(self, *arguments: Any) -> dict[str, Any]:
        shown = super().get_metrics(*arguments)
        return {name: value for name, value in shown.items() if name != "v_num"}


class _Finite(pl.Callback):
    """Stops a training whose loss is no number any more, with a sentence."""

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        loss = float(trainer.callback_metrics.get("train/loss", 0.0))
        if not math.isfinite(loss):
            raise UserError(
                f"The loss became {loss} at step {trainer.global_step}: lower model.lr; "
                "last.ckpt holds the last good state."
            )


def _test(
    settings: FitSettings, model: pl.LightningModule, trainer: pl.Trainer, folder: Path
) -> dict[str, float]:
    """The best checkpoint's scores on the test specimens, and its score on the validation ones."""
    scores = {}
    checkpoint = trainer.checkpoint_callback
    if isinstance(checkpoint, ModelCheckpoint) and checkpoint.best_model_score is not None:
        scores[settings.monitor] = float(checkpoint.best_model_score)
    best = str(folder / "best.ckpt")
    found = trainer.test(model, settings.data, ckpt_path=best, verbose=False)
    scores |= {k: float(v) for k, v in (found[0] if found else {}).items()}
    for name, value in scores.items():
        say(f"  {name}: {value:.4f}")
    return scores


class _Quiet(warnings.catch_warnings):
    """Silences Lightning's advertisements and two warnings that do not hold here."""

    def __enter__(self) -> Any:
        entered = super().__enter__()
        logging.getLogger("pytorch_lightning.utilities.rank_zero").setLevel(logging.WARNING)
        warnings.filterwarnings("ignore", "Checkpoint directory .* exists and is not empty")
        warnings.filterwarnings("ignore", "The dirpath has changed from")  # ckpt_path=
        warnings.filterwarnings("ignore", "The .*dataloader.* does not have many workers")
        warnings.filterwarnings("ignore", r".*isinstance\(treespec, LeafSpec\)", FutureWarning)
        return entered
