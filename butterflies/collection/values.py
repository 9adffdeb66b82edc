"""A source's texts as values of the records table: numbers, dates, sexes."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from butterflies.collection import dates
from butterflies.collection.records import OWN_COLUMNS, RANGES

SEXES = {
    **dict.fromkeys(("male", "males", "m", "♂"), "male"),
    **dict.fromkeys(("female", "females", "f", "♀"), "female"),
    **dict.fromkeys(("gynandromorph", "gynandromorphic", "gynandromorphism"), "gynandromorph"),
}
VIEWS = {
    **dict.fromkeys(("dorsal", "d", "upper", "upperside", "recto", "above"), "dorsal"),
    **dict.fromkeys(("ventral", "v", "under", "underside", "verso", "below"), "ventral"),
}
CLEAR = ("dorsal", "upperside", "ventral", "underside")
"""Words of VIEWS that mean it wherever they stand; `verso` may be a label's, `v` a volume."""
BESIDE = ("side", "view", "surface", "wings", "from", "of", "the")
"""What may stand beside the others."""


@dataclass(frozen=True)
class Problem:
    """A value that was left empty, and where it stood, such as `row 7` or `record 8966212`."""

    where: str
    column: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.where}, column {self.column}: {self.sentence}"


def normalise(raw: Mapping[str, str | None], where: str) -> tuple[dict[str, Any], list[Problem]]:
    """A source's row of texts as a row of the records table.

    Texts are stripped and empty ones become null; sexes become male, female, gynandromorph or
    null with the original in verbatimSex; numbers that are none, or out of range, become null
    and a problem. A day needs its month and a month its year to be told apart from a mistake
    only where an `eventDate` gives them; a day that its month does not have becomes null.
    """
    taken = {k: v for k, v in raw.items() if k not in OWN_COLUMNS}
    record: dict[str, Any] = {k: (v or "").strip() or None for k, v in taken.items()}
    problems: list[Problem] = []
    record |= dates.from_event(record)
    for column in RANGES:
        value, sentence = _number(column, record.get(column))
        record[column] = value
        if sentence:
            problems.append(Problem(where, column, sentence))
    if not dates.exists(record["year"], record["month"], record["day"]):
        sentence = f"month {record['month']} has no day {record['day']}; the day was left empty."
        problems.append(Problem(where, "day", sentence))
        record["day"] = None
    record["verbatimSex"] = record.get("verbatimSex") or record.get("sex")
    record["sex"] = SEXES.get((record["verbatimSex"] or "").lower().rstrip("."))
    return record, problems


def view_of(text: str | None) -> str | None:
    """Which side of a specimen a picture shows: dorsal, ventral, or null where that is not said.

    >>> view_of("Dorsal view"), view_of("V"), view_of("under-side"), view_of("lateral")
    ('dorsal', 'ventral', 'ventral', None)
    """
    words = re.findall(r"[^\W_]+", (text or "").lower().replace("-", ""))
    clear = [word for word in words if word in CLEAR]
    if not clear and any(word not in VIEWS and word not in BESIDE for word in words):
        return None
    views = {VIEWS[word] for word in clear or words if word in VIEWS}
    return views.pop() if len(views) == 1 else None


def _number(column: str, text: str | None) -> tuple[float | int | None, str | None]:
    if text is None:
        return None, None
    convert: Callable[[str], float] = float if column.startswith("decimal") else _whole
    low, high = RANGES[column]
    try:
        number = convert(text)
    except (ValueError, OverflowError):
        return None, f"{text!r} is not a number and was left empty."
    if not low <= number <= high:
        return None, f"{text} is not between {low} and {high} and was left empty."
    return number, None


def _whole(text: str) -> int:
    number = float(text)
    if number != int(number):
        raise ValueError(text)
    return int(number)
