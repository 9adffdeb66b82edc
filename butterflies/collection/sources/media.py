"""A record's pictures, from the rows of an extension or from the record's own columns."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from butterflies.collection.sources.notes import Notes
from butterflies.collection.sources.terms import last_part

KEYS = (
    "identifier",
    "assetID",
    "title",
    "type",
    "format",
    "category",
    "creator",
    "license",
    "rightsHolder",
    "modified",
    "view",
)
"""What a medium may have, see `sources.Record`."""
ELSEWHERE = {
    "accessuri": "identifier",  # Audubon Core's `identifier` is no address (portal 2.4)
    "subjectorientation": "view",
    "webstatement": "license",
    "owner": "rightsHolder",
    "mime": "format",  # older answers of the portal (portal 1.7)
}
"""Other names of them, and what they are called here; these win over the plain names."""

PARTS = re.compile(r"\s+\|\s+|\s*,\s+|\s*[\r\n]+\s*|\s+(?=https?://)", re.IGNORECASE)
"""What parts the addresses of `associatedMedia`; blanks within an address happen."""
T = TypeVar("T")
_BY_NAME = {key.lower(): key for key in KEYS}


def media_columns(columns: Iterable[tuple[T, str]]) -> list[tuple[T, str]]:
    """The columns that a medium takes, under its own names; those that win come last."""
    known = [(place, name.lower()) for place, name in columns]
    plain = [(place, _BY_NAME[name]) for place, name in known if name in _BY_NAME]
    return plain + [(place, ELSEWHERE[name]) for place, name in known if name in ELSEWHERE]


def is_medium(found: Mapping[str, str], notes: Notes) -> bool:
    """Whether it is a picture, as far as it says, and has an address."""
    if not _is_picture(found):
        notes.count("media that are no pictures, left out")
        return False
    if not _is_address(found.get("identifier", "")):
        notes.count("media without an address, left out")
        return False
    return True


def _is_picture(found: Mapping[str, str]) -> bool:
    kind, form = found.get("type", ""), found.get("format", "").lower()
    if kind == "StillImage" or form.startswith("image/"):
        return True
    named = last_part(kind).lower().replace(" ", "")
    return named in ("stillimage", "image") or (not named and "/" not in form)


def _is_address(text: str) -> bool:
    return re.match(r"https?://[^/\s]", text, re.IGNORECASE) is not None


def take_media(fields: dict[str, str], notes: Notes, record: str) -> list[dict[str, str]]:
    """Takes the pictures out of a record's own columns.

    These are `associatedMedia` with addresses, or `associatedMedia.identifier` and the like, whose
    texts hold as many parts as there are pictures (portal 1.8, `csv`).
    """
    columns = {k.split(".", 1)[1]: fields.pop(k) for k in _flattened(fields)}
    text = columns.pop("identifier", "") or fields.pop("associatedMedia", "")
    fields.pop("associatedMedia", None)
    rows = _listed(text)
    if rows is None:
        rows = [{"identifier": address} for address in PARTS.split(text.strip(" ,|\r\n\t"))]
        _fill(rows, columns, notes, record)
    found = [m for m in map(_renamed, rows) if text and is_medium(m, notes)]
    if len(found) == 1 and "assetID" in fields:  # a table with a row for each photograph
        found[0].setdefault("assetID", fields.pop("assetID"))
    return found


def _renamed(row: Mapping[str, Any]) -> dict[str, str]:
    texts = ((key, row[column]) for column, key in media_columns((name, name) for name in row))
    return {key: text.strip() for key, text in texts if isinstance(text, str) and text.strip()}


def _flattened(fields: Mapping[str, str]) -> list[str]:
    return [name for name in fields if name.startswith("associatedMedia.")]


def _listed(text: str) -> list[dict[str, Any]] | None:
    """Older answers of the portal wrote the whole list as JSON (portal 1.7)."""
    if not text.startswith("["):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return [row for row in found if isinstance(row, dict)]


def _fill(
    rows: list[dict[str, Any]], columns: Mapping[str, str], notes: Notes, record: str
) -> None:
    parted = {name: text.split(" | ") for name, text in columns.items()}
    uneven = sorted(name for name, parts in parted.items() if len(parts) != len(rows))
    if uneven:
        said = f"record {record}: {len(rows)} addresses, but associatedMedia.{uneven[0]} has "
        said += f"{len(parted[uneven[0]])} parts: only the addresses are used."
        notes.add("records whose columns of media do not fit together", said)
        return
    for number, row in enumerate(rows):
        row.update({name: parts[number] for name, parts in parted.items()})


def merged(media: list[dict[str, str]]) -> list[dict[str, str]]:
    """One medium for each address: archives with two tables of media tell of each twice."""
    if len(media) < 2:
        return media
    found: dict[str, dict[str, str]] = {}
    for one in media:
        for key, text in one.items():
            found.setdefault(one["identifier"], {}).setdefault(key, text)
    return list(found.values())
