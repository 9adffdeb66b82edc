"""Weights & Biases: runs and their pictures; `artifacts` and `reporting` know it as well."""

import io
import os
import secrets
from collections.abc import Sequence
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

import wandb
from pytorch_lightning.loggers import Logger, WandbLogger

from butterflies.errors import UserError
from butterflies.tracking.logger import WandbSettings as WandbSettings
from butterflies.tracking.logger import flattened

REACHED_WITHIN_S = 20.0
"""So long a run that begins online waits for W&B, unless WANDB_INIT_TIMEOUT says otherwise."""


def wandb_logger(
    settings: WandbSettings, folder: Path, run_id: str, config: dict[str, Any], job: str
) -> WandbLogger:
    """A logger into `<folder>/wandb`; a resumed run keeps its id.

    Args:
        settings: mode, project and so on.
        folder: the run folder.
        run_id: the run's id in W&B.
        config: the resolved configuration, logged once, flattened.
        job: the run's job type.

    Raises:
        UserError: W&B cannot be reached, or not as this user.
    """
    arguments = run_arguments(settings, folder, run_id, config, job)
    logger = WandbLogger(save_dir=arguments.pop("dir"), log_model=False, **arguments)
    with redirect_stderr(io.StringIO()):  # a warning about an argument of Lightning's own
        try:
            _ = logger.experiment  # starts the run now: a wrong key fails before the training
        except wandb.errors.Error as error:
            raise refusal(error) from None
    return logger


def run_arguments(
    settings: WandbSettings, folder: Path, run_id: str, config: dict[str, Any], job: str
) -> dict[str, Any]:
    """What `wandb.init` takes; see `wandb_logger`."""
    return {
        "project": settings.project,
        "dir": str(folder.absolute()),  # W&B's service may work in another folder
        "id": run_id,
        "resume": "allow",
        "name": settings.name or folder.name.removeprefix(".").removesuffix(".new"),
        "mode": settings.mode,
        "entity": settings.entity,
        "group": settings.group,
        "tags": settings.tags or None,
        "job_type": job,
        "config": flattened(config),
        "settings": _settings(),
    }


def _settings() -> wandb.Settings:
    if "WANDB_INIT_TIMEOUT" in os.environ:
        return wandb.Settings(silent=True)
    return wandb.Settings(silent=True, init_timeout=REACHED_WITHIN_S)


def refusal(error: Exception) -> UserError:
    """What to do when W&B cannot be reached, or refuses."""
    said = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
    return UserError(
        f"W&B: {said}. Check the network and your key, or log offline (logger.mode=offline) and "
        "`wandb sync` later."
    )


def run_id(known: str | None = None) -> str:
    """The id of this run in W&B: the one that `wandb agent` gave, the one known, or a new one.

    In a sweep of W&B's own the agent starts one process a run and tells it which run it is.
    """
    return agents_run_id() or known or secrets.token_hex(4)


def agents_run_id() -> str | None:
    """The id that `wandb agent` gave this process, if it was started by one."""
    return os.environ.get("WANDB_RUN_ID") if os.environ.get("WANDB_SWEEP_ID") else None


def log_picture(logger: Logger, key: str, picture: Path) -> None:
    """Logs a picture's file if the logger is W&B's."""
    if isinstance(logger, WandbLogger):
        logger.log_image(key=key, images=[str(picture)])


def log_table(
    logger: Logger, key: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Logs a table, a value a column in every row, if the logger is W&B's."""
    if isinstance(logger, WandbLogger):
        logger.log_table(key=key, columns=list(columns), data=[list(row) for row in rows])


def finish(failed: bool) -> None:
    """Ends the run, so that the next one in this process starts its own."""
    if wandb.run is not None:
        wandb.finish(exit_code=1 if failed else 0)
