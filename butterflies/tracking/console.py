"""What a job tells its user: sentences on standard output, progress bars on standard error."""

import re
import sys
from collections.abc import Iterable
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")


def say(sentence: str) -> None:
    """Prints a sentence, above a progress bar where one is shown."""
    tqdm.write(printable(sentence), file=sys.stdout)
    sys.stdout.flush()


def printable(text: str) -> str:
    r"""A text without what a terminal would take for a command.

    >>> printable("a\x1b[2Jb")
    'a?[2Jb'
    """
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "?", text)


def progress(things: Iterable[T], label: str, total: int | None = None) -> Iterable[T]:
    """`things` behind a progress bar, shown on a terminal only."""
    bar: Iterable[T] = tqdm(things, desc=label, total=total, disable=None, leave=False)
    return bar
