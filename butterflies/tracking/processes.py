"""Several processes at one training: each computes on a GPU of its own, and the first one writes.

Lightning's DDP starts the others with the first one's command line; torchrun and srun start all of
them alike, and then only `out=` tells them where the run folder is.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.strategies.launchers import _SubprocessScriptLauncher

from butterflies.errors import UserError
from butterflies.tracking.console import is_first

R = TypeVar("R")

RUN_FOLDER = "BUTTERFLIES_RUN_FOLDER"
"""The environment variable that tells processes which Lightning started where to read."""


WATCHED_EVERY_S = 0.5

ENDED_WITHIN_S = 3.0
"""Processes fail together: so long after an error of its own, one is expected to be ended."""


def processes(options: Mapping[str, Any]) -> int:
    """How many processes options of Lightning's Trainer ask for, on all nodes together."""
    devices = options.get("devices", 1)
    if str(devices) in ("auto", "-1"):
        on_cpu = options.get("accelerator") == "cpu"
        devices = 1 if on_cpu else max(1, torch.cuda.device_count())
    elif isinstance(devices, str):
        listed = [part for part in devices.split(",") if part]
        devices = int(listed[0]) if listed == [devices] and devices.isdigit() else len(listed)
    elif not isinstance(devices, int):
        devices = len(devices)
    return int(devices) * int(options.get("num_nodes", 1))


def check_first(options: Mapping[str, Any], out: str | None) -> None:
    """Asks for `out` where processes of the same training could not learn it otherwise.

    Raises:
        UserError: it is missing.
    """
    slurm = SLURMEnvironment.detect() and int(os.environ.get("SLURM_NTASKS", 1)) > 1
    started = (
        slurm or int(os.environ.get("WORLD_SIZE", 1)) > 1 or int(options.get("num_nodes", 1)) > 1
    )
    if started and processes(options) > 1 and not out:
        raise _homeless()


def shared_folder(out: str | None) -> Path:
    """The run folder of the training that this process, not its first, takes part in.

    Raises:
        UserError: nothing tells it.
    """
    if RUN_FOLDER in os.environ:
        _end_with_parent()
        return Path(os.environ[RUN_FOLDER])
    if not out:
        raise _homeless()
    return Path(out)


def together(trainer: pl.Trainer, function: Callable[..., R], *args: Any, **kwargs: Any) -> R:
    """Calls the trainer's fit or test; if that fails, the processes it has started end too.

    Raises:
        KeyboardInterrupt: a user or a queue has stopped it; Lightning makes it a SystemExit.
    """
    interrupt = signal.getsignal(signal.SIGINT)
    try:
        return function(*args, **kwargs)
    except BaseException as error:
        _end_others(trainer)
        if isinstance(error, SystemExit):
            raise KeyboardInterrupt from None
        if isinstance(error, MisconfigurationException) or "val_check_interval" in str(error):
            raise UserError(f"trainer: {' '.join(str(error).split())}") from None
        raise
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, interrupt)


def _end_others(trainer: pl.Trainer) -> None:
    """Ends those that this process has started; in one of them, it waits to be ended so."""
    if RUN_FOLDER in os.environ and not is_first():
        time.sleep(ENDED_WITHIN_S)
    launcher = trainer.strategy.launcher
    if isinstance(launcher, _SubprocessScriptLauncher):
        launcher.kill(signal.SIGKILL)
        launcher.procs.clear()  # else Lightning's observer kills this process too, mid-sentence


def _end_with_parent() -> None:
    """Without its first process, this one would wait for ever."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the first ends the others
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCHED_EVERY_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _homeless() -> UserError:
    return UserError(
        "A training on several nodes, or started by torchrun or srun, needs out=: "
        "the run folder, which all of its processes must be able to read."
    )
