"""How often a host may be asked: rate, pauses, a circuit breaker. No clock and no socket here.

All times are seconds of one monotonic clock that the caller reads.
"""

import email.utils
import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

End = Literal["well", "busy", "down", "unharmed"]
"""How a request ended for its host: well; busy, it asked us to slow down; down, it did not answer
as a working host does; unharmed, the request failed for a reason of its own."""

BREAK_AFTER = 8
"""Requests in a row that find the host down until the circuit opens."""

FIRST_PAUSE, LONGEST_PAUSE = 15.0, 900.0
"""Seconds for which an open circuit lets nothing through; doubled each time."""

GIVE_UP_AFTER = 100
"""Openings in a row until the host is given up: about a day, since museums have bad nights."""

SLOWEST = 1 / 16
"""Share of the rate to which a busy host may bring us down."""

MOST_ASKED = 86_400.0
"""Seconds for which a host may ask us to stay away."""

LONGEST_WAIT = 300.0
"""Seconds between two attempts at one thing, unless the host asks for more."""


@dataclass
class Pace:
    """The pace at which one host is asked.

    Attributes:
        name: the host, as in `data.nhm.ac.uk` or `127.0.0.1:8080`.
        rate: requests a second, never exceeded; a busy host halves it for a while.
        concurrency: requests at once.
        active: requests in progress.
        lost: the host did not answer for so long that it is given up.
    """

    name: str
    rate: float
    concurrency: int
    active: int = 0
    lost: bool = False
    _share: float = 1.0
    _next: float = -math.inf
    _failures: int = 0
    _openings: int = 0

    def wait(self, now: float) -> float:
        """Seconds until a request may start; infinite while one must end first."""
        allowed = 1 if self._openings else self.concurrency
        return math.inf if self.active >= allowed or self.lost else max(0.0, self._next - now)

    def resting(self, now: float) -> float:
        """Seconds for which the host is left alone."""
        return max(0.0, self._next - now)

    def start(self, now: float) -> None:
        """A request starts."""
        self.active += 1
        self._next = max(self._next, now) + 1 / (self.rate * self._share)

    def end(self, now: float, how: End, retry_after: float | None = None) -> None:
        """A request has ended.

        Args:
            now: the time.
            how: what it tells of the host.
            retry_after: seconds for which the host asked us to stay away.
        """
        self.active -= 1
        if how == "well":
            self._failures = self._openings = 0
            self._share = min(1.0, self._share * 1.1)
        if how in ("busy", "down"):
            self._pause(now, retry_after or 0.0)
        if how == "busy":
            self._share = max(SLOWEST, self._share / 2)
        if how == "down":
            self._failures += 1
            if self._failures >= BREAK_AFTER or self._openings:
                self._open(now)

    def _open(self, now: float) -> None:
        if self._openings and self.active:
            return  # this request began before the circuit opened
        self._failures = 0
        self._pause(now, min(LONGEST_PAUSE, FIRST_PAUSE * 2.0**self._openings))
        self._openings += 1
        self.lost = self._openings >= GIVE_UP_AFTER

    def _pause(self, now: float, seconds: float) -> None:
        self._next = max(self._next, now + seconds)

    @property
    def open(self) -> bool:
        """The circuit is open: one request at a time finds out whether the host is back."""
        return self._openings > 0


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds that a Retry-After header asks for, in either of its forms (RFC 9110, 10.2.3).

    >>> retry_after("120")
    120.0
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), MOST_ASKED)
    try:
        until = email.utils.parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    seconds = (until - (now or datetime.now(UTC))).total_seconds()
    return min(max(0.0, seconds), MOST_ASKED)


def backoff(attempt: int, first: float, chance: random.Random) -> float:
    """Seconds to wait after a failed attempt: exponential, half of it by chance.

    Args:
        attempt: its number, from 1.
        first: seconds after the first one, at most.
        chance: a random source, so that many waiting requests do not come back at once.
    """
    longest = min(LONGEST_WAIT, first * 2.0 ** min(attempt - 1, 30))
    return longest * chance.uniform(0.5, 1.0)
