"""Joins the rows of records with those of their media, in memory that does not grow with them."""

import json
import marshal
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

from butterflies.collection.sources.base import Page, Record
from butterflies.collection.sources.media import is_medium, merged, take_media
from butterflies.collection.sources.notes import Notes
from butterflies.collection.sources.query import Query, matches, wanted
from butterflies.collection.sources.terms import record_fields
from butterflies.errors import UserError

SIZE = 1000
"""Records of a page, and of a look-up."""
T = TypeVar("T")
Rows = Iterator[tuple[str, dict[str, str]]]
"""Ids with their row's texts by column."""


@dataclass(frozen=True)
class Part:
    """Records and their media, in the columns of `media.media_columns`.

    `media` is None where the records' own columns name them.
    """

    core: Rows
    media: Rows | None


def pages_of(
    parts: Iterable[Part], query: Query, folder: Path, notes: Notes, name: str
) -> Iterator[Page]:
    """The records of all parts that match and have media, in their order.

    Args:
        parts: each is read to its end before the next one.
        query: which records are wanted.
        folder: for a temporary database.
        notes: what the parts found odd while they were read.
        name: what messages call the source.

    Raises:
        UserError: no part has a record.
    """
    asked, rows = wanted(query), 0
    ready: list[Record] = []
    with _join(folder) as join:
        for part in parts:
            if part.media is not None:
                join.fill(part.media, notes)
            for batch in _batches(part.core, SIZE):
                rows += len(batch)
                ready += _records(batch, asked, join if part.media else None, join, notes)
                if len(ready) >= SIZE:
                    yield Page(ready[:SIZE], notes=notes.take())
                    ready = ready[SIZE:]
    if not rows:
        said = f"{name} has no record: a table with a row for each is expected."
        raise UserError(" ".join([said, *notes.take()]))
    yield Page(ready, notes=notes.take() + notes.rest())


def _records(
    batch: list[tuple[str, dict[str, str]]],
    asked: dict[str, list[str]],
    media: "_Join | None",
    seen: "_Join",
    notes: Notes,
) -> list[Record]:
    chosen: dict[str, dict[str, str]] = {}
    for key, texts in seen.new(batch, notes):
        fields = record_fields(texts)
        if matches(fields, asked):
            chosen[key] = fields
    if media is None:
        found = {key: merged(take_media(fields, notes, key)) for key, fields in chosen.items()}
    else:
        found = media.of(list(chosen))
        for fields in chosen.values():
            fields.pop("associatedMedia", None)
    return [Record(k, fields, found[k]) for k, fields in chosen.items() if found.get(k)]


class _Join:
    """A database of one table's media, and of the ids that were met."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-65536"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.execute("CREATE TABLE seen (key TEXT PRIMARY KEY) WITHOUT ROWID")

    def fill(self, rows: Rows, notes: Notes) -> None:
        """Takes the media of a table in, and forgets those of the one before."""
        self._db.execute("DROP TABLE IF EXISTS media")
        self._db.execute("CREATE TABLE media (core TEXT, medium BLOB)")
        self._db.execute("CREATE INDEX by_core ON media (core)")
        # marshal is the quickest way to and fro; no other process reads it.
        good = ((core, marshal.dumps(m)) for core, m in rows if is_medium(m, notes))
        self._db.executemany("INSERT INTO media VALUES (?, ?)", good)

    def of(self, keys: list[str]) -> dict[str, list[dict[str, str]]]:
        """The media of some records."""
        found: dict[str, list[dict[str, str]]] = {}
        words = "SELECT core, medium FROM media WHERE core IN (SELECT value FROM json_each(?))"
        for core, medium in self._db.execute(f"{words} ORDER BY rowid", [json.dumps(keys)]):
            found.setdefault(core, []).append(marshal.loads(medium))
        return {core: merged(media) for core, media in found.items()}

    def new(
        self, batch: list[tuple[str, dict[str, str]]], notes: Notes
    ) -> list[tuple[str, dict[str, str]]]:
        """The rows whose id was not met before."""
        words = "SELECT key FROM seen WHERE key IN (SELECT value FROM json_each(?))"
        keys = json.dumps([key for key, _ in batch])
        met = {key for (key,) in self._db.execute(words, [keys])}
        fresh = []
        for key, texts in batch:
            if key in met:
                said = f"The id {key} stands in several rows: the first one is kept."
                notes.add("rows with an id that stood before", said)
            else:
                met.add(key)
                fresh.append((key, texts))
        self._db.executemany("INSERT INTO seen VALUES (?)", [(key,) for key, _ in fresh])
        return fresh

    def close(self) -> None:
        self._db.close()


@contextmanager
def _join(folder: Path) -> Iterator[_Join]:
    join = _Join(folder / "join.sqlite")
    try:
        yield join
    except sqlite3.Error as error:
        raise UserError(
            f"{folder}: a temporary database failed ({error}); is the disk full?"
        ) from None
    finally:
        join.close()


def _batches(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    rows = iter(rows)
    while batch := list(islice(rows, size)):
        yield batch
