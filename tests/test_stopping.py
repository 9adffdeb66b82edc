"""A training that ends before its time: finished, stopped, broken, or never begun."""

import errno
import os
import signal
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch

from butterflies import files
from butterflies.errors import UserError
from butterflies.tracking import fit as tracking_fit
from butterflies.tracking import resuming
from butterflies.tracking.fit import fit
from butterflies.tracking.provenance import read_provenance
from tests.test_fit import TRAINER, metrics, settings
from tests.toy import Line, Points


class Breaking(Line):
    """Its loss is no number from the seventh step on."""

    def training_step(self, batch: list[torch.Tensor], index: int) -> torch.Tensor:
        self.poison = self.global_step >= 6
        return super().training_step(batch, index)


@pytest.mark.parametrize("every", [1, 3])
def test_a_loss_that_is_no_number_stops_with_a_sentence(every: int) -> None:
    """At the step at which it is logged."""
    told = rf"no number any more at step {every}: lower model\.lr \(now 0\.1\); no state was kept"
    with pytest.raises(UserError, match=told):
        fit(
            settings(
                data=Points(16),
                model=partial(Line, poison=True),
                trainer={**TRAINER, "log_every_n_steps": every},
            )
        )


def test_the_last_checkpoint_holds_the_last_good_state() -> None:
    """The loss breaks in a step that is not logged, at the end of the second epoch."""
    options = {**TRAINER, "log_every_n_steps": 3}
    with pytest.raises(UserError, match=r"Weights .* at step 8: .*last\.ckpt holds the last good"):
        fit(settings(model=Breaking, data=Points(16), out="o", trainer=options))
    last = torch.load("o/last.ckpt", weights_only=True)
    assert last["global_step"] == 4
    assert last["state_dict"]["slope"].isfinite().all()


@pytest.mark.parametrize(
    "options", [{"max_time": "00:00:00:01", "max_epochs": -1}, {"max_epochs": 4000}]
)
def test_a_training_that_is_stopped_early_is_finished(options: dict[str, Any]) -> None:
    clock = "max_time" in options
    patience = {} if clock else {"patience": 3, "model": partial(Line, lr=0.5)}
    place, scores = fit(settings(trainer={**TRAINER, **options}, **patience))
    assert {"best.ckpt", "last.ckpt"} <= {path.name for path in place.iterdir()}
    assert read_provenance(place)["status"] == "finished"
    assert scores.keys() == {"val/error", "test/error"}
    errors = [float(row["val/error"]) for row in metrics(place) if row["val/error"]]
    if not clock:
        assert len(errors) - 1 - int(np.argmin(errors)) == 3


def test_patience_that_had_ended_a_killed_training_ends_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chosen = settings(
        model=partial(Line, lr=0.5), trainer={**TRAINER, "max_epochs": 4000}, patience=3
    )
    with monkeypatch.context() as patched:
        patched.setattr(tracking_fit, "_test", stop)
        with pytest.raises(RuntimeError, match="killed"):
            fit(chosen)
    (place,) = Path("runs/train").iterdir()
    before = torch.load(place / "last.ckpt", weights_only=True)["global_step"]
    fit(chosen)
    assert torch.load(place / "last.ckpt", weights_only=True)["global_step"] == before


def stop(*_: Any) -> None:
    raise RuntimeError("killed")


class Interrupting(pl.Callback):
    """Ctrl-C, or the end of a queue's time, in the third step."""

    def __init__(self, number: signal.Signals) -> None:
        self.number = number

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.global_step == 3:
            os.kill(os.getpid(), self.number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_training_goes_on(number: signal.Signals) -> None:
    handler = signal.default_int_handler
    before = signal.signal(signal.SIGINT, handler)  # a shell's background jobs ignore it
    try:
        with pytest.raises(KeyboardInterrupt):
            fit(settings(callbacks=[Interrupting(number)]))
        assert signal.getsignal(signal.SIGINT) == handler
    finally:
        signal.signal(signal.SIGINT, before)
    (place,) = Path("runs/train").iterdir()
    assert read_provenance(place)["status"] == "running"
    assert fit(settings())[0] == place


def test_a_metric_that_is_not_logged_is_told_after_the_first_validation() -> None:
    with pytest.raises(UserError, match=r"monitor=val/nothing: .* choose one of .*val/error"):
        fit(settings(monitor="val/nothing", out="o"))
    assert len(metrics(Path("o"))) == 2


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"max_epochs": 0}, "max_epochs=0: give at least 1"),
        ({"max_epochs": -3}, "max_epochs=-3: give at least 1"),
        ({"max_epochs": -1}, r"max_epochs=-1: .* with trainer\.max_time or patience"),
        ({"max_epochs": "many"}, "max_epochs=many: give at least 1"),
        ({"max_time": 600}, r"max_time=600: give days:hours"),
        ({"max_time": "600"}, "not a valid duration"),
        ({"devices": 0}, "devices=0: give at least 1"),
        ({"devices": 4, "accelerator": "auto"}, "there are 0 GPUs here"),
        ({"accelerator": "gpu"}, "accelerator=gpu: there is no GPU"),
        ({"accelerator": "abacus"}, "invalid accelerator name"),
        ({"precision": "foo"}, "Precision 'foo' is invalid"),
        ({"strategy": "foo"}, "invalid strategy"),
        ({"limit_val_batches": 0}, r"Without training and validation there is no best\.ckpt"),
        ({"fast_dev_run": True}, r"Without training and validation there is no best\.ckpt"),
    ],
)
def test_options_that_make_no_sense_are_told(
    changed: dict[str, Any], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match=told):
        fit(settings(trainer={**TRAINER, **changed}))


@pytest.mark.parametrize("lr", [0, -1, "abc", float("nan"), None])
def test_a_learning_rate_is_above_0(lr: Any) -> None:
    with pytest.raises(UserError, match=r"model\.lr=.*: give a number above 0"):
        fit(settings(model=partial(Line, lr=lr)))


@pytest.mark.parametrize(("name", "value"), [("mode", "most"), ("patience", 0)])
def test_a_choice_that_does_not_exist_is_told(name: str, value: Any) -> None:
    with pytest.raises(UserError, match=f"{name}={value}: give"):
        fit(settings(**{name: value}))


def test_a_full_disk_leaves_the_last_state_and_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = files.write_bytes

    def full(path: Path, data: bytes) -> None:
        if Path("o/last.ckpt").exists():
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        real(path, data)

    with monkeypatch.context() as patched:
        patched.setattr(resuming, "write_bytes", full)
        with pytest.raises(OSError, match="No space left"):
            fit(settings(out="o"))
    assert torch.load("o/last.ckpt", weights_only=True)["global_step"] == 2
    place, _ = fit(settings(out="o"))
    assert len([row for row in metrics(place) if row["val/error"]]) == 4
