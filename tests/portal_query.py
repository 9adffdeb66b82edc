"""The query schema of `vds_multi_query` (portal 1.4) and the filters of `vds_basic_query` (1.3)."""

from collections.abc import Callable
from typing import Any

from tests.portal_collection import State, words_of
from tests.portal_http import Record

Test = Callable[[State], bool]


class Refused(Exception):
    """An error of the API: an HTTP status and what the envelope says, or a bare string."""

    def __init__(self, status: int, error: dict[str, Any] | str) -> None:
        super().__init__(status, error)
        self.status, self.error = status, error


def invalid(message: str, name: str = "message") -> Refused:
    """1.6 [S]: validation is a 409."""
    detail = message if name == "message" else [message]
    return Refused(409, {"__type": "Validation Error", name: detail})


def not_imitated(what: str) -> Refused:
    return Refused(501, f"The portal knows {what}, this test server does not")


def values(record: Record, path: str) -> list[Any]:
    """What a field holds; dots lead into nested ones."""
    found: list[Any] = [record]
    for part in path.split("."):
        inner = [item[part] for item in found if isinstance(item, dict) and part in item]
        found = [v for value in inner for v in (value if isinstance(value, list) else [value])]
    return found


def equals(path: str, value: object) -> Test:
    """1.3, 1.4 [S]: exact but for case."""
    wanted = str(value).lower()
    return lambda state: any(str(v).lower() == wanted for v in values(state.data, path))


def has(path: str) -> Test:
    return lambda state: bool(values(state.data, path))


def contains(path: str, text: str) -> Test:
    """1.3, 1.4 [S]: whole words, all of them; path "" is every field."""
    wanted = set(words_of(text))
    if not path:
        return lambda state: wanted <= state.words
    return lambda state: wanted <= {w for v in values(state.data, path) for w in words_of(v)}


def has_point(state: State) -> bool:
    return all(values(state.data, f"decimal{axis}") for axis in ("Latitude", "Longitude"))


def all_of(tests: list[Test]) -> Test:
    return lambda state: all(test(state) for test in tests)


def any_of(tests: list[Test]) -> Test:
    return lambda state: any(test(state) for test in tests)


def none_of(tests: list[Test]) -> Test:
    return lambda state: not any(test(state) for test in tests)


def parse_query(query: object) -> Test:
    """A `query` as a test of records; `Refused` 409 if the schema forbids it."""
    content = _only(query, {"search", "filters"})
    tests: list[Test] = []
    if "search" in content:
        tests.append(contains("", _text(content["search"])))
    if "filters" in content and (parsed := _parse(content["filters"])):
        tests.append(parsed)
    return all_of(tests)


GROUPS = {"and": all_of, "or": any_of, "not": none_of}
OTHERS = {"number_equals", "number_range", "geo_point", "geo_named_area", "geo_custom_area"}


def _parse(node: object) -> Test | None:
    # 1.4 [S]: exactly one group or term to an object
    if not isinstance(node, dict) or len(node) != 1:
        raise invalid(f"{node!r} is not one group or term")
    [(name, content)] = node.items()
    if name in OTHERS:
        raise not_imitated(name)
    if name in TERMS:
        return TERMS[name](content)
    if name not in GROUPS:
        raise invalid(f"Additional properties are not allowed ({name!r} was unexpected)")
    if not isinstance(content, list):
        raise invalid(f"{content!r} is not of type 'array'")
    children = [test for child in content if (test := _parse(child))]
    # 1.4 [S]: empty groups are removed
    return GROUPS[name](children) if children else None


def _string_equals(content: object) -> Test:
    term = _only(content, {"fields", "value"})
    return any_of([equals(name, _text(term.get("value"))) for name in _fields(term)])


def _string_contains(content: object) -> Test:
    term = _only(content, {"fields", "value"})
    return any_of([contains(name, _text(term.get("value"))) for name in _fields(term)])


def _exists(content: object) -> Test:
    if content == {"geo_field": True}:
        return has_point
    return any_of([has(name) for name in _fields(_only(content, {"fields"}))])


TERMS: dict[str, Callable[[object], Test]] = {
    "string_equals": _string_equals,
    "string_contains": _string_contains,
    "exists": _exists,
}


def _only(content: object, keys: set[str]) -> dict[str, Any]:
    """1.4 [S]: `additionalProperties: false`."""
    if not isinstance(content, dict):
        raise invalid(f"{content!r} is not of type 'object'")
    for name in content:
        if name not in keys:
            raise invalid(f"Additional properties are not allowed ({name!r} was unexpected)")
    return content


def _fields(term: dict[str, Any]) -> list[str]:
    fields = term.get("fields")
    if not isinstance(fields, list) or not fields:
        raise invalid(f"{fields!r} is no list of fields")
    return [_text(name) for name in fields]


def _text(value: object) -> str:
    if not isinstance(value, str):  # 1.4 [S]: value must be a string
        raise invalid(f"{value!r} is not of type 'string'")
    return value


# 1.3 [S]: these keys of the specimens resource count by being there, whatever their value
PRESENCE: dict[str, Test] = {
    "_has_image": has("associatedMedia"),
    "_has_lat_long": has_point,
    "_exclude_mineralogy": none_of([equals("collectionCode", "MIN")]),
}


def parse_filters(filters: dict[str, Any]) -> Test:
    """1.3 [S]: every field must match, and for a list of values every one of them."""
    tests = [PRESENCE[name] for name in filters if name in PRESENCE]
    if "__geo__" in filters:
        raise not_imitated("__geo__")
    for name, wanted in filters.items():
        if name not in PRESENCE and name != "__version__":
            each = wanted if isinstance(wanted, list) else [wanted]
            tests += [equals(name, value) for value in each]
    return all_of(tests)


def parse_words(q: object) -> Test:
    """1.3 [S]: a string is sought in all fields, a dict field by field."""
    if isinstance(q, dict):
        return all_of([contains(str(name), str(words)) for name, words in q.items()])
    return contains("", str(q or ""))
