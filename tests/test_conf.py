"""Every configuration composes, and no file of `conf/` sets a key that nothing reads."""

import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_module
from hydra.utils import get_class
from omegaconf import DictConfig, OmegaConf

from butterflies.__main__ import JOBS
from butterflies.jobs.export import EXPORTS

CONF = Path(__file__).parent.parent / "conf"
NO_GROUP = "sweep"
"""A folder that W&B reads and Hydra does not, see test_sweep_files."""
EXPERIMENTS = sorted(path.stem for path in (CONF / "experiment").glob("*.yaml"))
OPTIONS = sorted(
    (path.parent.name, path.stem)
    for path in CONF.glob("*/*.yaml")
    if path.parent.name not in ("experiment", NO_GROUP)
)
HOST = {"projection": "embed", "source": "collect", "compute": "render"}


def composed(job: str, *overrides: str, hydra: bool = False) -> DictConfig:
    importlib.import_module(f"butterflies.jobs.{job}")
    with initialize_config_module("butterflies.conf", version_base="1.3"):
        return compose(job, overrides=list(overrides), return_hydra_config=hydra)


def keys(node: Any, prefix: str = "") -> set[str]:
    """The dotted keys of a configuration, Hydra's own left out."""
    if not isinstance(node, DictConfig):
        return {prefix}
    names = [str(name) for name in node if name != "hydra"]
    found = (keys(node._get_node(name), f"{prefix}.{name}".strip(".")) for name in names)
    return {prefix, *(key for part in found for key in part)} - {""}


def objects(node: Any) -> list[DictConfig]:
    """The nodes of a configuration that stand for objects."""
    if not isinstance(node, DictConfig):
        return []
    found = [one for name in node for one in objects(node._get_node(name))]
    return [*([node] if "_target_" in node else []), *found]


def overrides_for(job: str) -> list[str]:
    return ["experiment=segmenter"] if job == "train" else []


@pytest.mark.parametrize("job", JOBS)
def test_every_job_composes(job: str) -> None:
    config = composed(job, *overrides_for(job))
    assert OmegaConf.is_config(config)
    assert (CONF / f"{job}.yaml").is_file()


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_every_option_of_a_group_composes_and_its_object_takes_its_keys(
    group: str, option: str
) -> None:
    job = HOST.get(group, "train")
    if group in ("model", "data", "callbacks"):
        teaches = "segmenter" if option == "segmenter" else "autoencoder"
        chosen = [f"experiment={teaches}", f"{group}={option}"]
    else:
        chosen = [*overrides_for(job), f"{group}={option}"]
    for node in objects(composed(job, *chosen).get(group, {})):
        taken = set(inspect.signature(get_class(node["_target_"])).parameters)
        assert set(node) - {"_target_"} <= taken


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_begins_with_its_command_and_has_no_unknown_key(name: str) -> None:
    first = (CONF / "experiment" / f"{name}.yaml").read_text().splitlines()
    assert first[1].startswith(f"# python train.py experiment={name} ")
    whole = composed("train", f"experiment={name}", hydra=True)
    choices = whole.hydra.runtime.choices
    chosen = [f"{g}={choices[g]}" for g in ("model", "data", "callbacks", "trainer", "logger")]
    base = composed("train", *chosen)
    assert keys(whole) <= keys(base) | {"hydra"}


def test_a_misspelt_key_in_an_experiment_would_be_found() -> None:
    whole = composed("train", "experiment=segmenter", "+sed=5")
    assert keys(whole) - keys(composed("train", "experiment=segmenter")) == {"sed"}


def test_every_configuration_file_is_reached() -> None:
    primary = {path.stem for path in CONF.glob("*.yaml")}
    assert primary == {*JOBS, "common", *(export.config for export in EXPORTS.values())}
    groups = {path.name for path in CONF.iterdir() if path.is_dir()} - {"__pycache__"}
    assert groups == {group for group, _ in OPTIONS} | {"experiment", NO_GROUP}
