"""Make a collection: records and photographs.

    butterflies collect photos=DIR collection=data/mine
    butterflies collect photos=DIR records=FILE.csv masks=DIR collection=data/mine

A folder of photographs (jpg, png, tif, webp) becomes `<collection>/records.parquet`; a CSV with
Darwin Core names tells more of them, masks (0/255 PNGs, named like the photographs) teach the
segmenter. Photographs are referred to, not copied; `copy=true` copies them. What cannot be read
is recorded with its reason. The same command again takes up what is new or changed.
"""

from collections.abc import Sequence

from omegaconf import DictConfig

from butterflies.collection.folder import FolderSettings, run
from butterflies.tracking.console import say
from butterflies.tracking.runs import run_job, settings_from, store_schema

store_schema("folder", FolderSettings)


def main(arguments: Sequence[str]) -> None:
    run_job("collect", collect, arguments)


def collect(config: DictConfig) -> None:
    settings = settings_from(config, FolderSettings)
    place = run(settings)
    masked = any((place / "masks").glob("*.png"))
    train = f"python train.py experiment=segmenter collection={place}"
    cutout = f"butterflies cutout collection={place} segmenter=contrast"
    say(f"Next: {train if masked else cutout}")
