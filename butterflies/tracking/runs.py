"""From a command line to a job: the only module that knows Hydra.

Every job is called as `butterflies JOB key=value ...`; `--cfg job` prints its whole
configuration, `-m` sweeps over comma-separated values, `--help` prints the job's manual.
"""

import dataclasses
import errno
import os
import re
import sys
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep
from hydra.errors import HydraException, InstantiationException
from omegaconf import DictConfig, MissingMandatoryValue, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from butterflies.compute import ComputeSettings
from butterflies.errors import UserError
from butterflies.tracking.arguments import complaint
from butterflies.tracking.console import complain
from butterflies.tracking.logger import WandbSettings
from butterflies.tracking.quoting import quoted

Settings = TypeVar("Settings")

CONFIG = "pkg://butterflies.conf"


class CommandLineError(UserError):
    """The command line itself is wrong: exit status 2."""


def store_schema(name: str, schema: type, groups: Sequence[str] = ()) -> None:
    """Lets Hydra check the keys and types of a job's settings against their dataclass.

    Args:
        name: the job.
        schema: its settings.
        groups: fields that a configuration group fills with an object of its own.
    """
    node = OmegaConf.structured(schema)
    for group in groups:
        node[group] = None
    ConfigStore.instance().store(name=f"{name}_schema", node=node)


def choice(group: str) -> str:
    """What was chosen of a configuration group, such as `folder` of `source`."""
    return str(HydraConfig.get().runtime.choices[group])


def settings_from(config: DictConfig, schema: type[Settings], prefix: str = "") -> Settings:
    """The typed settings of a composed configuration.

    Args:
        config: the composed configuration.
        schema: a dataclass.
        prefix: of the keys, for the message, where `config` is a part of the whole.

    Raises:
        CommandLineError: a key without a default was not given.
    """
    values = {}
    for field in dataclasses.fields(schema):  # type: ignore[arg-type]
        try:
            values[field.name] = instantiated(config[field.name])
        except MissingMandatoryValue:
            raise CommandLineError(f"{prefix}{field.name}=... is missing.") from None
        if dataclasses.is_dataclass(field.type) and isinstance(field.type, type):
            part = f"{prefix}{field.name}."
            values[field.name] = settings_from(config[field.name], field.type, part)
    return schema(**values)


def instantiated(node: Any) -> Any:
    """What a configuration node stands for: the object of its `_target_`, else plain Python.

    Raises:
        CommandLineError: the object's constructor does not take these values.
    """
    if isinstance(node, DictConfig) and "_target_" in node:
        _check_types(node)
        try:
            return hydra.utils.instantiate(node, _convert_="all")
        except InstantiationException as error:
            if isinstance(error.__cause__, UserError):
                raise error.__cause__ from None
            raise CommandLineError(" ".join(str(error).split())) from None
    return OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node


def _check_types(node: DictConfig) -> None:
    values: Any = OmegaConf.to_container(node, resolve=True)
    found = complaint(hydra.utils.get_class(values.pop("_target_")), values)
    if found:
        name, wanted = found
        typed: Any = OmegaConf.to_container(node)
        shared = re.fullmatch(r"\$\{(.+)\}", str(typed[name]))  # seed, of which data.seed is one
        key = shared[1] if shared else node._get_full_key(name)
        raise CommandLineError(f"{key}={values[name]}: give {wanted}.")


def _check_groups(words: Sequence[str]) -> None:
    """Refuses `projection=null`, `projection=3` and `~projection`, to which Hydra has no sentence.

    Raises:
        CommandLineError: a word leaves a configuration group without an option.
    """
    for word in words:
        group = word.partition("=")[0].strip("+~")
        folder = files("butterflies.conf") / group
        if not group or not folder.is_dir():
            continue
        value = OverridesParser.create().parse_override(word).value()
        given = value.list if isinstance(value, ChoiceSweep) else [value]
        if any(one is None or isinstance(one, bool | int | float) for one in given):
            names = sorted(one.name for one in folder.iterdir() if one.name.endswith(".yaml"))
            options = ", ".join(name.removesuffix(".yaml") for name in names)
            raise CommandLineError(f"{word} chooses no {group}: give one of {options}.")


