"""Pictures that travel with the site: every cut-out, and the photographs when asked for.

A picture is named by its specimen's assetID, so that it keeps its name when a map grows.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

from butterflies.collection.photos import open_photo, photo_path
from butterflies.compute import each
from butterflies.errors import PhotographError
from butterflies.files import link, write_bytes
from butterflies.rendering.versions import EarlierVersion
from butterflies.tracking.console import progress

PHOTO_PX = 640
PHOTO_QUALITY = 80


def picture_name(asset_id: str, suffix: str) -> str:
    """Where the picture of a specimen lies in its folder: hex digits of a hash.

    >>> picture_name("BMNHE_500607", ".webp")
    '8f/f3d8609bb415e5897a.webp'
    """
    mark = hashlib.sha256(asset_id.lower().encode()).hexdigest()
    return f"{mark[:2]}/{mark[2:20]}{suffix}"


class Cutouts(Protocol):
    """A store of cut-outs, as far as the site needs it."""

    def data(self, asset_id: str) -> bytes:
        """A cut-out's WebP file, as stored."""


def copy_cutouts(
    cutouts: Cutouts, ids: Sequence[str], version: Path, earlier: EarlierVersion | None = None
) -> None:
    """Copies the stored WebP files as they are to `cutouts/`; those that are there are kept.

    Args:
        cutouts: has one for each specimen of the map.
        ids: assetIDs.
        version: folder of the site's version.
        earlier: whose files are taken over.
    """
    folder = version / "cutouts"
    for asset_id in progress(sorted(ids), "cut-outs"):  # as they are stored
        file = picture_name(asset_id, ".webp")
        target = folder / file
        known = earlier and asset_id in earlier.cutouts and earlier.folder / folder.name / file
        if not (target.exists() or (known and link(known, target))):
            write_bytes(target, cutouts.data(asset_id))
    for stray in folder.glob("*/.*.tmp"):  # of a process that was killed
        stray.unlink()


def copy_photographs(
    collection: Path,
    records: Iterable[Mapping[str, Any]],
    version: Path,
    workers: int,
    earlier: EarlierVersion | None = None,
) -> set[str]:
    """Writes each photograph to `photographs/`, as JPEG of at most PHOTO_PX pixels.

    Args:
        collection: the collection the records' `photo` is relative to.
        records: assetID and photo of each specimen.
        version: folder of the site's version.
        workers: processes, 0 for all cores.
        earlier: whose files are taken over.

    Returns:
        The assetIDs that have one now; a photograph that cannot be read is left out.
    """
    folder, there = version.absolute() / "photographs", set()
    tasks: dict[str, tuple[Path, Path]] = {}
    for record in records:
        asset_id = str(record["assetID"])
        file = picture_name(asset_id, ".jpg")
        known = earlier and asset_id in earlier.photographs and earlier.folder / folder.name / file
        if known and link(known, folder / file):
            there.add(asset_id)
        elif record.get("photo"):
            tasks[asset_id] = (photo_path(collection.absolute(), record), folder / file)
    written = each(_copy, list(tasks.values()), "photographs", workers)
    return there | {name for name, done in zip(tasks, written, strict=True) if done}


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
