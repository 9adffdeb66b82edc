"""Ids: what a source calls a photograph, the assetID it gets, the specimen it shows."""

import re
import uuid
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

ID_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
"""Names that stand for devices on Windows, with any suffix."""

SIZES = ("contents", "preview", "thumbnail", "original")
"""Endings of the museum's addresses that choose a size, not a picture."""


def source_id(record: Mapping[str, str | None], stem: str | None = None) -> str | None:
    """What a source calls a photograph: assetID, else the end of associatedMedia, else the stem.

    >>> source_id({"associatedMedia": "https://data.nhm.ac.uk/media/6b39f8c1"})
    '6b39f8c1'
    """
    if record.get("assetID"):
        return record["assetID"]
    media = re.split(r"\s*\|\s*|\s+", (record.get("associatedMedia") or "").strip())[0]
    return media_id(media) or stem


def media_id(address: str) -> str:
    """The last part of a picture's address that tells which picture it is.

    >>> media_id("https://data.nhm.ac.uk/media/6b39f8c1/preview")
    '6b39f8c1'
    """
    parts = [part for part in _path(address).parts if part not in ("/", *SIZES)]
    return parts[-1] if parts else ""


def _path(address: str) -> PurePosixPath:
    try:
        return PurePosixPath(urlsplit(address).path)
    except ValueError:  # brackets that are no IPv6 address
        return PurePosixPath(address)


def asset_id(source: str, taken: set[str]) -> str:
    """A valid assetID for a source's id, unique ignoring case and fit for a file name anywhere.

    Args:
        source: the source's own id.
        taken: assetIDs in use, in lower case.

    Returns:
        `source` itself where it is valid and free, else its uuid5.
    """
    fit = ID_PATTERN.fullmatch(source) and not RESERVED.fullmatch(source)
    if fit and source.lower() not in taken:
        return source
    return str(uuid.uuid5(uuid.NAMESPACE_URL, source))


def specimen_of(record: Mapping[str, Any], key: str) -> str:
    """The specimen that a photograph shows: occurrenceID, else catalogNumber, else the assetID."""
    return str(record.get("occurrenceID") or record.get("catalogNumber") or key)
