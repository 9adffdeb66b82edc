"""Latent codes, nearest neighbours and a map of a collection's specimens.

    python embed.py collection=data/mine autoencoder=runs/train/.../best.ckpt
    python embed.py collection=data/mine autoencoder=... projection=umap     # or pca
    python embed.py collection=data/mine autoencoder=... projection.perplexity=50

Leaves `codes.parquet`, `neighbours.parquet` and `map.parquet` in `runs/embed/<date>/`.
"""

from collections.abc import Sequence

from omegaconf import DictConfig

from butterflies.mapping.embedding import EmbedSettings, run
from butterflies.tracking.console import say
from butterflies.tracking.runs import run_job, settings_from, store_schema

store_schema("embed", EmbedSettings, groups=["projection"])


def main(arguments: Sequence[str]) -> None:
    run_job("embed", embed, arguments)


def embed(config: DictConfig) -> None:
    place = run(settings_from(config, EmbedSettings))
    say(f"{place} holds the map.")
    say(f"Next: python render.py map={place}")
