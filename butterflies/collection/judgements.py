"""What people say of a photograph as a whole: `judgements.csv`.

`no_specimen`: it shows no specimen; with an empty mask it teaches a segmenter just that. `bad`: it
should not be used at all.
"""

import csv
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from PIL import Image

from butterflies.collection.masks import exclusive
from butterflies.collection.photos import masked_ids
from butterflies.files import write_csv

Judgement = Literal["no_specimen", "bad"]
JUDGEMENTS: tuple[str, ...] = get_args(Judgement)
COLUMNS = ("assetID", "judgement", "who", "time")
_SAID = {
    "bad": ("refused", "Judged a bad photograph"),
    "no_specimen": ("no_specimen", "Judged to show no specimen"),
}


def read_judgements(collection: Path) -> dict[str, dict[str, str]]:
    """The rows of `judgements.csv` by assetID, those of no known judgement left out."""
    path = collection / "judgements.csv"
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.get("judgement") in JUDGEMENTS]
    return {row["assetID"]: row for row in rows}


def judge(collection: Path, asset_id: str, judgement: Judgement | None, who: str) -> None:
    """Writes down a judgement in place of an earlier one; None takes it back."""
    with exclusive(collection):
        rows = read_judgements(collection)
        rows.pop(asset_id, None)
        if judgement is not None:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            entry = {"assetID": asset_id, "judgement": judgement, "who": who, "time": now}
            rows[asset_id] = entry
        _write(collection, rows)


def judged(collection: Path, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Records whose status and reason are those of a judgement, where an ok one has been judged."""
    found = read_judgements(collection)
    return [_judged(row, found.get(row["assetID"])) for row in rows]


def untaught(collection: Path) -> set[str]:
    """The assetIDs whose masks must not teach.

    They are of bad photographs, or show a specimen that a later judgement denies.
    """
    masked = set(masked_ids(collection))
    rows = {key: row for key, row in read_judgements(collection).items() if key in masked}
    return {
        key for key, row in rows.items() if row["judgement"] == "bad" or _shows(collection, key)
    }


def _shows(collection: Path, asset_id: str) -> bool:
    with Image.open(collection / "masks" / f"{asset_id}.png") as mask:
        return mask.convert("L").point(lambda value: value > 127).getbbox() is not None


def _judged(row: dict[str, Any], said: Mapping[str, str] | None) -> dict[str, Any]:
    if said is None or row["status"] != "ok":
        return row
    status, sentence = _SAID[said["judgement"]]
    by = f" by {said['who']}" if said["who"] else ""
    return {**row, "status": status, "reason": f"{sentence}{by}."}


def _write(collection: Path, rows: Mapping[str, Mapping[str, str]]) -> None:
    write_csv(collection / "judgements.csv", COLUMNS, (rows[key] for key in sorted(rows)))
