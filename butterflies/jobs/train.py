"""Train a segmenter on a collection's masks, or an autoencoder on its cut-outs.

    python train.py experiment=segmenter collection=data/mine
    python train.py experiment=autoencoder collection=data/mine model.latent_dim=64
    python train.py -m experiment=autoencoder collection=data/mine model.lr=1e-3,3e-4

    python train.py -m hydra/launcher=joblib experiment=autoencoder collection=data/mine seed=0,1

Leaves `best.ckpt`, `last.ckpt`, `config.yaml`, `metrics.csv`, `pictures/` and `wandb/` in
`runs/train/<date>/`. A run that was stopped goes on; `trainer=debug` tries everything in seconds;
`butterflies runs` lists what there is. Sweeps: docs/sweeping.md.

    python train.py experiment=autoencoder collection=data/mine trainer.devices=4

trains on four GPUs, each with batches of its own of `data.batch_size`. With several nodes, or
started by torchrun or srun, `out=` must name the run folder; a sweep (-m) takes one device a job.
"""

import sys
from collections.abc import Sequence

from omegaconf import DictConfig, OmegaConf

from butterflies.tracking.configured import fit_settings
from butterflies.tracking.console import say
from butterflies.tracking.fit import fit
from butterflies.tracking.provenance import read_provenance
from butterflies.tracking.reporting import Report, report
from butterflies.tracking.runs import CommandLineError, run_job
from butterflies.tracking.wandb import agents_run_id


def main(arguments: Sequence[str]) -> None:
    chosen = dict(word.split("=", 1) for word in arguments if "=" in word)
    if not {"experiment", "model"} & set(chosen):
        print("butterflies: give experiment=segmenter or experiment=autoencoder.", file=sys.stderr)
        sys.exit(2)
    if "experiment" not in chosen:
        name = "segmenter" if chosen["model"] == "segmenter" else "autoencoder"
        arguments = [f"experiment={name}", *arguments]
    run_job("train", train, arguments)


def train(config: DictConfig) -> float:
    """Trains; returns the monitored score, which Hydra's sweepers can optimise."""
    if OmegaConf.is_missing(config, "collection"):
        raise CommandLineError("collection=... is missing: the collection to train on.")
    settings = fit_settings(config)
    place, scores = fit(settings)
    if agents_run_id() not in (None, read_provenance(place).get("wandb_id")):
        report(settings.logger, place, Report(summary=scores))  # trained before: W&B's sweep asks
    say(f"{place} holds best.ckpt and last.ckpt.")
    say(f"Next: {config.next.format(checkpoint=place / 'best.ckpt')}")
    return scores.get(config.monitor, float("nan"))
