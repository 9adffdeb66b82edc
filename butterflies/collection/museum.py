"""What is known of the Natural History Museum, London, and of its portal."""

import re
from collections.abc import Mapping
from typing import Any

PORTAL = "https://data.nhm.ac.uk"
CC0 = "http://creativecommons.org/publicdomain/zero/1.0/"
"""The licence of its records."""

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
"""What its occurrences and pictures are called by."""


def of_museum(record: Mapping[str, Any]) -> bool:
    """Whether a record is the museum's, by what it says or by where its picture lies."""
    media = str(record.get("associatedMedia") or "").strip()
    return record.get("institutionCode") == "NHMUK" or media.lower().startswith(f"{PORTAL}/")


def record_page(record: Mapping[str, Any]) -> str | None:
    """The address of a record's page on the portal; None for other museums' records."""
    identity = str(record.get("occurrenceID") or "").strip()
    known = of_museum(record) and UUID.fullmatch(identity)
    return f"{PORTAL}/object/{identity}" if known else None
