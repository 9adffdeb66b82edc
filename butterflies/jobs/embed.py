"""Latent codes, nearest neighbours and a map of a collection's specimens.

    python embed.py collection=data/mine autoencoder=runs/train/.../best.ckpt
    python embed.py collection=data/mine autoencoder=... projection=umap     # or pca
    python embed.py collection=data/mine autoencoder=... projection.perplexity=50
    python embed.py collection=data/mine autoencoder=... projection.frames_every=10   # a film
    python embed.py collection=data/mine autoencoder=... align_to=runs/embed/OLD
    python embed.py collection=data/mine autoencoder=wandb:ENTITY/PROJECT/autoencoder:latest
    python embed.py collection=data/mine codes=codes.npy ids=ids.txt
    python embed.py collection=data/mine projection=precomputed positions=places.csv
    python embed.py add_to=runs/embed/OLD collection=data/mine    # new ones; the old stay

Leaves `codes.parquet`, `neighbours.parquet` and `map.parquet` in `runs/embed/<date>/`.
`logger=wandb` makes it a run of W&B, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from omegaconf import DictConfig

from butterflies.compute import ComputeSettings, computing
from butterflies.mapping.embedding import EmbedSettings, run
from butterflies.reports import of_embedding
from butterflies.tracking.console import say
from butterflies.tracking.logger import WandbSettings, unlogged
from butterflies.tracking.reporting import report
from butterflies.tracking.runs import (
    compute_from,
    logger_from,
    run_job,
    settings_from,
    store_schema,
)


@dataclass
class EmbedJob(EmbedSettings):
    """Settings of an embedding that may be logged, and encoded on a cluster."""

    compute: ComputeSettings = field(default_factory=ComputeSettings)
    logger: WandbSettings = field(default_factory=unlogged)


store_schema("embed", EmbedJob, groups=["projection"])


def main(arguments: Sequence[str]) -> None:
    run_job("embed", embed, arguments)


def embed(config: DictConfig) -> None:
    settings, logger = settings_from(config, EmbedSettings), logger_from(config)
    with computing(compute_from(config)):
        place = run(settings)
    say(f"{place} holds the map.")
    say(f"Next: python render.py map={place}")
    if logger.mode != "disabled":
        report(logger, place, of_embedding(place, Path(settings.collection)))
