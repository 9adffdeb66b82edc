import socket
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from wandb import Settings

from butterflies.errors import UserError
from butterflies.tracking import wandb
from butterflies.tracking.fit import fit
from butterflies.tracking.logger import WandbSettings, flattened, unlogged
from butterflies.tracking.provenance import lineage, read_provenance
from butterflies.tracking.settings import FitSettings
from tests.toy import Line, Points


def test_a_configuration_becomes_flat_by_its_overrides() -> None:
    nested = {"seed": 0, "model": {"lr": 0.1, "loss": {"l1": 1}, "dims": [1, 2]}, "out": None}
    assert flattened(nested) == {
        "seed": 0,
        "model.lr": 0.1,
        "model.loss.l1": 1,
        "model.dims": [1, 2],
        "out": None,
    }


def test_a_run_of_wandb_gets_the_configuration_flat(tmp_path: Path) -> None:
    off = unlogged()
    logger = wandb.wandb_logger(off, tmp_path, "0a1b", {"model": {"lr": 0.1}}, "train")
    assert dict(logger.experiment.config) == {"model.lr": 0.1}


def test_a_run_is_named_like_the_folder_it_will_lie_in() -> None:
    for settings, name in ((WandbSettings(), "first"), (WandbSettings(name="mine"), "mine")):
        given = wandb.run_arguments(settings, Path("runs/.first.new"), "0a", {}, "train")
        assert given["name"] == name


def test_the_agents_run_goes_before_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    assert wandb.run_id("known") == "known"
    assert wandb.run_id() != wandb.run_id()
    monkeypatch.setenv("WANDB_RUN_ID", "agents")
    assert wandb.run_id("known") == "known"
    monkeypatch.setenv("WANDB_SWEEP_ID", "sweep")
    assert wandb.run_id("known") == wandb.run_id() == "agents"


def test_a_training_that_was_stopped_goes_on_in_its_run_of_wandb() -> None:
    given: dict[str, Any] = {"model": Line, "monitor": "val/error", "mode": "min"}
    given["trainer"] = {
        "max_epochs": 2,
        "accelerator": "cpu",
        "log_every_n_steps": 1,
        "reload_dataloaders_every_n_epochs": 1,
    }
    with pytest.raises(RuntimeError, match="killed"):
        fit(FitSettings(data=Points(stop_at=1), **given))
    (half,) = Path("runs/train").iterdir()
    known = read_provenance(half)["wandb_id"]
    place, _ = fit(FitSettings(data=Points(), **given))
    assert (place, read_provenance(place)["wandb_id"]) == (half, known)
    folders = [path.name for path in (place / "wandb").glob("offline-run-*")]
    assert len(folders) == 2
    assert all(known in name for name in folders)


def test_an_artifact_names_the_place_that_a_result_is_moved_to() -> None:
    given: dict[str, Any] = {"data": Points(), "monitor": "val/error", "mode": "min", "out": "o"}
    given["trainer"] = {"max_epochs": 1, "accelerator": "cpu", "log_every_n_steps": 1}
    for lr in (0.1, 0.2):
        fit(FitSettings(model=partial(Line, lr=lr), **given))
    (record,) = Path("o/wandb").glob("offline-run-*/run-*.wandb")
    assert str(Path("o/best.ckpt").absolute()).encode() in record.read_bytes()
    assert b".o.new/best.ckpt" not in record.read_bytes()


def test_a_wandb_that_does_not_answer_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        there = partial(Settings, base_url=address, api_key="0" * 40)
        monkeypatch.setattr("wandb.Settings", there)
        monkeypatch.setattr(wandb, "REACHED_WITHIN_S", 1.0)
        with pytest.raises(UserError, match=r"^W&B: .*logger\.mode=offline"):
            wandb.wandb_logger(WandbSettings(mode="online"), tmp_path, "0a1b", {}, "train")


def test_an_unknown_mode_is_told() -> None:
    with pytest.raises(UserError, match=r"logger\.mode=onlin is none of offline, online, disabled"):
        WandbSettings(mode="onlin")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"lineage": 5}', '{"lineage": [5, {}, {"where": 1}]}']
)
def test_a_broken_ancestor_is_still_an_ancestor(text: str, tmp_path: Path) -> None:
    (tmp_path / "provenance.json").write_text(text)
    assert lineage([tmp_path]) == [{"where": str(tmp_path.resolve()), "direct": True}]


def test_what_two_ancestors_share_is_told_once(tmp_path: Path) -> None:
    shared = '{"job": "collect", "fingerprint": "c", "lineage": []}'
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "provenance.json").write_text(shared)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        one = f'{{"where": "{tmp_path}/c", "job": "collect", "direct": true}}'
        (tmp_path / name / "provenance.json").write_text(f'{{"lineage": [{one}]}}')
    found = lineage([tmp_path / "a", tmp_path / "b"])
    assert [Path(one["where"]).name for one in found] == ["c", "a", "b"]
    assert [one["direct"] for one in found] == [False, True, True]
