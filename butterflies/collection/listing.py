"""From a source's pages to the ledger: every photograph once, and what changed since last time.

A listing that was killed goes on behind the last page that was kept. A later one of a source that
gives the newest first ends where everything is as it was.
"""

from datetime import UTC, datetime
from typing import Any, Literal

from butterflies.collection import VERSION
from butterflies.collection.keeping import Keeper, Listing
from butterflies.collection.ledger import Ledger
from butterflies.collection.sources.base import Page, Source
from butterflies.errors import UserError
from butterflies.tracking.console import progress
from butterflies.tracking.provenance import hash_of

NO_LONGER = "The source no longer lists it among what was asked for."
Crawl = dict[str, Any]


def list_photographs(ledger: Ledger, source: Source, limit: int | None) -> Listing:
    """Brings the ledger up to what the source has now.

    Args:
        ledger: of the collection.
        source: to be read.
        limit: photographs that the collection may hold, None for all.

    Raises:
        UserError: the source cannot be read, or has nothing of what was asked for.
    """
    crawl = _crawl(ledger, source, limit)
    if crawl["state"] == "done":
        return Listing(crawl["number"], fresh=False)
    found = Listing(crawl["number"])
    keeper = Keeper(ledger, found, crawl["version"], limit)
    ended = _read(ledger, source, crawl, keeper)
    if not _records(ledger, crawl["number"]):
        ledger.db.execute("DELETE FROM crawl WHERE number = ?", (crawl["number"],))
        hint = f" ({found.notes[0].rstrip('.')})" if found.notes else ""
        raise UserError(f"The source has no photographs of what was asked for{hint}.")
    if ended == "whole":
        _withdraw_unseen(ledger, crawl["number"], keeper)
    state = "limited" if ended == "limited" else "done"
    ledger.db.execute("UPDATE crawl SET state = ? WHERE number = ?", (state, crawl["number"]))
    return found


def _crawl(ledger: Ledger, source: Source, limit: int | None) -> Crawl:
    """The crawl to go on with, a new one, or the last one when it is done and nothing is newer."""
    asked, last = hash_of({**source.identity(), "room": VERSION}), ledger.last_crawl()
    same = last.get("asked") == asked
    if same and last["state"] == "open":
        return last
    version = source.version()
    if not same or last["version"] != version:
        return _begin(ledger, asked, version, last if same and source.newest_first else {})
    room = limit is None or ledger.live() < limit
    return {**last, "state": "open" if last["state"] == "limited" and room else "done"}


def _begin(ledger: Ledger, asked: str, version: str, last: Crawl) -> Crawl:
    """A new crawl; `since` is the finished one whose answer it may build on."""
    crawl = {
        "number": ledger.last_crawl().get("number", 0) + 1,
        "asked": asked,
        "version": version,
        "cursor": None,
        "state": "open",
        "since": last["number"] if last.get("state") == "done" else None,
        "began": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    marks = ", ".join("?" * len(crawl))
    ledger.db.execute(f"INSERT INTO crawl VALUES ({marks})", tuple(crawl.values()))
    return crawl


def _read(
    ledger: Ledger, source: Source, crawl: Crawl, keeper: Keeper
) -> Literal["whole", "limited", "known", "short"]:
    """Reads pages until all is known.

    Returns:
        whole: to the end. limited: there is room for no more. known: from here on everything is
        as it was. short: to the end, which came before as many records as the source has.
    """
    total = None
    for page in progress(source.pages(crawl["version"], crawl["cursor"]), "listing, pages"):
        with ledger.together():
            known = [keeper.keep(record) for record in page.records]
            if keeper.full:
                return "limited"
            _turn(ledger, crawl["number"], page)
        keeper.found.note(page.notes)
        total = page.total
        if crawl["since"] and known and all(known) and _records(ledger) == total:
            return "known"
    seen = _records(ledger, crawl["number"])
    if total is not None and seen < total:
        keeper.found.note([f"The source listed {seen:,} of its {total:,} records."])
        return "short"
    return "whole"


def _turn(ledger: Ledger, number: int, page: Page) -> None:
    if page.cursor is not None:
        ledger.db.execute("UPDATE crawl SET cursor = ? WHERE number = ?", (page.cursor, number))


def _records(ledger: Ledger, number: int = 0) -> int:
    """Records, or those that a crawl has seen."""
    query = "SELECT COUNT(*) FROM record WHERE crawl >= ?"
    return int(ledger.value(query, number))


def _withdraw_unseen(ledger: Ledger, number: int, keeper: Keeper) -> None:
    with ledger.together():
        unseen = "record IN (SELECT key FROM record WHERE crawl != ?)"
        keeper.withdraw(unseen, (number,), NO_LONGER, keep=set())
        ledger.db.execute("DELETE FROM record WHERE crawl != ?", (number,))
