"""Which requests to the test portal meet which fault."""

import re
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.portal_http import Answer, Asked

Fault = Callable[[Asked, Callable[[], Answer]], Answer]
"""Gets the request and what would answer it; gives the answer that is sent."""


@dataclass
class _Rule:
    pattern: str
    turns: deque[Fault]
    every: int = 0
    """Every n-th request meets the fault; 0 is for faults that come in turn."""
    seen: int = 0

    def take(self, asked: Asked) -> Fault | None:
        if not self.turns or not re.search(self.pattern, asked.request.path):
            return None
        wants = getattr(self.turns[0], "wants", None)
        if wants and not wants(asked):
            return None
        if not self.every:
            return self.turns.popleft()
        self.seen += 1
        return self.turns[0] if self.seen % self.every == 0 else None


@dataclass
class Faults:
    """Which requests meet which fault; patterns are sought in the path with its query."""

    _rules: list[_Rule] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def on(self, pattern: str, *faults: Fault) -> None:
        """The next requests that match meet these in turn, then all is well."""
        self._add(_Rule(pattern, deque(faults)))

    def every(self, n: int, pattern: str, fault: Fault) -> None:
        """The n-th, 2n-th, … request that matches meets the fault."""
        self._add(_Rule(pattern, deque([fault]), n))

    def always(self, pattern: str, fault: Fault) -> None:
        self.every(1, pattern, fault)

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()

    def take(self, asked: Asked) -> Fault | None:
        """The fault for a request: the earliest rule's that has one."""
        with self._lock:
            # "in turn" comes before "every" and "always", so that a mode can be interrupted
            rules = sorted(self._rules, key=lambda rule: bool(rule.every))
            found = (rule.take(asked) for rule in rules)
            return next((fault for fault in found if fault), None)

    def _add(self, rule: _Rule) -> None:
        with self._lock:
            self._rules.append(rule)
