"""Whose the pictures and the records are, under which licences, and how to cite them."""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from butterflies.collection.museum import of_museum
from butterflies.files import writing
from butterflies.rendering.cards import licence, media, record_link, text
from butterflies.tables import formula_safe

COLUMNS = (
    *("assetID", "scientificName", "creator", "rightsHolder"),
    *("license", "recordLicense", "bibliographicCitation"),
)
"""Columns of credits.csv that are the record's own; `record`, the address of its page, follows."""

LINKING = ("occurrenceID", "associatedMedia", "institutionCode")
"""Columns that tell the record's page."""

TOLD = (*COLUMNS, *LINKING)
"""All columns that credits are made of."""

MOST = 20
"""Names and licences that the about panel counts."""

NOT_STATED = "not stated"
Licence = tuple[str | None, str | None]

NO_WARRANTY = (
    "The Natural History Museum makes no warranty as to the quality or accuracy of its records "
    "and pictures, and does not endorse this map."
)
"""The terms of data.nhm.ac.uk want it said wherever its data are shown."""


def write_credits(records: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Writes a row for each record: UTF-8, quoted as in RFC 4180, no cell a formula.

    Args:
        records: of the specimens on the map, in the order of the rows.
        path: of the CSV file.
    """
    with writing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow((*COLUMNS, "record"))
        for record in records:
            cells = (*(record.get(column) for column in COLUMNS), _page(record))
            rows.writerow(map(cell, cells))


def cell(value: Any) -> str:
    """A text that a spreadsheet shows and does not run.

    >>> cell("=1+1")
    "'=1+1"
    """
    return formula_safe(text(value) or "")


def about_credits(records: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What `about.json` says: rights holders, licences of pictures and of records, warranty.

    Returns:
        credits: {rights holder: specimens}; licences and record_licences: lists of name, link
        and specimens, the most frequent first; record_licences is empty where no record states
        one, and no_warranty is a sentence or null.
    """
    holders: Counter[str] = Counter()
    pictures: Counter[Licence] = Counter()
    told: Counter[Licence] = Counter()
    museum = False
    for record in records:
        holders[text(record.get("rightsHolder")) or NOT_STATED] += 1
        pictures[licence(record.get("license"))] += 1
        told[licence(record.get("recordLicense"))] += 1
        museum = museum or of_museum(record)
    return {
        "credits": dict(holders.most_common(MOST)),
        "licences": _licences(pictures),
        "record_licences": _licences(told) if any(name for name, _ in told) else [],
        "no_warranty": NO_WARRANTY if museum else None,
    }


def _licences(counts: Counter[Licence]) -> list[dict[str, Any]]:
    """Addresses that differ only in spelling count as one licence, by the most frequent."""
    named: dict[str, dict[str, Any]] = {}
    for (name, link), count in counts.most_common():
        name = name or NOT_STATED
        first = named.setdefault(name, {"name": name, "link": link, "specimens": 0})
        first["link"] = first["link"] or link
        first["specimens"] += count
    return sorted(named.values(), key=lambda one: -int(one["specimens"]))[:MOST]


def _page(record: Mapping[str, Any]) -> str | None:
    return record_link(record, media(record))
