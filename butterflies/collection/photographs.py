"""A record's media as rows of the records table: which are photographs of the specimen, and whose.

Facts of the museum's portal are marked `portal` and the section of its published behaviour.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from butterflies.collection.identity import media_id
from butterflies.collection.museum import UUID, record_page
from butterflies.collection.sources.base import Record, Texts
from butterflies.collection.values import Problem, normalise

OF_MEDIUM = ("title", "creator", "category", "license", "rightsHolder", "view", "format")
"""What a medium says itself; the same names of its record mean the record."""


@dataclass(frozen=True)
class Photograph:
    """A photograph of a specimen.

    Attributes:
        source: what its source calls it.
        named: whether the source does, or `source` is only the end of its address.
        url: its address, without a choice of size.
        version: changes when the picture may have changed.
        row: of the records table, without the columns that tell of the file.
    """

    source: str
    named: bool
    url: str
    version: str
    row: dict[str, Any]


def photographs(record: Record, version: str) -> tuple[list[Photograph], list[Problem]]:
    """The photographs of a record's specimen.

    Args:
        record: as its source has it.
        version: of its source; the portal's are milliseconds, which the citation names.

    Returns:
        The photographs, and a problem for each value that was left empty.
    """
    base, problems = normalise(_fields(record.fields), f"record {record.key}")
    found: list[Photograph] = []
    for medium in filter(is_specimen, record.media):
        url = medium.get("identifier", "").strip()
        named = bool(medium.get("assetID"))
        source = medium.get("assetID") or media_id(url)
        if not named and any(other.source == source for other in found):
            source = url  # two addresses of a record end alike
        if not url or not source:
            problems.append(Problem(f"record {record.key}", "associatedMedia", "no address."))
            continue
        row = {**base, **_medium(medium), "associatedMedia": url}
        row["bibliographicCitation"] = citation(row, version) or base.get("bibliographicCitation")
        found.append(Photograph(source, named, url, f"{medium.get('modified', '')} {url}", row))
    return found, problems


def is_specimen(medium: Texts) -> bool:
    """Whether a medium is a picture of the specimen, not of a label or of a register's page.

    Portal 1.7: the category is "Specimen" or "specimen" where there is one, pictures of labels
    have `_label_` in their title, `type` is StillImage, `format` an image's, in older answers
    without `image/`.
    """
    category = medium.get("category", "specimen").strip().lower()
    still = medium.get("type", "StillImage").rpartition("/")[2].lower() in ("stillimage", "image")
    kind = medium.get("format", "image/").strip().lower()
    picture = kind.startswith("image/") or kind in ("jpeg", "jpg", "tiff", "tif", "png")
    return category == "specimen" and "_label_" not in medium.get("title", "") and still and picture


def _fields(fields: Texts) -> dict[str, str]:
    """The record's own fields; what it says in a medium's place is told apart."""
    renamed = {"license": "recordLicense", "rightsHolder": "recordRightsHolder"}
    kept = {renamed.get(name, name): value for name, value in fields.items()}
    return {name: value for name, value in kept.items() if name not in OF_MEDIUM}


def _medium(medium: Texts) -> dict[str, str | None]:
    said = {name: medium.get(name, "").strip() or None for name in OF_MEDIUM}
    return {**said, "mediaModified": medium.get("modified") or None}


def citation(row: Mapping[str, Any], version: str = "") -> str | None:
    """How the museum asks to be credited for a picture of its portal (portal 1.10), else None."""
    page = record_page(row)
    if page is None:
        return None
    as_of = version if re.fullmatch(r"\d{13}", version) else ""
    year = _year_of(as_of) or str(row.get("modified") or "")[:4] or "n.d."
    title = row.get("title") or row.get("catalogNumber") or "Specimen"
    page += f"/{as_of}" if as_of else ""
    return (
        f"Natural History Museum ({year}). {title} (from Collection specimens) [Photograph]. "
        "Natural History Museum. Licensed under CC BY 4.0 "
        f"(https://creativecommons.org/licenses/by/4.0). {page}"
    )


def _year_of(milliseconds: str) -> str:
    if not milliseconds:
        return ""
    return str(datetime.fromtimestamp(int(milliseconds) / 1000, UTC).year)


def sized(url: str, size: str) -> tuple[str, str | None]:
    """The address of a picture at a size, and where to turn when that size cannot be made.

    Args:
        url: of a picture on the museum's picture server, the only one that makes sizes
            (portal 1.9); addresses of another form stay as they are.
        size: preview, thumbnail, original or WIDTHxHEIGHT.

    >>> sized("https://data.nhm.ac.uk/media/0f9c1e52-0000-4000-8000-000000000001", "preview")[0]
    'https://data.nhm.ac.uk/media/0f9c1e52-0000-4000-8000-000000000001/preview'
    """
    head, _, tail = url.rpartition("/media/")
    if not head or not UUID.fullmatch(tail):
        return url, None
    if size in ("preview", "thumbnail", "original"):
        return f"{url}/{size}", None
    width, height = size.split("x")
    return f"{url}/full/!{width},{height}/0/default.jpg", f"{url}/preview"
