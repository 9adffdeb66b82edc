"""Render a map: tiles, metadata and a web page, and plots.

    python render.py map=runs/embed/...
    python render.py autoencoder=runs/train/.../best.ckpt collection=data/mine    # embeds first
    python render.py map=runs/embed/NEW add_to=runs/render/OLD    # draws only what has changed

Leaves `site/` (a plain folder that any web host can serve), `places.parquet`,
`representatives.parquet` and `plots/` in `runs/render/<date>/`. `logger=wandb` makes it a run of
W&B, too, which refers to the site and uploads none of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from omegaconf import DictConfig

from butterflies.compute import ComputeSettings, computing
from butterflies.mapping import embedding
from butterflies.rendering.render import run
from butterflies.rendering.settings import RenderSettings
from butterflies.reports import of_rendering
from butterflies.tracking.console import say
from butterflies.tracking.logger import WandbSettings, unlogged
from butterflies.tracking.reporting import report
from butterflies.tracking.runs import (
    CommandLineError,
    logger_from,
    run_job,
    settings_from,
    store_schema,
)


@dataclass
class RenderJob(RenderSettings):
    """Settings of a rendering that may have to embed first."""

    autoencoder: str | None = None
    """A checkpoint to embed the collection with, instead of map=."""
    compute: ComputeSettings = field(default_factory=ComputeSettings)
    logger: WandbSettings = field(default_factory=unlogged)


store_schema("render", RenderJob)


def main(arguments: Sequence[str]) -> None:
    run_job("render", render, arguments)


def render(config: DictConfig) -> None:
    job, logger = settings_from(config, RenderJob), logger_from(config)
    with computing(job.compute):
        place = run(job if job.map else replace(job, map=_embedded(job)))
    say(f"{place} holds the map, its plots and its site.")
    say(f"Next: butterflies serve site={place / 'site'}")
    if logger.mode != "disabled":
        report(logger, place, of_rendering(place))


def _embedded(job: RenderJob) -> str:
    if not job.autoencoder or not job.collection:
        raise CommandLineError("give map=RUN, or autoencoder=CHECKPOINT and collection=DIR.")
    settings = embedding.EmbedSettings(
        collection=job.collection, autoencoder=job.autoencoder, seed=job.seed, workers=job.workers
    )
    return str(embedding.run(settings))
