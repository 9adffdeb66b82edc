"""Fetching the pictures that the ledger still wants, politely and for as long as it takes.

This thread decides which request starts when and keeps the ledger; others wait for hosts. So the
pace needs no locks, and a picture counts only when it lies in its place.
"""

import errno
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from butterflies.collection.fetching import forecast
from butterflies.collection.fetching.fetch import Answer, Wanted
from butterflies.collection.fetching.meter import Meter, duration
from butterflies.collection.fetching.pace import backoff
from butterflies.collection.fetching.schedule import Crew, Schedule, Task
from butterflies.collection.fetching.settings import host_of
from butterflies.collection.fetching.web import LONG, Web
from butterflies.collection.ledger import Ledger
from butterflies.collection.photographs import sized
from butterflies.errors import UserError
from butterflies.tracking.console import say

AHEAD = 1000
"""Pictures taken from the ledger at once."""

MOST = 64
"""Pictures of working hosts that should wait for their turn."""

MOST_AHEAD = 100_000
"""Pictures that may wait, those of hosts that are down included."""

SPARED = 3
"""Failures of a picture that may be put down to its host while that is down."""

REST = 1.0
"""Seconds that requests in progress are given to end when the run is stopped."""

FORBIDDEN_ATTEMPTS = 2
STATES = {"gone": "withdrawn", "refused": "refused"}
WANTED = "state = 'todo' AND gone IS NULL"


def download(ledger: Ledger, place: Path, web: Web) -> Meter:
    """Fetches every picture that is wanted.

    Returns:
        What was counted.

    Raises:
        UserError: the disk is full, or a host has not answered for about a day. What is here
            stays; the same command goes on.
    """
    todo = int(ledger.value(f"SELECT COUNT(*) FROM photograph WHERE {WANTED}"))
    forecast.check_space(place, ledger, todo, web.settings.size)
    forecast.announce(todo, web.settings)
    meter = Meter(todo)
    try:
        _Downloader(ledger, place, web, meter).run()
    finally:
        meter.close()
    return meter


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
        query = f"SELECT * FROM photograph WHERE {WANTED} AND number > ? ORDER BY number LIMIT ?"
        while rows := self.ledger.rows(query, last, AHEAD):
            last = rows[-1]["number"]
            yield from map(self._task, rows)

    def _task(self, row: dict[str, Any]) -> Task:
        of_museum = host_of(row["url"]) in self.web.museum
        size = self.web.settings.size
        url, plain = sized(row["url"], size) if of_museum else (row["url"], None)
        target = self.place / "photos" / f".{row['assetID']}.{next(self.numbers)}.part"
        here = row["photo"] is not None
        wanted = Wanted(
            row["assetID"],
            url,
            target,
            etag=row["etag"] if here else None,
            last_modified=row["last_modified"] if here else None,
            plain=plain,
            of_museum=of_museum,
        )
        return Task(wanted, row["version"], row["photo"], row["attempts"], wanted)

    def _refill(self) -> bool:
        """Brings tasks to the schedule; False when all is done."""
        while self._has_room() and (task := next(self.ahead, None)):
            self._add(task)
        return bool(len(self.schedule) or self.crew.busy)

    def _has_room(self) -> bool:
        """Whether to take more from the ledger, also past the tasks of a host that is down."""
        waiting = len(self.schedule)
        return waiting < AHEAD or (waiting < MOST_AHEAD and self.schedule.moving() < MOST)

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
            tries = task.attempts + task.spared
            pause = backoff(tries, self.web.settings.backoff, self.web.chance)
            again = replace(task, wanted=task.first)
            self.schedule.add_later(again, now + max(pause, answer.retry_after or 0.0))
            self.ledger.update(task.wanted.asset_id, attempts=task.attempts)
        else:
            self._done(task, answer)

    def _may_try(self, task: Task, answer: Answer, down: bool) -> bool:
        """Counts a failed attempt, unless it is put down to its host, which is down."""
        if down and answer.end == "down" and answer.http != 403 and task.spared < SPARED:
            task.spared += 1
            return True
        task.attempts += 1
        most = FORBIDDEN_ATTEMPTS if answer.http == 403 else self.web.settings.attempts
        return task.attempts < most

    def _tell_of(self, host: str) -> None:
        pace, now = self.web.pace(host), time.monotonic()
        pause = pace.resting(now)
        if not pace.open and pause < LONG:
            self.told.discard(host)
        elif host not in self.told:
            self.told.add(host)
            what = "does not answer well" if pace.open else f"asks to wait {duration(pause)}"
            say(f"{host} {what}: waiting, and asking again from time to time.")

    def _done(self, task: Task, answer: Answer) -> None:
        key, size = task.wanted.asset_id, 0
        if answer.kind == "here":
            size = self._keep(task, answer)
        elif answer.kind == "unchanged":
            self.ledger.update(key, state="ok", fetched=task.version, reason=None)
        else:
            state = STATES.get(answer.kind, "failed")
            self.ledger.update(key, state=state, reason=answer.reason, http=answer.http)
        task.wanted.target.unlink(missing_ok=True)
        self.meter.count(failed=answer.kind not in ("here", "unchanged"), size=size)
        if not forecast.has_space(self.place):
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
        if before and before != sha256:
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
