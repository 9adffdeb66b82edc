"""Orders and cursors of the test portal's answers (portal 1.3 to 1.5)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from tests.portal_collection import State
from tests.portal_http import Asked
from tests.portal_query import Refused, values


@dataclass(frozen=True)
class Key:
    """One part of an order: what a record is sorted by, and which way."""

    of: Callable[[State], Any]
    down: bool


VERSION = Key(lambda state: state.version, down=True)
ID_DOWN = Key(lambda state: state.id.lower(), down=True)


def parse_sort(sort: list[str]) -> list[Key]:
    # 1.3 [S]: the museum's default is `modified` descending
    return [_key(*text.split()) for text in sort or ["modified desc"]]


def _key(name: str, way: str = "asc") -> Key:
    def of(state: State) -> str | None:
        found = values(state.data, name)
        return str(found[0]).lower() if found else None  # 1.3 [S]: keyword order

    return Key(of, way == "desc")


def _ordered(states: list[State], order: list[Key]) -> list[State]:
    for key in reversed(order):
        present = [state for state in states if key.of(state) is not None]
        missing = [state for state in states if key.of(state) is None]
        present.sort(key=key.of, reverse=key.down)
        states = present + missing  # 1.3 [S]: missing last
    return states


def _beyond(state: State, order: list[Key], cursor: list[Any]) -> bool:
    for key, limit in zip(order, cursor, strict=True):
        value = key.of(state)
        if value == limit:
            continue
        if value is None or limit is None:
            return value is None
        return bool(value < limit) if key.down else bool(value > limit)
    return False


def page_of(
    asked: Asked, states: list[State], order: list[Key], start: object, size: int, index: str
) -> tuple[list[State], list[Any] | None]:
    """The states after a cursor, or from an offset, and the cursor after them."""
    states = _ordered(states, order)
    if isinstance(start, int):
        states = states[start:]
    elif start is not None:
        try:
            *cursor, _ = cast(list[Any], start)
            if len(cursor) != len(order):
                raise ValueError
            states = [state for state in states if _beyond(state, order, cursor)]
        except (TypeError, ValueError):  # 1.6 [S]: malformed `after` is a 500
            error = {"__type": "Internal Server Error", "message": "search_phase_execution"}
            raise Refused(500, error) from None
    page, more = states[:size], len(states) > size
    if not page or not (more or asked.after_always):  # 1.5 [S]: only if a further hit exists
        return page, None
    last = page[-2] if asked.overlap and more and len(page) > 1 else page[-1]
    return page, [*(key.of(last) for key in order), index]
