"""Loops over points, compiled to machine code by numba."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import numba

from butterflies.compute import start_numba

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """`function`, compiled when it is first called and kept on the disk for the next process."""
    return _compiled(function, parallel=False)


def threaded(function: F) -> F:
    """The same, where its loops over `numba.prange` run on all cores; called by Python only."""
    parallel = _compiled(function, parallel=True)

    @wraps(function)
    def called(*given: Any) -> Any:
        start_numba()
        return parallel(*given)

    return cast(F, called)


def _compiled(function: F, parallel: bool) -> F:
    try:
        return cast(F, numba.njit(cache=True, parallel=parallel)(function))
    except RuntimeError:  # no folder for the cache can be written
        return cast(F, numba.njit(parallel=parallel)(function))
