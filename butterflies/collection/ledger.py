"""The memory of a collection that comes over the network: `<collection>/ledger.sqlite`.

What has been listed and what has been fetched is written as it happens, so that a kill at any
moment loses the request in progress at most. `records.parquet` is made from it.

    crawl       one row each time the source was listed: what was asked, how far it went
    record      the source's records as last seen
    photograph  one row per photograph: its row of the records table (JSON), its picture's state
    change      what later listings and downloads changed
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from butterflies.errors import UserError

FORMAT = 1
SCHEMA = f"""
PRAGMA user_version = {FORMAT};
CREATE TABLE crawl (
  number INTEGER PRIMARY KEY, asked TEXT, version TEXT, cursor TEXT, state TEXT, since INTEGER,
  anew INTEGER, began TEXT);
CREATE TABLE record (key TEXT PRIMARY KEY, mark TEXT, crawl INTEGER) WITHOUT ROWID;
CREATE TABLE photograph (
  number INTEGER PRIMARY KEY, assetID TEXT NOT NULL, source TEXT, record TEXT, url TEXT,
  version TEXT, row TEXT, gone TEXT,
  state TEXT DEFAULT 'todo', reason TEXT, attempts INTEGER DEFAULT 0, http INTEGER, fetched TEXT,
  photo TEXT, photo_bytes INTEGER, photo_mtime_ns INTEGER, sha256 TEXT, width INTEGER,
  height INTEGER, etag TEXT, last_modified TEXT);
