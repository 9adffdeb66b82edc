"""Lightning's Trainer for a run folder, and sentences for options that make no sense."""

import logging
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.callbacks import TQDMProgressBar

from butterflies.compute import bf16_is_fast
from butterflies.errors import UserError
from butterflies.tracking.processes import processes
from butterflies.tracking.resuming import WholeFiles


def make_trainer(
    options: Mapping[str, Any], folder: Path, loggers: list[Any], callbacks: Sequence[pl.Callback]
) -> pl.Trainer:
    """A Trainer that leaves its files in `folder`.

    Args:
        options: Lightning's own; precision=auto is bf16-mixed where that is fast.
        folder: the run folder.
        loggers: where to log; none in a process that writes nothing.
        callbacks: in the order in which they are called.

    Raises:
        UserError: Lightning does not take the options.
    """
    shown = sys.stderr.isatty()
    chosen = {"enable_progress_bar": shown, **options}
    if chosen.get("precision") == "auto":
        on_gpu = chosen.get("accelerator") != "cpu" and torch.cuda.is_available()
        fast = bf16_is_fast("cuda" if on_gpu else "cpu")
        chosen["precision"] = "bf16-mixed" if fast else "32-true"
    every, epochs = chosen.get("check_val_every_n_epoch"), chosen.get("max_epochs")
    if every and epochs and 0 < epochs < every:
        chosen["check_val_every_n_epoch"] = epochs  # without a validation there is no best.ckpt
    try:
        trainer = pl.Trainer(
            default_root_dir=folder,
            callbacks=[*callbacks, *([_Bar()] if shown else [])],
            logger=loggers,
            enable_model_summary=False,
            plugins=[WholeFiles()],
            use_distributed_sampler=False,  # tracking.batches.Order shares out
            **chosen,
        )
    except (TypeError, ValueError, MisconfigurationException) as error:
        said = " ".join(str(error).split()).rstrip(".")
        raise UserError(f"trainer: {said}; see Lightning's Trainer for its options.") from None
    # With max_steps, Lightning 2.6 would go on from the end of an epoch by ending it once more.
    trainer.fit_loop._iteration_based_training = lambda: False  # type: ignore[method-assign]
    return trainer


def check_options(options: Mapping[str, Any], patience: int | None) -> None:
    """Refuses what would fail only later, or do something else than was meant.

    Raises:
        UserError: with the option, what is wrong with it, and what to give.
    """
    _check_number("patience", patience, 1)
    _check_number("trainer.num_nodes", options.get("num_nodes", 1), 1)
    _check_number("trainer.gradient_clip_val", options.get("gradient_clip_val"), 0)
    _check_end(options, patience)
    _check_devices(options)
    _check_strategy(str(options.get("strategy", "auto")))
    limits = [options.get(f"limit_{part}_batches") for part in ("train", "val")]
    if 0 in limits or options.get("fast_dev_run"):
        raise UserError(
            "Without training and validation there is no best.ckpt: leave trainer.fast_dev_run "
            "and limits of 0 batches out; trainer=debug tries everything in seconds."
        )
    if options.get("overfit_batches"):
        raise UserError(
            "trainer.overfit_batches shuffles otherwise than seed and epoch say: "
            "give +trainer.limit_train_batches."
        )


def _check_number(name: str, value: Any, least: int) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if value is not None and not (number and value >= least):
        raise UserError(f"{name}={value}: give a number from {least} on.")


def _check_end(options: Mapping[str, Any], patience: int | None) -> None:
    epochs, clock = options.get("max_epochs"), options.get("max_time")
    if clock is not None and not isinstance(clock, (str, dict)):
        raise UserError(f"trainer.max_time={clock}: give days:hours:minutes:seconds, 00:08:00:00.")
    ends = clock is not None or patience or options.get("max_steps", -1) != -1
    if epochs is None or (epochs == -1 and ends):
        return
    if isinstance(epochs, bool) or not isinstance(epochs, int) or epochs < 1:
        raise UserError(
            f"max_epochs={epochs}: give at least 1, or -1 with trainer.max_time or patience, "
            "which then end the training."
        )


def _check_devices(options: Mapping[str, Any]) -> None:
    asked, gpus = processes(options), torch.cuda.device_count()
    accelerator = str(options.get("accelerator", "auto"))
    devices = options.get("devices", 1)
    if asked < 1:
        raise UserError(f"trainer.devices={devices}: give at least 1.")
    if accelerator in ("gpu", "cuda") and not gpus and not torch.backends.mps.is_available():
        raise UserError(
            f"trainer.accelerator={accelerator}: there is no GPU that torch can use here; "
            "leave it at auto, or give cpu."
        )
    here = asked // int(options.get("num_nodes", 1))
    if accelerator in ("auto", "gpu", "cuda") and here > max(1, gpus):
        raise UserError(
            f"trainer.devices={devices}: there are {gpus} GPUs here; give as many or fewer, or "
            "trainer.accelerator=cpu, which trains in so many processes on the CPU."
        )


def _check_strategy(strategy: str) -> None:
    if any(kind in strategy for kind in ("spawn", "fork", "notebook")):
        raise UserError(
            f"trainer.strategy={strategy} starts processes that share no command line: give ddp."
        )


class _Bar(TQDMProgressBar):
    """Lightning's progress bar without the run's id."""

    def get_metrics(self, *arguments: Any) -> dict[str, Any]:
        shown = super().get_metrics(*arguments)
        return {name: value for name, value in shown.items() if name != "v_num"}


class Quiet(warnings.catch_warnings):
    """Silences Lightning's advertisements and the warnings that do not hold here."""

    def __enter__(self) -> Any:
        entered = super().__enter__()
        for name in ("lightning_fabric", "pytorch_lightning"):
            logging.getLogger(name).setLevel(logging.WARNING)
        warnings.filterwarnings("ignore", "Checkpoint directory .* exists and is not empty")
        warnings.filterwarnings("ignore", "The dirpath has changed from")  # ckpt_path=
        # Only where a resumed training ends before it validates: guards.Monitored looks after it.
        warnings.filterwarnings("ignore", ".*could not find the monitored key")
        warnings.filterwarnings("ignore", "The .*dataloader.* does not have many workers")
        warnings.filterwarnings("ignore", r".*isinstance\(treespec, LeafSpec\)", FutureWarning)
        return entered
