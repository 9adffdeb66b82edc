"""Masks brought along with photographs: `masks/<assetID>.png` and `masks.csv`.

The previous mask is kept as `<assetID>.png.1`; a mask drawn or corrected by hand is never
overwritten by another method.
"""

import csv
import fcntl
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from PIL import Image

from butterflies.collection.photos import load_mask
from butterflies.errors import UserError
from butterflies.files import write_bytes, write_csv, writing

Method = Literal["hand", "contrast", "prediction", "corrected"]
METHODS: tuple[Method, ...] = get_args(Method)
BY_HAND = ("hand", "corrected")
"""Methods whose masks give way to no other."""

COLUMNS = ("assetID", "method", "who", "time")

_mine = threading.RLock()
_held: set[Path] = set()


@contextmanager
def exclusive(collection: Path) -> Iterator[None]:
    """Waits until no other thread or process writes masks or judgements; may be nested."""
    file = (collection / ".masks.lock").resolve()
    with _mine:
        if file in _held:
            yield
            return
        with file.open("a") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            _held.add(file)
            try:
                yield
            finally:
                _held.remove(file)


def read_mask_log(collection: Path) -> dict[str, dict[str, str]]:
    """The rows of `masks.csv` by assetID; a mask without a row counts as drawn by hand."""
    path = collection / "masks.csv"
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {row["assetID"]: row for row in csv.DictReader(file)}


def save_mask(path: Path, mask: npt.NDArray[np.bool_]) -> None:
    """Writes a mask as 0/255 PNG."""
    with writing(path) as temporary:
        Image.fromarray(mask.astype(np.uint8) * 255).save(temporary, format="PNG", optimize=True)


def record_mask(
    collection: Path, asset_id: str, mask: npt.NDArray[np.bool_], method: Method, who: str
) -> None:
    """Saves a photograph's mask with its row in `masks.csv`; the previous one is kept as `.1`.

    Args:
        collection: the collection's folder.
        asset_id: the photograph.
        mask: true = specimen, as large as the photograph (height, width).
        method: how it was made.
        who: by whom.

    Raises:
        UserError: a mask made by hand would give way to one that was not.
    """
    target = collection / "masks" / f"{asset_id}.png"
    with exclusive(collection):
        log = read_mask_log(collection)
        found = log[asset_id]["method"] if asset_id in log else "hand"
        if target.is_file() and found in BY_HAND and method not in BY_HAND:
            raise UserError(
                f"The mask of {asset_id} was made by hand and gives way to no {method} mask: "
                "delete it first."
            )
        # First the row: a mask that a killed process leaves behind must not count for less.
        _write_log(collection, {**log, asset_id: _entry(asset_id, method, who)})
        earlier = target.read_bytes() if target.is_file() else b""
        save_mask(target, mask)
        if earlier and earlier != target.read_bytes():
            write_bytes(target.with_name(f"{target.name}.1"), earlier)


def remove_mask(collection: Path, asset_id: str) -> None:
    """Puts a photograph's mask aside, as `.1`, and takes its row out of `masks.csv`."""
    target = collection / "masks" / f"{asset_id}.png"
    with exclusive(collection):
        if target.is_file():
            target.replace(target.with_name(f"{target.name}.1"))
        log = read_mask_log(collection)
        if log.pop(asset_id, None):
            _write_log(collection, log)


def import_masks(folder: Path, collection: Path, rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Takes over the masks of a folder, as drawn by hand.

    Args:
        folder: PNGs named like the photographs, or by assetID or the source's own id.
        collection: where they go.
        rows: rows of the records table.

    Returns:
        A sentence for each mask that was not taken.

    Raises:
        UserError: there is no such folder.
    """
    if not folder.is_dir():
        raise UserError(f"masks={folder}: there is no such folder; PNGs are expected there.")
    with exclusive(collection):
        return _import(sorted(folder.glob("*.png")), collection, _names(rows))


def set_aside(collection: Path, row: Mapping[str, Any]) -> bool:
    """Puts a mask aside, as `.1`, when its photograph has another size by now; True if so."""
    path = collection / "masks" / f"{row['assetID']}.png"
    if not path.is_file():
        return False
    try:
        with Image.open(path) as image:
            if image.size == (row["width"], row["height"]):
                return False
    except (OSError, ValueError, SyntaxError):
        pass  # what cannot be read fits no photograph
    remove_mask(collection, row["assetID"])
    return True


def _import(
    files: Iterable[Path], collection: Path, by_name: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    log, notes = read_mask_log(collection), []
    for file in files:
        row = by_name.get(file.stem)
        if row is None or row["status"] != "ok":
            notes.append(f"mask {file.name}: there is no usable photograph of that name.")
            continue
        try:
            changed = _take(file, collection, row)
        except UserError as error:
            notes.append(str(error))
            continue
        if changed or row["assetID"] not in log:
            log[row["assetID"]] = _entry(row["assetID"], "hand")
    _write_log(collection, log)
    return notes


def _names(rows: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    named: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        stem = Path(row.get("photo") or "").stem
        for name in (stem, row.get("sourceID"), row["assetID"]):
            if name:
                named[name] = row
    return named


def _take(file: Path, collection: Path, row: Mapping[str, Any]) -> bool:
    mask = load_mask(file, (row["width"], row["height"]))
    target = collection / "masks" / f"{row['assetID']}.png"
    if target.is_file():
        if np.array_equal(load_mask(target, (row["width"], row["height"])), mask):
            return False
        target.replace(target.with_name(f"{target.name}.1"))
    save_mask(target, mask)
    return True


def _entry(asset_id: str, method: Method, who: str = "") -> dict[str, str]:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {"assetID": asset_id, "method": method, "who": who, "time": now}


def _write_log(collection: Path, log: Mapping[str, Mapping[str, str]]) -> None:
    write_csv(collection / "masks.csv", COLUMNS, (log[key] for key in sorted(log)))
