"""Weights & Biases: the only module that knows it."""

import io
import secrets
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import wandb
from pytorch_lightning.loggers import Logger, WandbLogger


@dataclass
class WandbSettings:
    """Where a run is logged besides its folder."""

    mode: str = "offline"
    """offline (`wandb sync` publishes later), online, disabled."""
    project: str = "butterflies"
    entity: str | None = None
    group: str | None = None
    """A sweep's jobs share one."""
    name: str | None = None
    tags: list[str] = field(default_factory=list)


def wandb_logger(
    settings: WandbSettings, folder: Path, run_id: str, config: dict[str, Any], job: str
) -> WandbLogger:
    """A logger into `<folder>/wandb`; a resumed run keeps its id.

    Args:
        settings: mode, project and so on.
        folder: the run folder.
        run_id: the run's id in W&B.
        config: the resolved configuration, logged once.
        job: the run's job type.
    """
    logger = WandbLogger(
        project=settings.project,
        save_dir=str(folder),
        id=run_id,
        resume="allow",
        name=settings.name or folder.name,
        log_model=False,
        mode=settings.mode,
        entity=settings.entity,
        group=settings.group,
        tags=settings.tags or None,
        job_type=job,
        config=config,
        settings=wandb.Settings(silent=True),
    )
    with redirect_stderr(io.StringIO()):  # a warning about an argument of Lightning's own
        _ = logger.experiment  # starts the run now, so that a wrong key fails before the training
    return logger


def new_run_id() -> str:
    return secrets.token_hex(4)


def log_picture(logger: Logger, key: str, picture: npt.NDArray[np.uint8]) -> None:
    """Logs a picture, uint8 (height, width, 3), if the logger is W&B's."""
    if isinstance(logger, WandbLogger):
        logger.log_image(key=key, images=[picture])


def finish(failed: bool) -> None:
    """Ends the run, so that the next one in this process starts its own."""
    if wandb.run is not None:
        wandb.finish(exit_code=1 if failed else 0)
