"""Cuts every specimen of a collection out of its photograph.

What a row tells beside the place of the cut-out: `foreground_share` = mask over photograph;
`touches_border`; `components` = connected parts of the prediction before cleaning; `asymmetry` =
1 - IoU with the mirror image about the best axis; `solidity` = area over convex hull; `confidence`
= mean of |2p - 1| over the box of the mask for a network, the mask's own confidence for `contrast`,
1 for `alpha`; `damage` = 0 to 1, high when a wing is missing, which says little where the wings
are closed: `rotation_confidence` is then mostly below 0.5; `mm_per_px` = millimetres per photograph
pixel, read from the ruler, and `mm_confidence`, null without `ruler`.

The best and the worst of them are shown on two contact sheets, see `sheets`.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from butterflies.collection.judgements import judged
from butterflies.collection.photos import photo_marks
from butterflies.collection.records import read_records
from butterflies.collection.values import view_of
from butterflies.compute import stream
from butterflies.errors import UserError
from butterflies.files import lock, read_json, sha256, write_json
from butterflies.segmentation import VERSION
from butterflies.segmentation.parts import Part, make_part, mask_file
from butterflies.segmentation.sheets import SHEETS, sheet_path, write_sheets
from butterflies.segmentation.store import PART, CutoutStore, has_part, join_parts, part_rows
from butterflies.tables import ok_rows, read_table
from butterflies.tracking.artifacts import checkpoint
from butterflies.tracking.outputs import Output, output
from butterflies.tracking.provenance import hash_of

_MARKER = "cutouts.json"
"""Tells in a folder of masks which cut-outs they belong to."""


@dataclass
class CutoutSettings:
    """Settings of `butterflies cutout`."""

    collection: str
    """The collection's folder."""
    segmenter: str
    """A segmenter's checkpoint (a path, or wandb:entity/project/name:alias), `contrast` (clean
    light backgrounds) or `alpha` (pictures that bring their own transparency)."""
    cutouts: str = "cutouts"
    """Name of the set of cut-outs in the collection."""
    flips: bool = False
    """Predict each photograph mirrored and upside down as well: slightly better masks, at thrice
    the network's time."""
    upright: bool = True
    """Turn specimens upright where it is clear how they lie."""
    ruler: bool = False
    """Read each photograph's ruler, for which it is decoded whole: `mm_per_px`."""
    keep_masks: str | None = None
    """Folder that also takes each mask at the photograph's size (0/255 PNG)."""
    batch_size: int = 4
    """Photographs that go through the network at once; so many are held in memory per process."""
    force: bool = False
    """Make everything anew."""
    workers: int = 0
    """Processes; 0 = one a core."""


def run(settings: CutoutSettings) -> Path:
    """Cuts out; what is there already stays, what was stopped goes on.

    Returns:
        The folder of the pictures; their table lies beside it.

    Raises:
        UserError: there are no records, or the segmenter cannot be used.
    """
    settings = replace(settings, segmenter=str(checkpoint(settings.segmenter)))
    collection = Path(settings.collection)
    place = collection / settings.cutouts
    rows = judged(collection, read_records(collection).sort_by("assetID").to_pylist())
    _check(settings, collection)
    inputs = {"photographs": _photographs_mark(collection, rows), "segmenter": _mark(settings)}
    with lock(place):
        with output("cutout", settings, inputs, VERSION, place, _sources(settings)) as made:
            parts = _parts(settings, made, rows)
            _prepare(made, parts, rows)
            with made.stage("cutting out"):
                _make(parts, settings)
        _join(place, made, len(parts))
        _show(place, rows)
    return place


def _sources(settings: CutoutSettings) -> list[Path]:
    """What the cut-outs are made from, for their lineage."""
    by_rule = settings.segmenter in ("alpha", "contrast")
    return [Path(settings.collection), *([] if by_rule else [Path(settings.segmenter)])]


def _make(parts: list[Part], settings: CutoutSettings) -> None:
    missing = [part for part in parts if not _done(part)]
    for _ in stream(make_part, missing, "cutting out", settings.workers):
        pass


