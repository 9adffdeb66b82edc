"""What every source of records gives: pages of records, each with its media.

A source tells what there is; `listing.py` keeps it, `download.py` fetches the pictures.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

Texts = Mapping[str, str]
"""Column -> text; a column without a value is left out."""


@dataclass(frozen=True)
class Record:
    """A specimen's record as its source has it.

    Attributes:
        key: the source's own id of the record, unique within the source.
        fields: Darwin Core terms and further columns; several values are joined by ` | `.
            `license` is the record's own, a medium has another.
        media: its pictures, with the keys `identifier` (the picture's address) and, where the
            source has them, assetID, title, type, format, category, creator, license,
            rightsHolder, modified, view.
    """

    key: str
    fields: Texts
    media: Sequence[Texts]


@dataclass(frozen=True)
class Page:
    """Some records, in the source's order.

    Attributes:
        records: the next ones.
        cursor: what `Source.pages` needs to go on behind this page; None at the end, or where a
            source cannot go on from the middle.
        total: records in the whole answer, None when the source does not say.
        notes: a sentence for each thing that was odd.
    """

    records: Sequence[Record]
    cursor: str | None = None
    total: int | None = None
    notes: Sequence[str] = field(default=())


class Source(Protocol):
    """Where records come from."""

    newest_first: bool
    """Records come by the time of their last change, the latest first."""

    def identity(self) -> dict[str, Any]:
        """What was asked for, in JSON's types: a change of it is another question."""

    def version(self) -> str:
        """Changes when the source may have changed; `pages` answers as of then."""

    def pages(self, version: str, cursor: str | None = None) -> Iterator[Page]:
        """All records as of `version`, from `cursor` on."""
