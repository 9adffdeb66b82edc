"""Fetching the pictures that the ledger still wants, politely and for as long as it takes.

This thread decides which request starts when and keeps the ledger; others wait for hosts. So the
pace needs no locks, and a picture counts only when it lies in its place.
"""

import errno
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from butterflies.collection.fetching.fetch import Answer, Wanted
from butterflies.collection.fetching.meter import Meter, duration
from butterflies.collection.fetching.pace import backoff
from butterflies.collection.fetching.schedule import Crew, Schedule, Task
from butterflies.collection.fetching.web import DownloadSettings, Web
from butterflies.collection.ledger import Ledger
from butterflies.collection.photographs import sized
from butterflies.errors import UserError
from butterflies.tracking.console import say

AHEAD = 1000
"""Pictures taken from the ledger at once."""

RESERVE = 512 << 20
"""Bytes of the disk that are left free."""

USUAL_BYTES = {"preview": 630_000, "thumbnail": 60_000, "original": 10_000_000}
"""Of a picture of the museum, as far as is known; other sizes are taken as a preview."""

REST = 1.0
"""Seconds that requests in progress are given to end when the run is stopped."""

MUSEUMS_LIMIT = 5.0
"""Requests a second below which the museum wants its visitors to stay (portal 1.10)."""

FORBIDDEN_ATTEMPTS = 2
STATES = {"gone": "withdrawn", "refused": "refused"}
TODO = "state = 'todo' AND gone IS NULL"


def download(ledger: Ledger, place: Path, web: Web) -> Meter:
    """Fetches every picture that is wanted.

    Returns:
        What was counted.

    Raises:
        UserError: the disk is full, or a host has not answered for about a day. What is here
            stays; the same command goes on.
    """
    todo = int(ledger.value(f"SELECT COUNT(*) FROM photograph WHERE {TODO}"))
    _check_space(place, ledger, todo, web.settings.size)
    _announce(todo, web.settings)
    meter = Meter(todo)
    try:
        _Downloader(ledger, place, web, meter).run()
    finally:
        meter.close()
    return meter


def _announce(todo: int, settings: DownloadSettings) -> None:
    """Says how much is to come, and how fast it may."""
    if not todo:
        return
    pace = f"{settings.rate:g} a second at most from one host"
    say(f"{todo:,} pictures to fetch, {pace}: {duration(todo / settings.rate)} or more.")
    if settings.rate >= MUSEUMS_LIMIT:
        say(
            f"  The museum asks for less than {MUSEUMS_LIMIT:g} requests a second (download.rate=)."
        )


def _check_space(place: Path, ledger: Ledger, todo: int, size: str) -> None:
    known = ledger.value("SELECT AVG(photo_bytes) FROM photograph WHERE photo IS NOT NULL")
    usual = known or USUAL_BYTES.get(size, USUAL_BYTES["preview"])
    free = shutil.disk_usage(place).free
    if todo * usual + RESERVE > free:
        raise UserError(
            f"{todo:,} pictures of some {usual / 1e6:.2f} MB need {todo * usual / 1e9:.1f} GB, and "
            f"{place} has {free / 1e9:.1f} GB free: make room, or set limit= or download.size=."
        )


