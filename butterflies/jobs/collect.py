"""Make a collection: records and photographs.

    butterflies collect photos=DIR collection=data/mine
    butterflies collect photos=DIR records=FILE.csv masks=DIR collection=data/mine

A folder of photographs (jpg, png, tif, webp) becomes `<collection>/records.parquet`; a CSV with
Darwin Core names tells more of them, masks (0/255 PNGs, named like the photographs) teach the
segmenter. Photographs are referred to, not copied; `copy=true` copies them.

    butterflies collect source=nhm query.family=Papilionidae download.contact=ME collection=DIR
    butterflies collect source=gbif query.taxon=Papilionidae download.contact=ME collection=DIR
    butterflies collect source=dwca archive=FILE.zip download.contact=ME collection=DIR
    butterflies collect source=csv records=FILE media=FILE download.contact=ME collection=DIR

The museum's portal, GBIF, a Darwin Core Archive or tables tell which specimens there are; their
photographs are then downloaded, politely (`download.rate=2` a second; ME is your e-mail or web
address, which the museum gets to see). `limit=200` tries it out.
Presets: source=nhm_article, nhm_butterflies, nhm_lepidoptera.

What cannot be read or fetched is recorded with its reason; `retry=failed` asks again. The same
command goes on where it was stopped, and later takes up what is new or changed.
"""

from collections.abc import Sequence
from shlex import quote

from omegaconf import DictConfig

from butterflies.collection import collecting
from butterflies.collection.folder import FolderSettings, run
from butterflies.tracking.console import say
from butterflies.tracking.runs import choice, run_job, settings_from, store_schema

SOURCES = {
    "folder": (FolderSettings, run),
    "nhm": (collecting.NhmSettings, collecting.collect_nhm),
    "gbif": (collecting.GbifCollectSettings, collecting.collect_gbif),
    "dwca": (collecting.ArchiveSettings, collecting.collect_archive),
    "csv": (collecting.CsvSettings, collecting.collect_csv),
}

for name, (schema, _) in SOURCES.items():
    store_schema(name, schema)


def main(arguments: Sequence[str]) -> None:
    run_job("collect", collect, arguments)


def collect(config: DictConfig) -> None:
    schema, body = SOURCES[choice("source").partition("_")[0]]
    place = body(settings_from(config, schema))  # type: ignore[operator]
    masked = any((place / "masks").glob("*.png"))
    train = f"python train.py experiment=segmenter collection={quote(str(place))}"
    cutout = f"butterflies cutout collection={quote(str(place))} segmenter=contrast"
    say(f"Next: {train if masked else cutout}")
