"""Pictures that travel with the site: every cut-out, and the photographs when asked for."""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

from butterflies.collection.photos import open_photo, photo_path
from butterflies.compute import each
from butterflies.errors import PhotographError
from butterflies.files import write_bytes
from butterflies.tracking.console import progress

FOLDER_SIZE = 512
"""Pictures in one folder."""

PHOTO_PX = 640
PHOTO_QUALITY = 80


def picture_file(folder: Path, row: int, suffix: str) -> Path:
    """Where the picture of a row lies: `<folder>/<row div 512>/<row><suffix>`."""
    return folder / str(row // FOLDER_SIZE) / f"{row}{suffix}"


class Cutouts(Protocol):
    """A store of cut-outs, as far as the site needs it."""

    def data(self, asset_id: str) -> bytes:
        """A cut-out's WebP file, as stored."""


def copy_cutouts(cutouts: Cutouts, ids: Sequence[str], folder: Path) -> None:
    """Copies the stored WebP files as they are; a folder of them that is there is kept.

    Args:
        cutouts: has one for each specimen of the map.
        ids: assetIDs by row.
        folder: receives them.
    """
    for start in progress(range(0, len(ids), FOLDER_SIZE), "cut-outs"):
        whole = picture_file(folder, start, ".webp").parent
        if whole.is_dir():
            continue
        temporary = whole.with_name(f".{whole.name}.tmp")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        for row, asset_id in enumerate(ids[start : start + FOLDER_SIZE], start):
            (temporary / f"{row}.webp").write_bytes(cutouts.data(asset_id))
        temporary.rename(whole)


def copy_photographs(
    collection: Path, records: Iterable[Mapping[str, Any]], folder: Path, workers: int
) -> set[int]:
    """Writes each photograph as JPEG of at most PHOTO_PX pixels.

    Args:
        collection: the collection the records' `photo` is relative to.
        records: records by row.
        folder: receives them.
        workers: processes, 0 for all cores.

    Returns:
        The rows that have one now; a photograph that cannot be read is left out.
    """
    tasks = [
        (photo_path(collection.absolute(), record), picture_file(folder.absolute(), row, ".jpg"))
        for row, record in enumerate(records)
        if record.get("photo")
    ]
    written = each(_copy, tasks, "photographs", workers)
    return {int(file.stem) for (_, file), done in zip(tasks, written, strict=True) if done}


def _copy(task: tuple[Path, Path]) -> bool:
    source, target = task
    if target.exists():
        return True
    try:
        photo = open_photo(source).convert("RGB")
    except PhotographError:
        return False
    photo.thumbnail((PHOTO_PX, PHOTO_PX))
    stream = BytesIO()
    photo.save(stream, "JPEG", quality=PHOTO_QUALITY, progressive=True)
    write_bytes(target, stream.getvalue())
    return True
