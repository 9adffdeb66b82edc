"""Whether values from the command line are what a constructor says it takes."""

from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

NAMES = {
    int: "a whole number",
    float: "a number",
    str: "a text",
    bool: "true or false",
    NoneType: "null",
}


def complaint(constructor: type, values: Mapping[str, Any]) -> tuple[str, str] | None:
    """The first value that is not of its argument's type.

    Only numbers, texts, truth values and choices between them are looked at.

    Returns:
        The argument's name, and what it takes; None when all is well.
    """
    hints = get_type_hints(constructor.__init__)  # type: ignore[misc]
    for name, value in values.items():
        if name in hints and not _fits(value, hints[name]):
            return name, " or ".join(_told(hints[name]))
    return None


def _fits(value: Any, hint: Any) -> bool:
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if get_origin(hint) in (Union, UnionType):
        return any(_fits(value, part) for part in get_args(hint))
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return hint not in NAMES or isinstance(value, hint)


def _told(hint: Any) -> list[str]:
    if get_origin(hint) is Literal:
        return [str(choice) for choice in get_args(hint)]
    if get_origin(hint) in (Union, UnionType):
        return [text for part in get_args(hint) for text in _told(part)]
    return [NAMES.get(hint, str(hint))]
