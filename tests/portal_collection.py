"""A collection of records that remembers its past, as the portal's versions do (portal 1.3)."""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from tests.portal_http import Record

DAY = 86_400_000


@dataclass(frozen=True)
class State:
    """A record since a version (epoch ms); `data` is empty once the record is removed."""

    id: str
    version: int
    data: Record

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(word for text in leaves(self.data) for word in words_of(text))


def words_of(text: object) -> list[str]:
    return re.findall(r"\w+", str(text).lower())


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for child in value.values() if isinstance(value, dict) else value:
            yield from leaves(child)
    else:
        yield value


class Collection:
    """Records with their versions (epoch ms); each edit is a new version of the whole."""

    def __init__(self, records: list[Record]) -> None:
        self._states = [State(r["_id"], _version(r), r) for r in records]
        self.version = max([s.version for s in self._states], default=DAY)
        self._lock = threading.Lock()

    def as_of(self, version: int | None = None) -> list[State]:
        """What a search with that version sees; without one, the present."""
        latest: dict[str, State] = {}
        for state in list(self._states):
            if version is None or state.version <= version:
                latest[state.id] = state
        return [state for state in latest.values() if state.data]

    def versions(self) -> list[int]:
        return sorted({state.version for state in self._states})

    def change(self, record_id: str, fields: Record) -> None:
        """Sets fields; None takes one away."""
        old = next(state.data for state in self.as_of() if state.id == record_id)
        data = {k: v for k, v in {**old, **fields}.items() if v is not None}
        if "associatedMedia" in fields:
            data["associatedMediaCount"] = len(fields["associatedMedia"] or [])
        self.put(record_id, data)

    def put(self, record_id: str, data: Record) -> None:
        with self._lock:
            version = self.version + DAY
            if data:
                when = datetime.fromtimestamp(version / 1000, UTC)
                data = {**data, "modified": when.isoformat()}
            self._states.append(State(record_id, version, data))
            self.version = version


def _version(record: Record) -> int:
    """1.5 [S]: an import runs at about ten in the morning; here on the day after the change."""
    changed = datetime.fromisoformat(record.get("modified", "2025-01-01T00:00:00+00:00"))
    return int(changed.timestamp() * 1000) // DAY * DAY + DAY + 36_000_000
