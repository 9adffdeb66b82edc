"""The clean cut-outs of a collection as a data set: pictures, records, credits and a card."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from butterflies.collection.records import read_records, records_mark
from butterflies.errors import UserError
from butterflies.exporting import VERSION
from butterflies.exporting.card import write_card
from butterflies.exporting.pictures import write_folders, write_shards
from butterflies.exporting.rows import Rows, gather
from butterflies.files import sha256
from butterflies.segmentation.store import CutoutStore
from butterflies.tracking.outputs import Output, output
from butterflies.tracking.provenance import PATH_KEYS

FORMATS = ("parquet", "png", "webp")


@dataclass
class CutoutExportSettings:
    """Settings of `butterflies export cutouts`."""

    collection: str
    """The collection's folder."""
    cutouts: str = "cutouts"
    """Name of the set of cut-outs in the collection."""
    format: str = "parquet"
    """`parquet` (pictures inside), `png` or `webp` (a file each, and metadata.csv)."""
    out: str | None = None
    force: bool = False


def run(settings: CutoutExportSettings) -> Path:
    """Exports; an unchanged export is kept, another one is replaced whole.

    Returns:
        The folder of the data set.

    Raises:
        UserError: a setting is wrong, or there are no cut-outs to export.
    """
    _check(settings)
    collection = Path(settings.collection)
    store = CutoutStore(collection, settings.cutouts)
    rows = gather(read_records(collection), store.table)
    if not len(rows):
        raise UserError(
            f"{collection} has no cut-out that is ok ({_counted(rows.left_out)}): "
            "`butterflies cutout` tells the reasons."
        )
    inputs = {
        "cutouts": store.fingerprint,
        "table": sha256(collection / f"{settings.cutouts}.parquet")[:16],
        "records": records_mark(collection),
    }
    with output("export", settings, inputs, VERSION) as made:
        if not made.finished:
            _export(settings.format, rows, store, made)
    return made.place


def _counted(left_out: dict[str, int]) -> str:
    return ", ".join(f"{n:,} {status}" for status, n in left_out.items()) or "its table is empty"


def _check(settings: CutoutExportSettings) -> None:
    if settings.format not in FORMATS:
        raise UserError(f"format={settings.format} is none of {', '.join(FORMATS)}.")
    if Path(settings.cutouts).name != settings.cutouts:
        raise UserError(f"cutouts={settings.cutouts} is not a name for a set of cut-outs.")


def _export(form: str, rows: Rows, store: CutoutStore, made: Output) -> None:
    """Writes all of it aside, and puts it into its place when it is whole."""
    work = made.folder / "work"
    for half in work.rglob(".*.tmp"):
        half.unlink()
    with made.stage("pictures"):
        if form == "parquet":
            write_shards(rows, store, work)
        else:
            write_folders(rows, store, work, form)
    write_card(work / "README.md", form, rows, store)
    # The data set goes to others: nothing in it tells where things lie on this machine.
    kept = made.provenance["settings"].items()
    made.provenance["settings"] = {k: v for k, v in kept if k not in PATH_KEYS}
    for entry in sorted(work.iterdir(), reverse=True):
        target = made.folder / entry.name
        if target.is_dir():
            shutil.rmtree(target)
        entry.rename(target)
    work.rmdir()