def _parts(settings: CutoutSettings, made: Output, rows: list[dict[str, Any]]) -> list[Part]:
    return [
        Part(
            number=start // PART,
            rows=tuple(rows[start : start + PART]),
            collection=Path(settings.collection).absolute(),
            folder=made.folder.absolute(),
            segmenter=_absolute(settings.segmenter),
            batch_size=settings.batch_size,
            keep_masks=Path(settings.keep_masks).absolute() if settings.keep_masks else None,
            flips=settings.flips,
            upright=settings.upright,
            ruler=settings.ruler,
        )
        for start in range(0, len(rows), PART)
    ]


def _absolute(segmenter: str) -> str:
    by_rule = segmenter in ("alpha", "contrast")
    return segmenter if by_rule else str(Path(segmenter).absolute())


def _prepare(made: Output, parts: list[Part], rows: list[dict[str, Any]]) -> None:
    """Clears away what a killed process left half written, and masks of another segmenter."""
    for file in made.folder.glob(".part-*.tmp"):
        file.unlink()
    keep = parts[0].keep_masks if parts else None
    if keep is None:
        return
    marker = keep / _MARKER
    mine = {"cutouts": made.fingerprint}
    if not marker.is_file() or read_json(marker) != mine:
        for row in rows:
            mask_file(keep, row["assetID"]).unlink(missing_ok=True)
        write_json(marker, mine)


def _done(part: Part) -> bool:
    """Whether the part and, if wanted, its masks are there."""
    if not has_part(part.folder, part.number):
        return False
    if part.keep_masks is None:
        return True
    rows = part_rows(part.folder, part.number).select(["assetID", "status"]).to_pylist()
    masked = (row["assetID"] for row in rows if row["status"] == "ok")
    return all(mask_file(part.keep_masks, asset_id).is_file() for asset_id in masked)


def _join(place: Path, made: Output, parts: int) -> None:
    """Writes the table beside the pictures, unless it is there and nothing was made."""
    path = place.with_name(f"{place.name}.parquet")
    if made.finished and path.is_file():
        metadata = read_table(path, "butterflies cutout").schema.metadata or {}
        if metadata.get(b"fingerprint", b"").decode() == made.fingerprint:
            return
    for which in SHEETS:
        sheet_path(place, which).unlink(missing_ok=True)
    join_parts(place, range(parts), path, made.fingerprint)


def _show(place: Path, records: list[dict[str, Any]]) -> None:
    """Draws the contact sheets, unless those of this table are there."""
    if all(sheet_path(place, which).is_file() for which in SHEETS):
        return
    cutouts = CutoutStore(place.parent, place.name)
    genera = {row["assetID"]: row.get("genus") for row in records}
    write_sheets(place, ok_rows(cutouts.table), genera, cutouts.data)


def _check(settings: CutoutSettings, collection: Path) -> None:
    """Refuses settings that cannot work, before anything slow."""
    if Path(settings.cutouts).name != settings.cutouts or settings.cutouts in ("masks", "photos"):
        raise UserError(f"cutouts={settings.cutouts} is not a name for a set of cut-outs.")
    own = (collection / "masks").resolve()
    if settings.keep_masks and Path(settings.keep_masks).resolve() == own:
        raise UserError(f"keep_masks={settings.keep_masks} holds drawn masks: give another folder.")
    if settings.keep_masks and _foreign(Path(settings.keep_masks)):
        raise UserError(
            f"keep_masks={settings.keep_masks} holds pictures that `butterflies cutout` did not "
            "make and might replace: give an empty folder."
        )
    if settings.segmenter not in ("alpha", "contrast"):
        from butterflies.segmentation.predict import load_segmenter  # torch takes seconds

        load_segmenter(Path(settings.segmenter))


def _foreign(keep: Path) -> bool:
    """Whether a folder for masks holds pictures of someone else."""
    return any(keep.glob("*.png")) and not (keep / _MARKER).is_file()


def _mark(settings: CutoutSettings) -> str:
    if settings.segmenter in ("alpha", "contrast"):
        return settings.segmenter
    return sha256(Path(settings.segmenter))


def _photographs_mark(collection: Path, rows: list[dict[str, Any]]) -> str:
    """What of the records shows in the cut-outs."""
    marks = photo_marks(collection, [row for row in rows if row["status"] == "ok"])
    return hash_of(
        {
            row["assetID"]: [
                row["specimen"],
                row["status"],
                row["reason"],
                view_of(row.get("view")),
                marks.get(row["assetID"]),
            ]
            for row in rows
        }
    )