class _Downloader:
    def __init__(self, ledger: Ledger, place: Path, web: Web, meter: Meter) -> None:
        self.ledger, self.place, self.web, self.meter = ledger, place, web, meter
        self.schedule, self.crew = Schedule(web), Crew(web)
        self.ahead, self.numbers = self._wanted(), count()
        self.told: set[str] = set()

    def run(self) -> None:
        (self.place / "photos").mkdir(parents=True, exist_ok=True)
        self._clear()
        try:
            while self._refill():
                for task in self.schedule.startable(time.monotonic()):
                    self.crew.send(task)
                if back := self.crew.back(self.schedule.pause(time.monotonic())):
                    self._ended(*back)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise UserError(self._full()) from None
        finally:
            self.crew.rest(REST)
            self._clear()
        if lost := self.schedule.lost():
            raise UserError(
                f"{', '.join(lost)} did not answer for about a day: the same command goes on."
            )

    def _clear(self) -> None:
        for left in (self.place / "photos").glob(".*.part"):
            left.unlink(missing_ok=True)

    def _wanted(self) -> Iterator[Task]:
        """The pictures that are wanted, in the order in which they were listed."""
        last = 0
        query = f"SELECT * FROM photograph WHERE {TODO} AND number > ? ORDER BY number LIMIT ?"
        while rows := self.ledger.rows(query, last, AHEAD):
            last = rows[-1]["number"]
            yield from map(self._task, rows)

    def _task(self, row: dict[str, Any]) -> Task:
        url, plain = sized(row["url"], self.web.settings.size)
        target = self.place / "photos" / f".{row['assetID']}.{next(self.numbers)}.part"
        here = row["photo"] is not None
        wanted = Wanted(
            row["assetID"],
            url,
            target,
            etag=row["etag"] if here else None,
            last_modified=row["last_modified"] if here else None,
            plain=plain,
        )
        return Task(wanted, row["version"], row["photo"], row["attempts"])

    def _refill(self) -> bool:
        """Brings tasks to the schedule; False when all is done."""
        while len(self.schedule) < AHEAD and (task := next(self.ahead, None)):
            self._add(task)
        return bool(len(self.schedule) or self.crew.busy)

    def _add(self, task: Task, first: bool = False) -> None:
        if task.host in self.web.hosts:
            self.schedule.add(task, first)
            return
        where = f"on {task.host}" if task.host else "at no web address"
        reason = f"Its picture lies {where}, which is not among download.hosts."
        self._done(task, Answer("refused", reason))

    def _ended(self, task: Task, answer: Answer) -> None:
        pace, now = self.web.pace(task.host), time.monotonic()
        pace.end(now, answer.end, answer.retry_after)
        self._tell_of(task.host)
        if answer.kind == "moved" and answer.to:
            self._add(_moved(task, answer.to), first=True)
        elif answer.kind == "again" and self._may_try(task, answer, pace.open):
            pause = backoff(task.attempts, self.web.settings.backoff, self.web.chance)
            self.schedule.add_later(task, now + max(pause, answer.retry_after or 0.0))
            self.ledger.update(task.wanted.asset_id, attempts=task.attempts)
        else:
            self._done(task, answer)

    def _may_try(self, task: Task, answer: Answer, down: bool) -> bool:
        """Counts a failed attempt; those that a host's downtime caused do not count."""
        if down and answer.end == "down":
            return True
        task.attempts += 1
        most = FORBIDDEN_ATTEMPTS if answer.http == 403 else self.web.settings.attempts
        return task.attempts < most

    def _tell_of(self, host: str) -> None:
        if not self.web.pace(host).open:
            self.told.discard(host)
        elif host not in self.told:
            self.told.add(host)
            say(f"{host} does not answer well: waiting, and asking again from time to time.")

    def _done(self, task: Task, answer: Answer) -> None:
        key, size = task.wanted.asset_id, 0
        if answer.kind == "here":
            size = self._keep(task, answer)
        elif answer.kind == "unchanged":
            self.ledger.update(key, state="ok", fetched=task.version)
        else:
            state = STATES.get(answer.kind, "failed")
            self.ledger.update(key, state=state, reason=answer.reason, http=answer.http)
        task.wanted.target.unlink(missing_ok=True)
        self.meter.count(failed=answer.kind not in ("here", "unchanged"), size=size)
        if shutil.disk_usage(self.place).free < RESERVE:
            raise UserError(self._full())

    def _keep(self, task: Task, answer: Answer) -> int:
        """Moves a picture to its place, then writes it down; returns its bytes."""
        key, found = task.wanted.asset_id, answer.probe
        assert found is not None
        photo = Path("photos") / f"{key}{answer.suffix}"
        os.replace(task.wanted.target, self.place / photo)
        if task.before and task.before != photo.as_posix():
            (self.place / task.before).unlink(missing_ok=True)
        stat = (self.place / photo).stat()
        told = ("sha256", "width", "height", "reason")
        with self.ledger.together():
            if task.before:
                self._note_replaced(key, str(found.sha256))
            self.ledger.update(
                key,
                state="ok",
                http=answer.http,
                fetched=task.version,
                photo=photo.as_posix(),
                photo_bytes=stat.st_size,
                photo_mtime_ns=stat.st_mtime_ns,
                etag=answer.etag,
                last_modified=answer.last_modified,
                **{name: getattr(found, name) for name in told},
            )
        return stat.st_size

    def _note_replaced(self, key: str, sha256: str) -> None:
        before = self.ledger.value("SELECT sha256 FROM photograph WHERE assetID = ?", key)
        if before != sha256:
            self.ledger.note_change(self.ledger.last_crawl()["number"], key, "replaced")

    def _full(self) -> str:
        return (
            f"The disk of {self.place} is full: {self.meter.here:,} of {self.meter.total:,} "
            "pictures have come. Make room; the same command goes on from here."
        )


def _moved(task: Task, to: str) -> Task:
    """The task at its next address; the plain address is turned to once."""
    plain = None if to == task.wanted.plain else task.wanted.plain
    return replace(
        task, wanted=replace(task.wanted, url=to, plain=plain, hops=task.wanted.hops + 1)
    )
