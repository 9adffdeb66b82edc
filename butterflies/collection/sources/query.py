"""Which records are wanted: one grammar for the portal, archives and tables."""

from dataclasses import dataclass, fields
from typing import Any

from butterflies.collection.sources.base import Texts
from butterflies.errors import UserError

WORDS = ("text", "higherClassification")
"""These match when all their words occur; the others match whole values."""


@dataclass
class Query:
    """Records that fit every key given; a list fits when one of its values does.

    Upper and lower case count as one.
    """

    text: str | None = None
    """Words, all of which occur somewhere in the record."""
    project: Any = None
    order: Any = None
    family: Any = None
    genus: Any = None
    specificEpithet: Any = None
    higherClassification: Any = None
    """Words of it, such as a superfamily or subfamily."""
    country: Any = None
    typeStatus: Any = None
    sex: Any = None


def wanted(query: Query) -> dict[str, list[str]]:
    """The keys that were given, with their values.

    Raises:
        UserError: a value is no text.
    """
    found: dict[str, list[str]] = {}
    for key in (f.name for f in fields(query)):
        given = getattr(query, key)
        values = [] if given is None else given if isinstance(given, list) else [given]
        for value in values:
            if isinstance(value, (dict, list)) or not str(value).strip():
                raise UserError(f"query.{key}={given!r}: a text or a list of texts is expected.")
        if values:
            found[key] = [" ".join(str(value).split()) for value in values]
    return found


def matches(record: Texts, wanted: dict[str, list[str]]) -> bool:
    """Whether a record fits; the portal's own search does the same on its side."""
    return all(any(_fits(record, key, value) for value in wanted[key]) for key in wanted)


def _fits(record: Texts, key: str, value: str) -> bool:
    if key not in WORDS:
        parts = record.get(key, "").lower().split(" | ")
        return value.lower() in (*parts, record.get(key, "").lower())
    said = " ".join(record.values()) if key == "text" else record.get(key, "")
    return set(_words(value)) <= set(_words(said))


def _words(text: str) -> list[str]:
    return "".join(c if c.isalnum() else " " for c in text.lower()).split()
