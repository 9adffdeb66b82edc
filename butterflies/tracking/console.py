"""What a job tells its user: sentences on standard output, progress bars on standard error."""

import os
import re
import sys
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")


PATIENCE_S = 10.0
"""So long a process that is not the first keeps its complaint to itself."""


def is_first() -> bool:
    """Whether this process may write and speak: of those that train together, one does."""
    names = ["RANK", "NODE_RANK", "GROUP_RANK", "LOCAL_RANK"]
    if int(os.environ.get("SLURM_NTASKS", 1)) > 1:
        names.append("SLURM_PROCID")
    return all(os.environ.get(name, "0") == "0" for name in names)


def say(sentence: str) -> None:
    """Prints a sentence, above a progress bar where one is shown."""
    if not is_first():
        return
    tqdm.write(printable(sentence), file=sys.stdout)
    sys.stdout.flush()


def complain(sentence: str) -> None:
    """Prints what went wrong to standard error.

    Processes that train together fail together: the first one says it and ends the others.
    """
    if not is_first():
        time.sleep(PATIENCE_S)
    print(f"butterflies: {printable(sentence)}", file=sys.stderr)


def printable(text: str) -> str:
    r"""A text without what a terminal would take for a command.

    >>> printable("a\x1b[2Jb")
    'a?[2Jb'
    """
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "?", text)


def progress(things: Iterable[T], label: str, total: int | None = None) -> Iterable[T]:
    """`things` behind a progress bar, shown on a terminal only."""
    bar: Iterable[T] = tqdm(
        things, desc=label, total=total, disable=not is_first() or None, leave=False
    )
    return bar


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps the warnings of libraries, which tell programmers, from who waits for a map."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
