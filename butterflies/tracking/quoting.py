"""Words of a command line whose value is a path or a text, made safe for Hydra's grammar."""

import re
from collections.abc import Sequence
from pathlib import Path

from butterflies.tracking.provenance import PATH_KEYS

QUOTED_KEYS = (
    *PATH_KEYS,
    "ckpt_path",
    "folder",
    "query.text",
    "site",
    "site.title",
    "who",
    "background",
)
"""Keys whose value is a path or a text: taken literally, whatever Hydra's grammar says of it."""


def quoted(arguments: Sequence[str]) -> list[str]:
    """Quotes path- and text-valued words for Hydra's parser and expands `~`; not under `-m`.

    >>> quoted(["collection=a,b (c)", "seed=1"])
    ["collection='a,b (c)'", 'seed=1']
    """
    if "-m" in arguments or "--multirun" in arguments:
        return list(arguments)
    return [_quoted(word) for word in arguments]


def _quoted(word: str) -> str:
    key, equals, value = word.partition("=")
    if not equals or key.lstrip("+") not in QUOTED_KEYS or value in ("", "null", "???"):
        return word
    if re.fullmatch(r"(['\"]).*\1", value, re.S):
        value = value[1:-1]
    path = str(Path(value).expanduser()) if value.startswith("~") else value
    literal = re.sub(r"(\\*)\$\{", lambda found: found[1] * 2 + "\\${", path)
    escaped = re.sub(r"(\\*)'", lambda found: found[1] * 2 + "\\'", literal)
    escaped = re.sub(r"(\\+)$", lambda found: found[1] * 2, escaped)
    return f"{key}='{escaped}'"
