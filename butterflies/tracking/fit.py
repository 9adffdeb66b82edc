"""One training: a run folder with its configuration, metrics, pictures and checkpoints.

<run>/config.yaml  metrics.csv  best.ckpt  last.ckpt  pictures/  wandb/  provenance.json
"""

import math
import os
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from omegaconf import OmegaConf
from pytorch_lightning.callbacks import ModelCheckpoint

from butterflies.files import write_text
from butterflies.tracking import provenance as prov
from butterflies.tracking import wandb
from butterflies.tracking.artifacts import Artifact, log_artifact, use_artifacts
from butterflies.tracking.callbacks import ValidationPicture
from butterflies.tracking.console import is_first, say
from butterflies.tracking.guards import Finite, Monitored, Patience
from butterflies.tracking.metrics import MetricsFile
from butterflies.tracking.outputs import Output, output
from butterflies.tracking.processes import RUN_FOLDER, check_first, shared_folder, together
from butterflies.tracking.resuming import LastCheckpoint, SameCourse
from butterflies.tracking.settings import FitSettings, Matters, check, check_model
from butterflies.tracking.trainer import Quiet, make_trainer

VERSION = 1


def fit(settings: FitSettings) -> tuple[Path, dict[str, float]]:
    """Trains, keeps the best and the last checkpoint, and scores the best on the test specimens.

    Where several processes train together, each calls this, and the first one writes.

    Returns:
        The run folder, and the scores of best.ckpt by metric name.

    Raises:
        UserError: the data cannot be trained on, an option makes no sense, or the loss is no
            number.
        KeyboardInterrupt: it was stopped; the same settings go on.
    """
    check(settings)
    pl.seed_everything(settings.seed, verbose=False)
    model = settings.model()
    check_model(settings, model)
    if not is_first():
        return _accompany(settings, model)
    check_first(settings.trainer, settings.out)
    data: Any = settings.data
    inputs = {"data": data.fingerprint()}
    sources = [*getattr(data, "sources", ())]
    sources += [Path(settings.ckpt_path)] if settings.ckpt_path else []
    matters = Matters.of(settings, model)
    with output("train", matters, inputs, VERSION, sources=sources) as made:
        if not made.finished:
            failed = True
            try:
                _fit(settings, model, made)
                failed = False
            finally:
                wandb.finish(failed)
    return made.place, made.provenance["scores"]


def _accompany(settings: FitSettings, model: pl.LightningModule) -> tuple[Path, dict[str, float]]:
    """The part of a process that is not the first."""
    folder = shared_folder(settings.out)
    there = prov.read_provenance(folder)
    if there.get("status") == "finished":
        return folder, there["scores"]
    trainer = _trained(settings, model, folder, None, [])
    return folder, _test(settings, model, trainer, folder)


def _fit(settings: FitSettings, model: pl.LightningModule, made: Output) -> None:
    folder = made.folder
    config = settings.config or prov.plain(Matters.of(settings, model))
    write_text(folder / "config.yaml", OmegaConf.to_yaml(OmegaConf.create(config)))
    run_id = wandb.run_id(made.provenance.get("wandb_id"))
    if settings.logger.mode != "disabled":
        made.provenance["wandb_id"] = run_id
        made.save()
    metrics = MetricsFile(folder)
    loggers: list[Any] = [metrics]
    if settings.logger.mode != "disabled":
        with Quiet():
            loggers.append(wandb.wandb_logger(settings.logger, folder, run_id, config, "train"))
    os.environ[RUN_FOLDER] = str(folder.absolute())
    with made.stage("fit"):
        trainer = _trained(settings, model, folder, metrics, loggers)
    with made.stage("test"):
        made.provenance["scores"] = _test(settings, model, trainer, folder)
    metrics.write()
    _log_checkpoint(model, loggers[1:], made)


def _trained(
    settings: FitSettings,
    model: pl.LightningModule,
    folder: Path,
    metrics: MetricsFile | None,
    loggers: list[Any],
) -> pl.Trainer:
    """The trainer after the training, which went on from last.ckpt if there is one."""
    last = folder / "last.ckpt"
    start = str(last) if last.is_file() else settings.ckpt_path
    if metrics:
        begun = last.is_file() and torch.load(last, weights_only=True)["global_step"]
        metrics.forget_from(int(begun))
    callbacks = _callbacks(settings, folder, metrics)
    with Quiet():
        trainer = make_trainer(settings.trainer, folder, loggers, callbacks)
        together(trainer, trainer.fit, model, settings.data, ckpt_path=start, weights_only=True)
    return trainer


def _log_checkpoint(model: pl.LightningModule, loggers: list[Any], made: Output) -> None:
    """Makes the best checkpoint an artifact of the W&B run, if there is one."""
    for logger in loggers:
        use_artifacts(logger.experiment, made.provenance["lineage"])
        files = [made.folder / "best.ckpt", made.folder / "config.yaml"]
        artifact = Artifact(type(model).__name__.lower(), "checkpoint", files)
        log_artifact(logger.experiment, artifact, made.provenance, made.place)


def _callbacks(
    settings: FitSettings, folder: Path, metrics: MetricsFile | None
) -> list[pl.Callback]:
    best = ModelCheckpoint(
        dirpath=folder,
        filename="best",
        monitor=settings.monitor,
        mode=settings.mode,
        enable_version_counter=False,
    )
    stop = settings.patience and [Patience(settings.monitor, settings.mode, settings.patience)]
    return [
        SameCourse(settings.seed),
        ValidationPicture(),
        *settings.callbacks,
        Monitored(settings.monitor),
        Finite(folder / "last.ckpt"),
        *(stop or []),
        best,
        LastCheckpoint(folder, metrics),
    ]


def _test(
    settings: FitSettings, model: pl.LightningModule, trainer: pl.Trainer, folder: Path
) -> dict[str, float]:
    """The best checkpoint's scores on the test specimens, and its score on the validation ones."""
    scores = {}
    checkpoint = trainer.checkpoint_callback
    if isinstance(checkpoint, ModelCheckpoint) and checkpoint.best_model_score is not None:
        scores[settings.monitor] = float(checkpoint.best_model_score)
    best = str(folder / "best.ckpt")
    with Quiet():
        found = together(trainer, trainer.test, model, settings.data, ckpt_path=best, verbose=False)
    scores |= {k: float(v) for k, v in (found[0] if found else {}).items()}
    scores = {name: value for name, value in scores.items() if math.isfinite(value)}
    for name, value in scores.items():
        say(f"  {name}: {value:.4f}")
    return scores
