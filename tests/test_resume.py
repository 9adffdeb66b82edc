"""A training that is stopped at any moment goes on to the same end."""

import math
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch

from butterflies.errors import UserError
from butterflies.tracking import resuming
from butterflies.tracking.batches import Loader, Order
from butterflies.tracking.fit import fit
from butterflies.tracking.provenance import read_provenance
from butterflies.tracking.settings import FitSettings
from tests.toy import Line
from tests.trainings import KINDS, assert_same_training, metrics, settings

ROOT = Path(__file__).parent.parent
Whole = Callable[..., Path]
OPTIONS = {"log_every_n_steps": 1, "accelerator": "cpu"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """Trains without a stop, once with the same settings, on the collection `c` beside the run."""
    done: dict[str, Path] = {}

    def train(kind: str, **changed: Any) -> Path:
        name = f"{kind} {changed}"
        if name not in done:
            folder = tmp_path_factory.mktemp("whole")
            done[name] = fit(settings(kind, folder / "c", out=str(folder / "run"), **changed))[0]
        return done[name]

    return train


class Killed(pl.Callback):
    """Stops a training before a step of its life."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.global_step == self.step:
            raise RuntimeError("killed")


def killed_and_resumed(kind: str, collection: Path, step: int, **changed: Any) -> Path:
    with pytest.raises(RuntimeError, match="killed"):
        fit(settings(kind, collection, callbacks=[Killed(step)], **changed))
    (stopped,) = Path("runs/train").iterdir()
    place, _ = fit(settings(kind, collection, **changed))
    assert place == stopped
    return place


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batches_left", [1, 3])
def test_a_run_stopped_within_an_epoch_ends_like_one_that_was_not(
    kind: str, batches_left: int, whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = whole(kind)
    steps = int(torch.load(run / "last.ckpt", weights_only=True)["global_step"])
    assert steps % 3 == 0
    assert steps // 3 > 3, "there is a middle of an epoch"
    monkeypatch.setattr(resuming, "EVERY_S", 0.0)
    rest = killed_and_resumed(kind, run.parent / "c", step=steps // 3 * 2 - batches_left)
    assert_same_training(run, rest)


@pytest.mark.parametrize("step", [8, 10, 11])
def test_validations_within_an_epoch_are_neither_lost_nor_doubled(
    step: int, whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {**OPTIONS, "max_epochs": 2, "val_check_interval": 2}
    run = whole("autoencoder", trainer=options)
    monkeypatch.setattr(resuming, "EVERY_S", 0.0)
    rest = killed_and_resumed("autoencoder", run.parent / "c", step, trainer=options)
    assert_same_training(run, rest)


class Spy(pl.Callback):
    """Before each step: how far last.ckpt is, and the best score that it knows of."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, float]] = []

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        last = Path(trainer.default_root_dir, "last.ckpt")
        if last.is_file():
            state = torch.load(last, weights_only=True)
            (best,) = (v for k, v in state["callbacks"].items() if k.startswith("ModelCheck"))
            score = best["best_model_score"]
            self.seen.append((state["global_step"], math.inf if score is None else float(score)))


def test_the_last_checkpoint_knows_of_every_validation_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resuming, "EVERY_S", 0.0)
    options = {**OPTIONS, "max_epochs": 3, "val_check_interval": 3}
    spy = Spy()
    place, _ = fit(settings("autoencoder", tmp_path / "c", trainer=options, callbacks=[spy]))
    scored = {float(r["step"]) + 1: float(r["val/l1"]) for r in metrics(place) if r["val/l1"]}
    known = [(step, best) for step, best in spy.seen if step >= min(scored)]
    assert len(known) > 6
    for step, best in known:
        assert best == pytest.approx(min(v for when, v in scored.items() if when <= step)), step


@pytest.mark.parametrize("step", [3, 7, 10])
def test_without_a_clock_a_stopped_run_repeats_its_epoch(step: int, whole: Whole) -> None:
    run = whole("autoencoder")
    assert_same_training(run, killed_and_resumed("autoencoder", run.parent / "c", step))