CREATE UNIQUE INDEX asset ON photograph (assetID);
CREATE UNIQUE INDEX folded ON photograph (assetID COLLATE NOCASE);
CREATE INDEX of_record ON photograph (record);
CREATE INDEX of_state ON photograph (state, number);
CREATE TABLE change (crawl INTEGER, assetID TEXT, what TEXT, columns TEXT);
CREATE TABLE further (name TEXT PRIMARY KEY) WITHOUT ROWID;
"""
PICTURE = ("photo", "photo_bytes", "photo_mtime_ns", "sha256", "width", "height")
NOT_YET = "Its picture has not been downloaded yet."


class Ledger:
    """An open ledger; one thread uses it.

    Raises:
        UserError: the file is none, or one of another release.
    """

    def __init__(self, collection: Path) -> None:
        self.path = collection / "ledger.sqlite"
        collection.mkdir(parents=True, exist_ok=True)
        with self.told():
            self.db = sqlite3.connect(self.path, isolation_level=None)
            self.db.row_factory = sqlite3.Row
            self._open()

    @contextmanager
    def told(self) -> Iterator[None]:
        """Makes a sentence of whatever goes wrong with the file.

        Raises:
            UserError: it cannot be read or written.
        """
        try:
            yield
        except sqlite3.Error as error:
            raise UserError(
                f"{self.path} cannot be used ({error}): if the disk is full, make room; if another "
                "program has it open, close that; if it is damaged, restore it or give another "
                "collection=."
            ) from None

    def _open(self) -> None:
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = NORMAL")
        self.db.execute("PRAGMA cache_size = -65536")  # KiB
        found = self.value("PRAGMA user_version")
        if not found:
            self.db.executescript(f"BEGIN; {SCHEMA} COMMIT;")
        elif found != FORMAT:
            raise sqlite3.DatabaseError(f"format {found}, {FORMAT} expected")

    def close(self) -> None:
        self.db.close()

    @contextmanager
    def together(self) -> Iterator[None]:
        """All that is written in the block counts, or nothing of it."""
        self.db.execute("BEGIN")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def value(self, sql: str, *values: Any) -> Any:
        """The first value of a query's first row, None when it has none."""
        row = self.db.execute(sql, values).fetchone()
        return row[0] if row else None

    def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in self.db.execute(sql, values)]

    def update(self, asset_id: str, **columns: Any) -> None:
        """Changes some columns of a photograph."""
        names = ", ".join(f"{name} = ?" for name in columns)
        self.db.execute(
            f"UPDATE photograph SET {names} WHERE assetID = ?", (*columns.values(), asset_id)
        )

    def note_change(self, crawl: int, asset_id: str, what: str, columns: str = "") -> None:
        self.db.execute("INSERT INTO change VALUES (?, ?, ?, ?)", (crawl, asset_id, what, columns))

    def last_crawl(self) -> dict[str, Any]:
        """The newest row of `crawl`, empty when there is none."""
        found = self.rows("SELECT * FROM crawl ORDER BY number DESC LIMIT 1")
        return found[0] if found else {}

    def retry_failed(self) -> None:
        """Wants pictures again that failed, were refused, or that their host did not have."""
        states = "('failed', 'withdrawn', 'refused')"
        self.db.execute(
            "UPDATE photograph SET state = 'todo', attempts = 0, reason = NULL "
            f"WHERE state IN {states}"
        )

    def forget_lost(self) -> None:
        """Wants pictures again whose files are gone, or of another size than was written."""
        query = "SELECT assetID, photo, photo_bytes FROM photograph WHERE photo IS NOT NULL"
        lost = [row for row in self.rows(query) if not self._lies_there(row)]
        with self.together():
            for row in lost:
                self.update(row["assetID"], state="todo", attempts=0, photo=None, fetched=None)

    def _lies_there(self, row: Mapping[str, Any]) -> bool:
        try:
            size = (self.path.parent / row["photo"]).stat().st_size
        except OSError:
            return False
        return bool(size == row["photo_bytes"])

    def live(self, crawl: int = 0) -> int:
        """Photographs that are not gone, and whose record was met by a crawl or a later one."""
        query = "SELECT COUNT(*) FROM photograph WHERE gone IS NULL"
        if not crawl:
            return int(self.value(query))
        met = "record IN (SELECT key FROM record WHERE crawl >= ?)"
        return int(self.value(f"{query} AND {met}", crawl))

    def further(self) -> list[str]:
        """The columns beyond the records table's own."""
        return [row["name"] for row in self.rows("SELECT name FROM further ORDER BY name")]

    def table(self) -> Iterator[dict[str, Any]]:
        """The rows of the records table, sorted by assetID.

        `duplicateOf` names the first photograph whose picture has the same bytes.
        """
        same = self.duplicates()
        for row in self.db.execute("SELECT * FROM photograph ORDER BY assetID"):
            yield {**_as_record(row), "duplicateOf": same.get(row["assetID"])}

    def duplicates(self) -> dict[str, str]:
        """Photographs whose bytes an earlier assetID has too, with that assetID."""
        here = "photo IS NOT NULL AND gone IS NULL"
        query = f"""
            SELECT assetID, first FROM photograph JOIN (
              SELECT sha256 AS bytes, MIN(assetID) AS first FROM photograph WHERE {here}
              GROUP BY sha256 HAVING COUNT(*) > 1) ON sha256 = bytes
            WHERE {here} AND assetID != first"""
        return {row["assetID"]: row["first"] for row in self.rows(query)}

    def reasons(self) -> list[dict[str, Any]]:
        """Why pictures are not here: state, reason, n; the most frequent first."""
        query = """
            SELECT state, reason, COUNT(*) AS n FROM photograph
            WHERE gone IS NULL AND state IN ('failed', 'refused', 'withdrawn')
            GROUP BY state, reason ORDER BY n DESC, reason"""
        return self.rows(query)


def _as_record(row: Mapping[str, Any]) -> dict[str, Any]:
    status, reason = _status(row)
    picture = {name: row[name] for name in PICTURE} if row["photo"] else {}
    return {
        **json.loads(row["row"]),
        **picture,
        "assetID": row["assetID"],
        "sourceID": None if row["source"] == row["assetID"] else row["source"],
        "status": status,
        "reason": reason,
    }


def _status(row: Mapping[str, Any]) -> tuple[str, str | None]:
    if row["gone"]:
        return "withdrawn", row["gone"]
    if row["state"] == "withdrawn":
        return "withdrawn", row["reason"]
    if row["photo"]:
        newer = f"A newer picture could not be fetched. {row['reason']}"
        return "ok", newer if row["state"] in ("failed", "refused") else row["reason"]
    if row["state"] == "todo":
        return "missing", NOT_YET
    return row["state"], row["reason"]
