"""`butterflies collect source=folder`: anyone's own photographs become a collection.

A photograph is matched with its row of the CSV by the column `file` (relative to the folder of
photographs), else by a file name that equals the row's id (see `records.source_id`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from butterflies.collection.identity import asset_id, source_id, specimen_of
from butterflies.collection.masks import import_masks
from butterflies.collection.origin import check_origin
from butterflies.collection.photos import SUFFIXES, Probe
from butterflies.collection.probing import copy_photos, forget_journal, probe_all
from butterflies.collection.records import read_records, table_of, write_records
from butterflies.collection.sources.csvfile import read_csv
from butterflies.collection.values import normalise
from butterflies.errors import UserError
from butterflies.files import lock, sha256
from butterflies.tables import count_statuses
from butterflies.tracking import provenance as prov
from butterflies.tracking.console import say


@dataclass
class FolderSettings:
    """Settings of `collect source=folder`."""

    collection: str
    """The folder to make."""
    photos: str
    """The folder of photographs, searched with its subfolders."""
    records: str | None = None
    """A CSV with a header; Darwin Core names are understood, other columns kept."""
    masks: str | None = None
    """A folder of masks, 0/255 PNGs as large as their photographs, named like them."""
    copy: bool = False
    """Copy the photographs into the collection instead of referring to them."""
    workers: int = 0
    """Processes; 0 = one a core."""


@dataclass
class _Row:
    """A photograph-to-be: what the source calls it, what it says of it, and its file."""

    source: str
    raw: Mapping[str, str | None]
    number: int
    file: Path | None
    refused: str | None = None


def run(settings: FolderSettings) -> Path:
    """Collects a folder of photographs; returns the collection's folder.

    Raises:
        UserError: a folder or table is not there or not what it should be.
    """
    photos, place = Path(settings.photos), Path(settings.collection)
    if not photos.is_dir():
        raise UserError(
            f"photos={photos}: there is no such folder; photographs are expected there."
        )
    with lock(place / "records.parquet"):
        return _collect(settings, photos.resolve(), place)


def _collect(settings: FolderSettings, photos: Path, place: Path) -> Path:
    check_origin(place, str(photos))
    table = Path(settings.records) if settings.records else None
    inputs = {"records": sha256(table)} if table and table.is_file() else {}
    provenance = prov.begin("collect", settings, inputs, prov.hash_of(str(photos)))
    provenance["origin"] = str(photos)
    rows, notes = _rows(photos, settings)
    known = _known(place)
    probes = probe_all(place, [r.file for r in rows if r.file], known, settings.workers)
    found, problems = _table(rows, probes, place)
    if settings.copy:
        copy_photos(place, found)
    write_records(place, table_of(_with_withdrawn(found, known)))
    forget_journal(place)
    notes += problems
    if settings.masks:
        notes += import_masks(Path(settings.masks), place, found)
    provenance["notes"] = notes
    prov.finish(provenance, place)
    _report(place, notes)
    return place


def _known(place: Path) -> list[dict[str, Any]]:
    if not (place / "records.parquet").is_file():
        return []
    rows: list[dict[str, Any]] = read_records(place).to_pylist()
    return rows


def _rows(photos: Path, settings: FolderSettings) -> tuple[list[_Row], list[str]]:
    files = sorted(p for p in photos.rglob("*") if _is_photo(p, photos))
    rows: list[_Row] = []
    notes: list[str] = []
    if settings.records is not None:
        raws, notes = read_csv(Path(settings.records))
        by_stem = {file.stem: file for file in reversed(files)}
        rows = [_match(raw, n, photos, by_stem) for n, raw in enumerate(raws, 1)]
        rows, twice = _without_repeats(rows)
        notes += twice
    used = {row.file for row in rows}
    rows += [_Row(p.stem, {}, 0, p, _leaves(p, photos)) for p in files if p not in used]
    if not rows:
        endings = " ".join(SUFFIXES)
        raise UserError(f"{photos} holds no photographs ({endings}): give another photos=.")
    return rows, notes


def _is_photo(path: Path, photos: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(photos).parts)
    return path.suffix.lower() in SUFFIXES and not hidden and not path.is_dir()


def _match(
    raw: Mapping[str, str | None], number: int, photos: Path, by_stem: Mapping[str, Path]
) -> _Row:
    name = (raw.get("file") or "").strip()
    source = source_id(raw, Path(name).stem if name else None) or ""
    path = photos / name
    if name and (_leaves(path, photos) or path.is_file()):
        return _Row(source, raw, number, path, _leaves(path, photos))
    file = by_stem.get(source) or by_stem.get(Path(name).stem)
    return _Row(source, raw, number, file, _leaves(file, photos) if file else None)


def _leaves(path: Path, photos: Path) -> str | None:
    """Why a path is refused: a link or a `..` that leads out of the folder of photographs."""
    if path.resolve().is_relative_to(photos):
        return None
    return "Its file lies outside photos=, which is not followed."


def _without_repeats(rows: list[_Row]) -> tuple[list[_Row], list[str]]:
    seen: dict[str, int] = {}
    kept, notes = [], []
    for row in rows:
        if not row.source:
            notes.append(f"row {row.number}, column assetID: no id and no file, so it is left out.")
        elif row.source in seen:
            first = seen[row.source]
            notes.append(
                f"row {row.number}, column assetID: {row.source!r} stands in row {first} already; "
                "the first one is kept."
            )
        else:
            seen[row.source] = row.number
            kept.append(row)
    return kept, notes


def _table(
    rows: list[_Row], probes: Mapping[Path, Probe], place: Path
) -> tuple[list[dict[str, Any]], list[str]]:
    taken: set[str] = set()
    table, notes = [], []
    for row in rows:
        record, problems = normalise(row.raw, f"row {row.number}")
        notes += [str(problem) for problem in problems]
        key = asset_id(row.source, taken)
        if key.lower() in taken:  # two files of one name in two folders
            key = asset_id(str(row.file), taken)
        taken.add(key.lower())
        origin = None if key == row.source else row.source
        specimen = specimen_of(record, key)
        found = _photo(row, probes, place)
        table.append({**record, "assetID": key, "sourceID": origin, "specimen": specimen, **found})
    return table, notes


def _photo(row: _Row, probes: Mapping[Path, Probe], place: Path) -> dict[str, Any]:
    if row.refused:
        return {"status": "refused", "reason": row.refused}
    if row.file is None or row.file not in probes:
        return {"status": "missing", "reason": f"photos= holds no picture named {row.source}."}
    probe, stat = probes[row.file], row.file.stat()
    inside = row.file.is_relative_to(place.resolve())
    photo = row.file.relative_to(place.resolve()) if inside else row.file
    return {
        "status": probe.status,
        "reason": probe.reason,
        "photo": photo.as_posix(),
        "photo_bytes": stat.st_size,
        "photo_mtime_ns": stat.st_mtime_ns,
        "sha256": probe.sha256,
        "width": probe.width,
        "height": probe.height,
    }


def _with_withdrawn(
    table: list[dict[str, Any]], known: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Rows that are gone from the source stay, as withdrawn: their masks may be wanted again."""
    ids = {row["assetID"] for row in table}
    reason = "It is no longer among the photographs or records."
    gone = [r for r in known if r["assetID"] not in ids]
    return table + [{**r, "status": "withdrawn", "reason": reason} for r in gone]


def _report(place: Path, notes: list[str]) -> None:
    for note in notes[:5]:
        say(f"  {note}")
    if len(notes) > 5:
        say(f"  ... and {len(notes) - 5} more such notes, in {place / 'provenance.json'}.")
    say(f"{place}: {count_statuses(read_records(place))}.")