def sweep_number() -> int | None:
    """The number of this job in a sweep (`-m`), None outside one."""
    return int(HydraConfig.get().job.num) if _sweeping() else None


def logger_from(config: DictConfig) -> WandbSettings:
    """Where a job is logged; the jobs of a sweep share a group, named like the sweep's folder."""
    settings = settings_from(config.logger, WandbSettings, "logger.")
    sweep = Path(HydraConfig.get().sweep.dir).name if _sweeping() else None
    return dataclasses.replace(settings, group=settings.group or sweep)


def compute_from(config: DictConfig) -> ComputeSettings:
    """Where a job's work is done."""
    return settings_from(config.compute, ComputeSettings, "compute.")


def _sweeping() -> bool:
    return HydraConfig.initialized() and HydraConfig.get().mode == hydra.types.RunMode.MULTIRUN


def run_job(name: str, body: Callable[[DictConfig], object], arguments: Sequence[str]) -> None:
    """Composes a job's configuration and runs it; exits with 1 after a UserError, 2 on a bad line.

    Args:
        name: the job, which is also its primary configuration.
        body: what to do with the configuration.
        arguments: the words behind the job's name.
    """
    os.environ["HYDRA_FULL_ERROR"] = "1"  # exceptions reach the lines below as they are
    typed, sys.argv = sys.argv, [f"butterflies {name}", *quoted(arguments)]
    failures: list[UserError] = []
    try:
        _check_groups(arguments)
        guarded = _guarded(body, failures, typed)
        hydra.main(version_base="1.3", config_path=CONFIG, config_name=name)(guarded)()
    except (HydraException, OmegaConfBaseException) as error:
        _stop(_explained(error, name), 2)
    except UserError as error:
        _tell_of(error, failures)
    except KeyboardInterrupt:
        _stop("Stopped. The same command goes on from here.", 130)
    if failures:
        sys.exit(2 if all(isinstance(f, CommandLineError) for f in failures) else 1)


def _guarded(
    body: Callable[[DictConfig], object], failures: list[UserError], typed: list[str]
) -> Callable[[DictConfig], object]:
    """The body of a job that says what went wrong; the other jobs of a sweep go on.

    A job of a sweep fails by an exception: it may run in a process of its own (joblib, Slurm), and
    Hydra brings the first such exception back when all jobs have ended.
    """

    def guarded(config: DictConfig) -> object:
        sys.argv = typed  # with which Lightning starts further processes
        try:
            return body(config)
        except UserError as error:
            failure = error
        except OSError as error:
            if error.errno is None:
                raise
            where = error.filename or "while writing"
            room = errno.ENOSPC, errno.EDQUOT
            more = " With more space the same command goes on." if error.errno in room else ""
            failure = UserError(f"{error.strerror}: {where}.{more}")
        _tell_of(failure, failures)
        if _sweeping():
            raise failure
        return None

    return guarded


def _tell_of(failure: UserError, failures: list[UserError]) -> None:
    """Says what went wrong, once in a process."""
    if failure not in failures:
        failures.append(failure)
        complain(str(failure))


def _explained(error: Exception, name: str) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    cause = f" {error.__cause__}".splitlines()[0] if error.__cause__ else ""
    if options := re.search(r"Available options in '(.+)':((?:\n\t\S+)+)", str(error)):
        group, names = options[1], options[2].split()
        missing = lines[0].rpartition(f"{group}/")[2].rstrip("'")
        return f"there is no {group}={missing}; choose one of {', '.join(names)}."
    said = " ".join(lines[:2]).rstrip(".") + cause
    return f"{said}. All keys of this job: butterflies {name} --cfg job"


def _stop(sentence: str, status: int) -> None:
    complain(sentence)
    sys.exit(status)