@pytest.mark.parametrize(("step", "every"), [(8, 300.0), (14, 0.0)])
def test_a_training_by_steps_goes_on_too(
    step: int, every: float, whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {**OPTIONS, "max_epochs": -1, "max_steps": 17}
    run = whole("autoencoder", trainer=options)
    monkeypatch.setattr(resuming, "EVERY_S", every)
    rest = killed_and_resumed("autoencoder", run.parent / "c", step, trainer=options)
    assert_same_training(run, rest)


def test_a_killed_process_leaves_a_run_that_goes_on(whole: Whole) -> None:
    """SIGKILL from outside, whenever it comes: in a step, a validation, a file being written."""
    run = whole("autoencoder")
    collection = run.parent / "c"
    command = [sys.executable, "-m", "tests.trainings", "autoencoder", str(collection)]
    child = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)})
    while child.poll() is None and not list(Path("runs/train").glob("*/last.ckpt")):
        time.sleep(0.01)
    time.sleep(random.uniform(0, 0.6))
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    (stopped,) = Path("runs/train").glob("2*")
    assert read_provenance(stopped)["status"] == "running"
    place, _ = fit(settings("autoencoder", collection))
    assert place == stopped
    assert_same_training(run, place)


def test_what_was_logged_in_the_lost_steps_is_logged_once(tmp_path: Path) -> None:
    place = killed_and_resumed("autoencoder", tmp_path / "c", step=13)
    steps = [float(row["step"]) for row in metrics(place)]
    assert steps == sorted(set(steps))


class Rolling(Line):
    """Its steps depend on chance."""

    def training_step(self, batch: list[torch.Tensor], index: int) -> torch.Tensor:
        return super().training_step([x + torch.rand(1) for x in batch], index)


class Numbers(pl.LightningDataModule):
    """y = 3 x, shuffled."""

    def fingerprint(self) -> str:
        return "numbers"

    def train_dataloader(self) -> Loader:
        return Loader(Squares(), Order(np.arange(24), 4, seed=1))

    def val_dataloader(self) -> Loader:
        return Loader(Squares(), Order(np.arange(24), 4))

    test_dataloader = val_dataloader


class Squares(torch.utils.data.Dataset[list[torch.Tensor]]):
    def __getitem__(self, numbers: Any) -> list[torch.Tensor]:
        x = torch.from_numpy(numbers).float()[:, None] / 24
        return [x, 3 * x]


def test_chance_in_a_step_is_the_same_after_going_on(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {
        "model": Rolling,
        "data": Numbers(),
        "monitor": "val/error",
        "mode": "min",
        "trainer": {"max_epochs": 2, "log_every_n_steps": 1, "accelerator": "cpu"},
    }
    given["logger"] = settings("autoencoder", Path("c")).logger
    run, _ = fit(FitSettings(**given, out="whole"))
    monkeypatch.setattr(resuming, "EVERY_S", 0.0)
    with pytest.raises(RuntimeError, match="killed"):
        fit(FitSettings(**given, out="rest", callbacks=[Killed(3)]))
    rest, _ = fit(FitSettings(**given, out="rest"))
    assert_same_training(run, rest)


def test_a_loader_goes_on_behind_what_was_seen() -> None:
    loader = Loader(Squares(), Order(np.arange(12), 4, seed=0))
    whole = [batch[0].flatten().tolist() for batch in loader]
    begun = iter(loader)
    next(begun)
    rest = Loader(Squares(), Order(np.arange(12), 4, seed=0))
    rest.load_state_dict(loader.state_dict())
    assert [batch[0].flatten().tolist() for batch in rest] == whole[1:]
    assert [batch[0].flatten().tolist() for batch in rest] == whole, "the next epoch is whole"
    assert len(rest) == 3


def test_a_checkpoint_that_cannot_be_gone_on_from_is_told(tmp_path: Path, whole: Whole) -> None:
    Path("noise.ckpt").write_bytes(b"noise")
    last = str(whole("autoencoder") / "last.ckpt")
    told = [
        ("autoencoder", "nowhere.ckpt", "there is no such file"),
        ("autoencoder", "noise.ckpt", "is no checkpoint"),
        ("autoencoder", last, r"trained for 3 epochs already: give a larger max_epochs"),
        ("segmenter", last, "holds another model than this Segmenter"),
    ]
    for kind, path, sentence in told:
        with pytest.raises(UserError, match=sentence):
            fit(settings(kind, tmp_path / kind[0], ckpt_path=path))
    assert not Path("runs").exists(), "nothing was begun"
