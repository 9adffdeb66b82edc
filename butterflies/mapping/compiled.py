"""Loops over points, compiled to machine code by numba."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """`function`, compiled when it is first called and kept on the disk for the next process."""
    try:
        return cast(F, numba.njit(cache=True)(function))
    except RuntimeError:  # no folder for the cache can be written
        return cast(F, numba.njit(function))
