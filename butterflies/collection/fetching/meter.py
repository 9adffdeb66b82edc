"""How a download is going: on a terminal as a bar, in a log as a line now and then."""

import sys
import time
from collections import deque

from tqdm import tqdm

from butterflies.tracking.console import say

WINDOW = 120.0
"""Seconds over which the rate is taken."""

EVERY = 60.0
"""Seconds between two lines in a log."""


class Meter:
    """Counts pictures and tells of them.

    Args:
        total: pictures to come.
    """

    def __init__(self, total: int) -> None:
        self.total, self.here, self.failed, self.bytes = total, 0, 0, 0
        self._recent: deque[tuple[float, int]] = deque()
        self._told = time.monotonic()
        self._bar = tqdm(total=total, desc="pictures", disable=None, leave=False, unit=" pictures")

    def count(self, *, failed: bool, size: int = 0) -> None:
        """One more picture is done with."""
        self.here += not failed
        self.failed += failed
        self.bytes += size
        self._recent.append((time.monotonic(), self.here + self.failed))
        while self._recent[-1][0] - self._recent[0][0] > WINDOW:
            self._recent.popleft()
        self._bar.update(1)
        self._tell()

    def _tell(self) -> None:
        self._bar.set_postfix_str(f"{self.failed:,} failed", refresh=False)
        now = time.monotonic()
        if now - self._told >= EVERY and not sys.stderr.isatty():
            self._told = now
            say(str(self))

    @property
    def rate(self) -> float:
        """Pictures a second of late."""
        (start, before), (end, after) = self._recent[0], self._recent[-1]
        return (after - before) / (end - start) if end > start else 0.0

    def __str__(self) -> str:
        done = self.here + self.failed
        rate = self.rate if self._recent else 0.0
        left = f", {duration((self.total - done) / rate)} left" if rate else ""
        share = 100 * done // max(1, self.total)
        return (
            f"{done:,} of {self.total:,} pictures ({share} %), {rate:.1f} a second, "
            f"{self.failed:,} failed, {self.bytes / 1e9:.2f} GB{left}."
        )

    def close(self) -> None:
        self._bar.close()


def duration(seconds: float) -> str:
    """A time in the two units that matter.

    >>> duration(59), duration(3725), duration(2 * 86400 + 7200)
    ('59 s', '1 h 2 min', '2 d 2 h')
    """
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    left = int(seconds)
    said: list[str] = []
    for name, size in units:
        if left >= size or (name == "s" and not said):
            said.append(f"{left // size} {name}")
            left %= size
    return " ".join(said[:2])
