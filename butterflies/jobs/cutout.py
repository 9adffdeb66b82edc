"""Cut every specimen of a collection out of its photograph.

    butterflies cutout collection=data/mine segmenter=runs/train/.../best.ckpt
    butterflies cutout collection=data/mine segmenter=contrast       # clean light backgrounds
    butterflies cutout collection=data/mine segmenter=alpha          # pictures that are cut out

Specimens are turned upright where it is clear how they lie (`upright=false`: they stay as they
lie). `ruler=true` also reads each photograph's ruler: millimetres per pixel.

Leaves `<collection>/cutouts.parquet` and `<collection>/cutouts/`, in it the contact sheets of the
best and the worst; `keep_masks=DIR` also writes each mask at the photograph's size. A photograph
without a specimen is recorded as such.
"""

from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig

from butterflies.segmentation.cutouts import CutoutSettings, run
from butterflies.segmentation.sheets import sheet_path
from butterflies.segmentation.store import read_cutouts
from butterflies.tables import count_statuses, ok_rows
from butterflies.tracking.console import say
from butterflies.tracking.runs import run_job, settings_from, store_schema

store_schema("cutout", CutoutSettings)


def main(arguments: Sequence[str]) -> None:
    run_job("cutout", cutout, arguments)


def cutout(config: DictConfig) -> None:
    settings = settings_from(config, CutoutSettings)
    place = run(settings)
    table = read_cutouts(Path(settings.collection), settings.cutouts)
    say(f"{place}: {count_statuses(table)}.")
    if ok_rows(table):
        say(f"The worst of them: {sheet_path(place, 'worst')}")
        say(f"Next: python train.py experiment=autoencoder collection={settings.collection}")
