"""Reading many photographs once, in processes; what is known already is not read again."""

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from butterflies.collection.photos import Probe, photo_path, probe
from butterflies.compute import stream
from butterflies.files import writing
from butterflies.tracking.console import progress


def probe_all(
    place: Path, files: Iterable[Path], known: Iterable[Mapping[str, Any]], workers: int
) -> dict[Path, Probe]:
    """Probes of all files that exist.

    Args:
        place: the collection; a journal there keeps what was read if this process is killed.
        files: photographs.
        known: rows of an older records table; a file of the same size and time is not read.
        workers: processes; 0 = one a core.
    """
    done = {**_from_rows(place, known), **_from_journal(place / ".probes.jsonl")}
    wanted = {file: _stat(file) for file in files if file.is_file()}
    missing = [f for f, stat in wanted.items() if (str(f), *stat) not in done]
    journal = place / ".probes.jsonl"
    if missing:
        place.mkdir(parents=True, exist_ok=True)
        results = stream(probe, missing, "reading photographs", workers, chunk=8)
        with journal.open("a", encoding="utf-8") as lines:
            for file, found in zip(missing, results, strict=True):
                done[(str(file), *wanted[file])] = found
                lines.write(json.dumps([str(file), *wanted[file], asdict(found)]) + "\n")
    return {f: done[(str(f), *stat)] for f, stat in wanted.items()}


def forget_journal(place: Path) -> None:
    """Deletes the journal once the records table holds what it held."""
    (place / ".probes.jsonl").unlink(missing_ok=True)


_Key = tuple[str, int, int]


def _stat(file: Path) -> tuple[int, int]:
    stat = file.stat()
    return stat.st_size, stat.st_mtime_ns


def _from_rows(place: Path, known: Iterable[Mapping[str, Any]]) -> dict[_Key, Probe]:
    names = ("status", "reason", "sha256", "width", "height")
    return {
        (str(photo_path(place.resolve(), r)), r["photo_bytes"], r["photo_mtime_ns"]): Probe(
            **{n: r[n] for n in names}
        )
        for r in known
        if r["photo"] and r["status"] in ("ok", "unreadable", "refused")
    }


def _from_journal(journal: Path) -> dict[_Key, Probe]:
    """What an interrupted run had read; its last line may be cut off."""
    found: dict[_Key, Probe] = {}
    if not journal.is_file():
        return found
    for line in journal.read_text(encoding="utf-8").splitlines():
        try:
            name, size, time, fields = json.loads(line)
            found[(name, size, time)] = Probe(**fields)
        except (ValueError, TypeError):
            continue
    return found


def copy_photos(place: Path, table: list[dict[str, Any]]) -> None:
    """Copies the ok photographs to `photos/<assetID><suffix>` and lets their rows point there."""
    for row in progress(table, "copying photographs"):
        if row["status"] != "ok":
            continue
        source = photo_path(place.resolve(), row)
        target = place / "photos" / f"{row['assetID']}{source.suffix.lower()}"
        if not _same(source, target):
            with writing(target) as temporary:
                shutil.copy2(source, temporary)
        row["photo"] = target.relative_to(place).as_posix()
        row["photo_mtime_ns"] = target.stat().st_mtime_ns


def _same(source: Path, target: Path) -> bool:
    return target.is_file() and _stat(source) == _stat(target)
