"""From a source's pages to the ledger: every photograph once, and what changed since last time.

A listing that was killed goes on behind the last page that was kept. A later one of a source that
gives the newest first ends where everything is as it was.
"""

from datetime import UTC, datetime
from typing import Any, Literal

from butterflies.collection import VERSION
from butterflies.collection.fetching.answers import Refused
from butterflies.collection.keeping import READ_AGAIN, Keeper, Listing
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
    asked, last = hash_of({**source.identity(), "room": VERSION}), ledger.last_crawl()
    if last.get("asked") == asked and last["state"] == "open":
        try:
            return _list(ledger, source, last, limit)
        except Refused:  # it may know the version no more that was being listed
            _drop(ledger, last)
    crawl = _crawl(ledger, source, asked, limit)
    if crawl["state"] == "done":
        return Listing(crawl["number"], fresh=False)
    return _list(ledger, source, crawl, limit)


def _crawl(ledger: Ledger, source: Source, asked: str, limit: int | None) -> Crawl:
    """A new crawl, or the last one: to be filled up, or done when there is nothing newer."""
    version, last = source.version(), ledger.last_crawl()
    same = last.get("asked") == asked
    if not same or last["version"] != version:
        return _begin(ledger, asked, version, last if same and source.newest_first else {})
    room = limit is None or ledger.live() < limit
    if last["state"] == "limited" and room:
        return {**last, "cursor": None}  # what there was no room for lies on any page
    return {**last, "state": "done"}


def _begin(ledger: Ledger, asked: str, version: str, last: Crawl) -> Crawl:
    """A new crawl; `since` is the finished one whose answer it may build on."""
    before = ledger.last_crawl()
    crawl = {
        "number": before.get("number", 0) + 1,
        "asked": asked,
        "version": version,
        "cursor": None,
        "state": "open",
        "since": last["number"] if last.get("state") == "done" else None,
        "anew": before.get("asked", asked) != asked,
        "began": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    marks = ", ".join("?" * len(crawl))
    ledger.db.execute(f"INSERT INTO crawl VALUES ({marks})", tuple(crawl.values()))
    return crawl


def _drop(ledger: Ledger, crawl: Crawl) -> None:
    ledger.db.execute("DELETE FROM crawl WHERE number = ?", (crawl["number"],))


def _list(ledger: Ledger, source: Source, crawl: Crawl, limit: int | None) -> Listing:
    found = Listing(crawl["number"])
    anew = bool(crawl["anew"])
    keeper = Keeper(ledger, found, crawl["version"], limit, anew)
    ended = _read(ledger, source, crawl, keeper)
    if not _records(ledger, crawl["number"]):
        _drop(ledger, crawl)
        hint = f" ({found.notes[0].rstrip('.')})" if found.notes else ""
        raise UserError(f"The source has no photographs of what was asked for{hint}.")
    if ended == "whole" or (ended == "limited" and anew):
        _withdraw_unseen(ledger, crawl["number"], keeper)
    state = "limited" if ended == "limited" else "done"
    ledger.db.execute("UPDATE crawl SET state = ? WHERE number = ?", (state, crawl["number"]))
    return found


def _read(
    ledger: Ledger, source: Source, crawl: Crawl, keeper: Keeper
) -> Literal["whole", "limited", "known", "short"]:
    """Reads pages until all is known.

    Returns:
        whole: to the end. limited: there is room for no more, and what is here was met. known:
        from here on everything is as it was. short: to the end, which came before as many records
        as the source has.
    """
    total, number = None, int(crawl["number"])
    for page in progress(source.pages(crawl["version"], crawl["cursor"]), "listing, pages"):
        with ledger.together():
            known = _keep_all(page, keeper)
            if keeper.full and (keeper.anew or not _older(ledger, number)):
                return "limited"
            _turn(ledger, number, page)
        keeper.found.note(page.notes)
        total = page.total
        if crawl["since"] and known and _all_there(ledger, total):
            return "known"
    seen = _records(ledger, number)
    if total is not None and seen < total and not keeper.full:
        keeper.found.note([f"The source listed {seen:,} of its {total:,} records."])
        return "short"
    return "limited" if keeper.full else "whole"


def _keep_all(page: Page, keeper: Keeper) -> bool:
    """Keeps a page, if need be only up to the limit; True when an earlier listing knew it all."""
    known = bool(page.records)
    for record in page.records:
        if keeper.full and keeper.anew:
            return False
        known &= keeper.keep(record)
    return known


def _all_there(ledger: Ledger, total: int | None) -> bool:
    """Whether the source has the records that are known, and each was kept whole."""
    again = ledger.value("SELECT 1 FROM record WHERE mark = ?", READ_AGAIN)
    return not again and _records(ledger) == total


def _turn(ledger: Ledger, number: int, page: Page) -> None:
    if page.cursor is not None:
        ledger.db.execute("UPDATE crawl SET cursor = ? WHERE number = ?", (page.cursor, number))


def _records(ledger: Ledger, number: int = 0) -> int:
    """Records, or those that a crawl has met."""
    query = "SELECT COUNT(*) FROM record WHERE crawl >= ?"
    return int(ledger.value(query, number))


def _older(ledger: Ledger, number: int) -> bool:
    """Whether there are records that a crawl has not met."""
    return bool(ledger.value("SELECT 1 FROM record WHERE crawl < ?", number))


def _withdraw_unseen(ledger: Ledger, number: int, keeper: Keeper) -> None:
    with ledger.together():
        unseen = "record IN (SELECT key FROM record WHERE crawl != ?)"
        keeper.withdraw(unseen, (number,), NO_LONGER, keep=set())
        ledger.db.execute("DELETE FROM record WHERE crawl != ?", (number,))
