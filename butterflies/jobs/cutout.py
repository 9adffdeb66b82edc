"""Cut every specimen of a collection out of its photograph.

    butterflies cutout collection=data/mine segmenter=runs/train/.../best.ckpt
    butterflies cutout collection=data/mine segmenter=wandb:ENTITY/PROJECT/segmenter:latest
    butterflies cutout collection=data/mine segmenter=contrast       # clean light backgrounds
    butterflies cutout collection=data/mine segmenter=alpha          # pictures that are cut out

Specimens are turned upright where it is clear how they lie (`upright=false`: they stay as they
lie). `ruler=true` also reads each photograph's ruler: millimetres per pixel.

Leaves `<collection>/cutouts.parquet` and `<collection>/cutouts/`, in it the contact sheets of the
best and the worst; `keep_masks=DIR` also writes each mask at the photograph's size. A photograph
without a specimen is recorded as such. `logger=wandb` makes it a run of W&B, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from omegaconf import DictConfig

from butterflies.compute import ComputeSettings, computing
from butterflies.segmentation.cutouts import CutoutSettings, run
from butterflies.segmentation.sheets import sheet_path
from butterflies.segmentation.store import read_cutouts
from butterflies.tables import count_statuses, ok_rows
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
class CutoutJob(CutoutSettings):
    """Settings of a cutting out that may be logged, and done on a cluster."""

    compute: ComputeSettings = field(default_factory=ComputeSettings)
    logger: WandbSettings = field(default_factory=unlogged)


store_schema("cutout", CutoutJob)


def main(arguments: Sequence[str]) -> None:
    run_job("cutout", cutout, arguments)


def cutout(config: DictConfig) -> None:
    settings, logger = settings_from(config, CutoutSettings), logger_from(config)
    with computing(compute_from(config)):
        place = run(settings)
    table = read_cutouts(Path(settings.collection), settings.cutouts)
    say(f"{place}: {count_statuses(table)}.")
    if ok_rows(table):
        say(f"The worst of them: {sheet_path(place, 'worst')}")
        say(f"Next: python train.py experiment=autoencoder collection={settings.collection}")
    if logger.mode != "disabled":
        from butterflies.reports import of_cutouts  # what draws plots takes its time

        report(logger, place, of_cutouts(place))
