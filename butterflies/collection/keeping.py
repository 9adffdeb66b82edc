"""Keeping records in the ledger: what is new, what changed, what is gone."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from butterflies.collection import VERSION
from butterflies.collection.identity import asset_id, specimen_of
from butterflies.collection.ledger import Ledger
from butterflies.collection.photographs import Photograph, photographs
from butterflies.collection.records import SCHEMA
from butterflies.collection.sources.base import Record, Texts

MAX_NOTES = 1000
WITHOUT = "Its record no longer shows this photograph."
READ_AGAIN = ""
"""The mark of a record of which not everything was kept."""


@dataclass
class Listing:
    """What a listing found.

    Attributes:
        number: of the crawl in the ledger.
        fresh: False when there is nothing new: the source has not changed, or there is no room.
        changes: photographs by what became of them: new, changed, back, withdrawn.
        notes: sentences on what was odd, the first MAX_NOTES.
    """

    number: int
    fresh: bool = True
    changes: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def note(self, sentences: Iterable[object]) -> None:
        room = MAX_NOTES - len(self.notes)
        self.notes += [str(sentence) for sentence in list(sentences)[:room]]


class Keeper:
    """Writes what a listing finds into the ledger.

    Args:
        ledger: of the collection.
        found: receives what changed.
        version: of the source that is being listed.
        limit: photographs that the collection may hold, None for all.
        anew: another question is asked than before, so that only what this listing meets counts
            towards the limit.

    Attributes:
        live: photographs that count towards the limit.
    """

    def __init__(
        self, ledger: Ledger, found: Listing, version: str, limit: int | None, anew: bool
    ) -> None:
        self.ledger, self.found, self.version, self.limit = ledger, found, version, limit
        self.anew = anew
        self.live = ledger.live(found.number if anew else 0)
        self.known_columns = {*SCHEMA.names, *ledger.further()}

    @property
    def full(self) -> bool:
        return self.limit is not None and self.live >= self.limit

    def keep(self, record: Record) -> bool:
        """Keeps a record; True when an earlier listing knew it as it is."""
        record, mark = _marked(record)
        query, number = "SELECT mark, crawl FROM record WHERE key = ?", self.found.number
        before = self.ledger.rows(query, record.key)
        if before and before[0]["mark"] == mark:
            return self._keep_known(record.key, int(before[0]["crawl"]))
        shown, problems = photographs(record, self.version)
        self.found.note(problems)
        kept = [self._keep_photograph(record.key, photograph) for photograph in shown]
        if before:
            self.withdraw("record = ?", (record.key,), WITHOUT, keep={k for k in kept if k})
        if before or any(kept) or not shown:
            self.ledger.db.execute(
                "INSERT OR REPLACE INTO record VALUES (?, ?, ?)",
                (record.key, mark if all(kept) else READ_AGAIN, number),
            )
        return False

    def _keep_known(self, key: str, crawl: int) -> bool:
        number = self.found.number
        if crawl == number:
            return False  # met in this very listing
        self.ledger.db.execute("UPDATE record SET crawl = ? WHERE key = ?", (number, key))
        if self.anew:
            query = "SELECT COUNT(*) FROM photograph WHERE gone IS NULL AND record = ?"
            self.live += int(self.ledger.value(query, key))
        return True

    def _keep_photograph(self, record: str, found: Photograph) -> str | None:
        """Its assetID, None when another record shows it already or there is no more room."""
        found = self._told_apart(record, found)
        key = asset_id(found.source, set())
        there = self._row(key)
        if there and there["source"] != found.source:  # differs in upper and lower case only
            key = asset_id(found.source, {key.lower()})
            there = self._row(key)
        row = {k: v for k, v in found.row.items() if v is not None}
        row["specimen"] = specimen_of(row, key)
        self._keep_columns(row)
        if not there:
            return self._add(key, record, found, row)
        if there["record"] != record and not there["gone"] and self._met(there["record"]):
            self.found.note([f"record {record}: {key} is shown by record {there['record']} too."])
            return None
        self._change(there, record, found, row)
        return str(there["assetID"])

    def _told_apart(self, record: str, found: Photograph) -> Photograph:
        """Two addresses may end alike: then the whole address names the picture."""
        there = None if found.named else self._row(asset_id(found.source, set()))
        if there and there["url"] != found.url and there["record"] != record:
            return replace(found, source=found.url)
        return found

    def _met(self, record: str) -> bool:
        """Whether this listing has met a record."""
        query = "SELECT crawl FROM record WHERE key = ?"
        return bool(self.ledger.value(query, record) == self.found.number)

    def _row(self, key: str) -> dict[str, Any] | None:
        query = "SELECT * FROM photograph WHERE assetID = ? COLLATE NOCASE"
        found = self.ledger.rows(query, key)
        return found[0] if found else None

    def _add(self, key: str, record: str, found: Photograph, row: dict[str, Any]) -> str | None:
        if self.full:
            return None
        self.ledger.db.execute(
            "INSERT INTO photograph (assetID, source, record, url, version, row) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (key, found.source, record, found.url, found.version, _json(row)),
        )
        self.live += 1
        self._changed(key, "new")
        return key

    def _change(
        self, there: dict[str, Any], record: str, found: Photograph, row: dict[str, Any]
    ) -> None:
        before, key = json.loads(there["row"]), str(there["assetID"])
        differing = sorted(k for k in {*before, *row} if before.get(k) != row.get(k))
        differing = [k for k in differing if k != "bibliographicCitation"]
        if there["gone"]:
            self._changed(key, "back")
        elif differing:
            self._changed(key, "changed", " ".join(differing))
        self.live += bool(there["gone"]) or self.anew
        newer = {"state": "todo", "attempts": 0} if found.version != there["fetched"] else {}
        self.ledger.update(
            key,
            record=record,
            url=found.url,
            version=found.version,
            row=_json(row),
            gone=None,
            **newer,
        )

    def _changed(self, key: str, what: str, columns: str = "") -> None:
        self.found.changes[what] += 1
        if self.found.number > 1:
            self.ledger.note_change(self.found.number, key, what, columns)

    def _keep_columns(self, row: dict[str, Any]) -> None:
        for name in row.keys() - self.known_columns:
            self.known_columns.add(name)
            self.ledger.db.execute("INSERT OR IGNORE INTO further VALUES (?)", (name,))

    def withdraw(self, where: str, values: tuple[Any, ...], why: str, keep: set[str]) -> None:
        """Marks photographs as gone, but for those to `keep`; nothing of them is deleted."""
        query = f"SELECT assetID FROM photograph WHERE gone IS NULL AND {where}"
        for row in self.ledger.rows(query, *values):
            if row["assetID"] not in keep:
                self.ledger.update(row["assetID"], gone=why)
                self.live -= not self.anew
                self._changed(row["assetID"], "withdrawn")


def _marked(record: Record) -> tuple[Record, str]:
    """The record, and what stands for all that it says and for how it is understood."""
    said = json.dumps(_said(record), sort_keys=True)
    if "\\ud" in said:  # half a character, which no file can hold, or a rare whole one
        fields, media = _whole(record.fields), [_whole(medium) for medium in record.media]
        record = Record(_whole({"": record.key})[""], fields, media)
        said = json.dumps(_said(record), sort_keys=True)
    return record, hashlib.sha256(said.encode()).hexdigest()[:16]


def _said(record: Record) -> list[Any]:
    return [VERSION, dict(record.fields), [dict(medium) for medium in record.media]]


def _whole(texts: Texts) -> dict[str, str]:
    """Texts without halves of characters (lone surrogates)."""
    return {
        name.encode("utf-8", "replace").decode(): text.encode("utf-16", "surrogatepass").decode(
            "utf-16", "replace"
        )
        for name, text in texts.items()
    }


def _json(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))
