import csv
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from PIL import Image

from butterflies.errors import UserError
from butterflies.tracking import trainer
from butterflies.tracking.fit import fit
from butterflies.tracking.provenance import read_provenance
from butterflies.tracking.settings import FitSettings
from butterflies.tracking.wandb import WandbSettings
from tests.toy import Line, Points

TRAINER = {"max_epochs": 4, "log_every_n_steps": 1, "accelerator": "cpu"}


class Noisy(Line):
    """Starts anywhere."""

    def __init__(self) -> None:
        super().__init__()
        torch.nn.init.normal_(self.slope)


def settings(**changed: Any) -> FitSettings:
    given: dict[str, Any] = {
        "model": Line,
        "data": Points(),
        "monitor": "val/error",
        "mode": "min",
        "trainer": TRAINER,
        "logger": WandbSettings(mode="disabled"),
        **changed,
    }
    return FitSettings(**given)


def metrics(place: Path) -> list[dict[str, str]]:
    with (place / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_run_folder_tells_everything_of_its_run() -> None:
    place, scores = fit(settings(config={"model": {"lr": 0.1}, "name": "x"}))
    assert place.parent == Path("runs/train")
    assert OmegaConf.load(place / "config.yaml") == {"model": {"lr": 0.1}, "name": "x"}
    errors = [float(row["val/error"]) for row in metrics(place) if row["val/error"]]
    assert len(errors) == 4
    assert errors[-1] < errors[0]
    assert scores["val/error"] == pytest.approx(min(errors))
    assert read_provenance(place)["scores"] == scores
    pictures = sorted((place / "pictures").glob("line-*.png"))
    assert [p.name for p in pictures] == [f"line-{step:06d}.png" for step in (2, 4, 6, 8)]
    assert np.asarray(Image.open(pictures[0])).shape == (4, 5, 3)


@pytest.mark.parametrize("name", ["best", "last"])
def test_checkpoints_hold_nothing_but_weights_and_plain_values(name: str) -> None:
    place, _ = fit(settings())
    torch.load(place / f"{name}.ckpt", weights_only=True)
    assert Line.load_from_checkpoint(place / f"{name}.ckpt").slope.item() != 0


def test_a_training_that_was_stopped_goes_on_and_ends_like_one_that_was_not() -> None:
    whole, _ = fit(settings(out="whole"))
    options = {**TRAINER, "reload_dataloaders_every_n_epochs": 1}
    with pytest.raises(RuntimeError, match="killed"):
        fit(settings(data=Points(stop_at=2), trainer=options))
    (half,) = Path("runs/train").iterdir()
    assert read_provenance(half)["status"] == "running"
    rest, _ = fit(settings(trainer=options))
    assert rest == half
    weights = [Line.load_from_checkpoint(p / "last.ckpt").slope.item() for p in (whole, rest)]
    assert weights[0] == weights[1]
    assert [r["step"] for r in metrics(rest)] == [r["step"] for r in metrics(whole)]


def test_the_same_training_is_skipped_and_another_is_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    first, scores = fit(settings())
    again, same_scores = fit(settings(trainer={**TRAINER, "log_every_n_steps": 2}))
    other, _ = fit(settings(model=partial(Line, lr=0.2)))
    assert (first, scores) == (again, same_scores)
    assert other != first
    assert "Nothing changed" in capsys.readouterr().out


def test_the_seed_makes_the_model_and_its_training() -> None:
    runs = [
        fit(settings(model=Noisy, seed=seed, out=f"o{n}"))[0] for n, seed in enumerate((0, 0, 1))
    ]
    first, same, other = (Noisy.load_from_checkpoint(r / "last.ckpt").slope.item() for r in runs)
    assert first == same != other


def test_an_unknown_trainer_option_is_named() -> None:
    with pytest.raises(UserError, match="max_epoch"):
        fit(settings(trainer={"max_epoch": 3}))


def test_going_on_from_a_checkpoint_keeps_its_steps() -> None:
    first, _ = fit(settings())
    start = str(first / "last.ckpt")
    more, _ = fit(settings(ckpt_path=start, trainer={**TRAINER, "max_epochs": 6}))
    assert more != first
    assert torch.load(more / "last.ckpt", weights_only=True)["global_step"] == 12


def test_each_training_is_one_offline_run_of_wandb_with_its_picture() -> None:
    for lr in (0.1, 0.2):
        place, _ = fit(settings(model=partial(Line, lr=lr), logger=WandbSettings()))
        (run,) = (place / "wandb").glob("offline-run-*")
        assert run.name.endswith(read_provenance(place)["wandb_id"])
        assert len(list(run.glob("files/media/images/val/line_*.png"))) == 4
    assert len(list(Path("runs/train").glob("*/wandb/offline-run-*"))) == 2


def test_a_training_shorter_than_from_one_validation_to_the_next_has_one() -> None:
    seldom = {**TRAINER, "max_epochs": 2, "check_val_every_n_epoch": 4}
    place, scores = fit(settings(trainer=seldom))
    assert (place / "best.ckpt").is_file()
    assert "val/error" in scores


@pytest.mark.parametrize(("fast", "precision"), [(True, "bf16-mixed"), (False, "32-true")])
def test_auto_precision_is_what_the_machine_is_made_for(
    fast: bool, precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "bf16_is_fast", lambda device: fast and device == "cpu")
    made = trainer.make_trainer({**TRAINER, "precision": "auto"}, tmp_path, [], [])
    assert made.precision == precision
