"""Train a segmenter on a collection's masks, or an autoencoder on its cut-outs.

    python train.py experiment=segmenter collection=data/mine
    python train.py experiment=autoencoder collection=data/mine model.latent_dim=64
    python train.py -m experiment=autoencoder collection=data/mine model.lr=1e-3,3e-4

Leaves `best.ckpt`, `last.ckpt`, `config.yaml`, `metrics.csv`, `pictures/` and `wandb/` in
`runs/train/<date>/`. A run that was stopped goes on; `trainer=debug` tries everything in seconds.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from butterflies.tracking.console import say
from butterflies.tracking.fit import FitSettings, fit
from butterflies.tracking.runs import CommandLineError, instantiated, run_job, sweep_number
from butterflies.tracking.wandb import WandbSettings


def main(arguments: Sequence[str]) -> None:
    chosen = {word.split("=")[0] for word in arguments} & {"experiment", "model"}
    if not chosen:
        print("butterflies: give experiment=segmenter or experiment=autoencoder.", file=sys.stderr)
        sys.exit(2)
    run_job("train", train, arguments)


def train(config: DictConfig) -> float:
    """Trains; returns the monitored score, which Hydra's sweepers can optimise."""
    if OmegaConf.is_missing(config, "collection"):
        raise CommandLineError("collection=... is missing: the collection to train on.")
    number, out = sweep_number(), config.out
    plain = OmegaConf.to_container(config, resolve=True)
    settings = FitSettings(
        model=lambda: instantiated(config.model),
        data=instantiated(config.data),
        monitor=config.monitor,
        mode=config.mode,
        trainer=instantiated(config.trainer),
        logger=WandbSettings(**instantiated(config.logger)),
        ckpt_path=config.ckpt_path,
        out=out if number is None or out is None else str(Path(out) / str(number)),
        force=config.force,
        seed=config.seed,
        config=plain,  # type: ignore[arg-type]
    )
    place, scores = fit(settings)
    say(f"{place} holds best.ckpt and last.ckpt.")
    say(f"Next: {config.next.format(checkpoint=place / 'best.ckpt')}")
    return scores.get(config.monitor, float("nan"))
