"""Masks brought along with photographs: `masks/<assetID>.png` and `masks.csv`.

The previous mask is kept as `<assetID>.png.1`; a mask drawn by hand is never overwritten by
another method.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from butterflies.collection.photos import load_mask
from butterflies.errors import UserError
from butterflies.files import write_text, writing

Method = Literal["hand", "contrast", "prediction", "corrected"]
COLUMNS = ("assetID", "method", "who", "time")


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
    by_name = _names(rows)
    log, notes = read_mask_log(collection), []
    for file in sorted(folder.glob("*.png")):
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


def set_aside(collection: Path, row: Mapping[str, Any]) -> bool:
    """Puts a mask aside, as `.1`, when its photograph has another size by now; True if so."""
    path = collection / "masks" / f"{row['assetID']}.png"
    if not path.is_file():
        return False
    with Image.open(path) as image:
        if image.size == (row["width"], row["height"]):
            return False
    path.replace(path.with_name(f"{path.name}.1"))
    return True


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


def _entry(asset_id: str, method: Method) -> dict[str, str]:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {"assetID": asset_id, "method": method, "who": "", "time": now}


def _write_log(collection: Path, log: Mapping[str, Mapping[str, str]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(log[key] for key in sorted(log))
    write_text(collection / "masks.csv", text.getvalue())
