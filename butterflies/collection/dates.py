"""Collecting dates: as much of one as is known, never more."""

import calendar
import re
from collections.abc import Mapping
from typing import Any

PARTS = ("year", "month", "day")
ISO = re.compile(r"(\d{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01])(?:T.*)?)?)?")
"""ISO 8601 as Darwin Core's eventDate uses it: a year, a month, a day or a time of a day."""


def from_event(record: Mapping[str, Any]) -> dict[str, str]:
    """Year, month and day that `eventDate` tells, where the record has none of them.

    Of an interval what both ends share is known.

    >>> from_event({"eventDate": "1886-03-05/1886-03-20"})
    {'year': '1886', 'month': '03'}
    """
    if any(record.get(part) for part in PARTS):
        return {}
    ends = [ISO.fullmatch(end.strip()) for end in (record.get("eventDate") or "").split("/", 1)]
    shared: dict[str, str] = {}
    for number, part in enumerate(PARTS, 1):
        values = {end[number] if end else None for end in ends}
        value = values.pop()
        if values or value is None:
            break
        shared[part] = value
    return shared


def exists(year: int | None, month: int | None, day: int | None) -> bool:
    """False when a day is given that its month does not have; an unknown year may be a leap year.

    >>> exists(1886, 2, 29), exists(None, 2, 29), exists(1886, None, 31)
    (False, True, True)
    """
    if not month or not day:
        return True
    return day <= calendar.monthrange(year or 2000, month)[1]
