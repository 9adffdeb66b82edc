"""A training's settings from the configuration of `train`."""

from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from butterflies.tracking.processes import processes
from butterflies.tracking.runs import (
    CommandLineError,
    choice,
    instantiated,
    logger_from,
    sweep_number,
)
from butterflies.tracking.settings import FitSettings


def fit_settings(config: DictConfig) -> FitSettings:
    """The settings of one training, be it alone or of a sweep.

    Raises:
        CommandLineError: model and data do not belong together, or a sweep asks for more than
            one process a job.
    """
    model, data = choice("model"), choice("data")
    if (model == "segmenter") != (data == "segmenter"):
        raise CommandLineError(
            f"model={model} does not learn from data={data}: leave experiment= out, or model=."
        )
    number, out = sweep_number(), config.out
    if number is not None and processes(config.trainer) > 1:
        raise CommandLineError("A sweep (-m) trains with trainer.devices=1, one job after another.")
    return FitSettings(
        model=lambda: instantiated(config.model),
        data=instantiated(config.data),
        monitor=config.monitor,
        mode=config.mode,
        trainer=instantiated(config.trainer),
        logger=logger_from(config),
        patience=config.patience,
        callbacks=[instantiated(node) for node in (config.get("callbacks") or {}).values()],
        ckpt_path=config.ckpt_path,
        out=out if number is None or out is None else str(Path(out) / str(number)),
        force=config.force,
        seed=config.seed,
        config=OmegaConf.to_container(config, resolve=True),  # type: ignore[arg-type]
    )
