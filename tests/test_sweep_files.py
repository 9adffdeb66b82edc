"""The files of `conf/sweep`, read as `wandb sweep` and `wandb agent` read them."""

import multiprocessing
import os
import sys
import warnings
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from omegaconf import OmegaConf
from wandb import wandb_agent
from wandb.apis.public import sweeps
from wandb.sdk.launch.sweeps import utils

from butterflies.tracking.provenance import read_provenance
from butterflies.tracking.quoting import quoted
from tests.cutout_sets import blob, write_cutouts
from tests.test_conf import composed, keys

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "conf" / "sweep").glob("*.yaml"))
METRICS = {"autoencoder": "val/knn_genus_species_out", "segmenter": "val/iou"}


def read(path: Path) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # W&B does not close the file
        found = utils.load_sweep_config(str(path))
    assert found is not None
    return found


def drawn(config: dict[str, Any]) -> dict[str, Any]:
    """A value of each parameter."""
    return {
        name: told["values"][0] if "values" in told else told["min"]
        for name, told in config["parameters"].items()
    }


def words(config: dict[str, Any]) -> list[str]:
    """What the agent would start, behind the program."""
    args = {"args": {name: {"value": value} for name, value in drawn(config).items()}}
    given = utils.create_sweep_command_args(args)
    parts = utils.create_sweep_command(list(config["command"]))
    assert parts[:3] == ["${env}", "${interpreter}", "${program}"]
    return [word for part in parts[3:] for word in given.get(str(part)[2:-1], [str(part)])]


def test_each_model_that_is_trained_has_its_search() -> None:
    assert [path.stem for path in FILES] == sorted(METRICS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_wandb_takes_the_file_as_it_is(path: Path) -> None:
    config = read(path)
    assert set(config) <= {
        *("project", "name", "program", "method", "metric", "parameters", "command"),
    }
    assert config["method"] == "bayes"
    assert config["metric"] == {"name": METRICS[path.stem], "goal": "maximize"}
    assert (ROOT / config["program"]).is_file()
    filled = sweeps._validate_config_and_fill_distribution(config)
    assert all("distribution" in told or "values" in told for told in filled["parameters"].values())
    for told in config["parameters"].values():
        numbers = told.get("values") or [told["min"], told["max"]]
        assert all(isinstance(number, int | float) for number in numbers)
        assert sorted(numbers) == numbers


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_parameter_is_an_override_of_the_training(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUTTERFLIES_COLLECTION", "data/a, b")
    config = read(path)
    plain = composed("train", f"experiment={path.stem}")
    assert set(config["parameters"]) <= keys(plain)
    chosen = composed("train", *quoted(words(config)))
    assert chosen.collection == "data/a, b"
    assert chosen.logger.mode == "online"
    assert (chosen.monitor, chosen.mode) == (METRICS[path.stem], "max")
    for name, value in drawn(config).items():
        assert OmegaConf.select(chosen, name) == value


def test_a_training_that_an_agent_starts_is_the_agents_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_cutouts(tmp_path / "c", {f"b{number:02d}": blob(number) for number in range(40)})
    monkeypatch.setenv("BUTTERFLIES_COLLECTION", str(tmp_path / "c"))
    monkeypatch.setenv("WANDB_SWEEP_ID", "sweep123")
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin"]))
    config = read(ROOT / "conf" / "sweep" / "autoencoder.yaml")
    there = {"logger.mode=online": "logger.mode=offline", "mode=max": "mode=min"}
    there["monitor=val/knn_genus_species_out"] = "monitor=val/l1"
    agent = wandb_agent.Agent(MagicMock(), multiprocessing.Queue(), sweep_id="sweep123")
    agent._sweep_command = [there.get(str(c), c) for c in config["command"]] + ["trainer=debug"]
    args = {**drawn(config), "model.width": 4, "model.latent_dim": 4}
    start: Any = agent._command_run
    start(
        {
            "type": "run",
            "run_id": "agents01",
            "program": str(ROOT / "train.py"),
            "args": {name: {"value": value} for name, value in args.items()},
        }
    )
    assert agent._run_processes["agents01"].wait(120) == 0
    (place,) = Path("runs/train").iterdir()
    assert read_provenance(place)["wandb_id"] == "agents01"
    (run,) = (place / "wandb").glob("offline-run-*")
    assert run.name.endswith("-agents01")
    assert (run / "run-agents01.wandb").is_file()
