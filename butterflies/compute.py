"""Where work that can be split is done: processes of this machine, or a Dask cluster."""

import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

from butterflies.errors import UserError
from butterflies.tracking.console import progress

T = TypeVar("T")
R = TypeVar("R")


def cores(workers: int = 0) -> int:
    """`workers`, or as many as this process may use when 0."""
    return workers or len(os.sched_getaffinity(0))


def fastest_device() -> str:
    """`cuda` where there is a GPU, else `cpu`."""
    import torch  # takes seconds, and most of what runs in processes does without

    return "cuda" if torch.cuda.is_available() else "cpu"


def bf16_is_fast(device: str) -> bool:
    """Whether `cuda` or this `cpu` multiplies bfloat16 faster than float32."""
    import torch

    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def compile_on_gpu(module: Any) -> None:
    """Compiles a module that lies on a GPU, by `torch.compile`, where there is a C compiler."""
    on_gpu = next(module.parameters()).device.type == "cuda"
    if on_gpu and any(map(shutil.which, ("cc", "gcc", "clang"))):
        module.compile()


@cache
def start_numba() -> None:
    """Starts numba's threads, whose start would also change how many threads torch uses."""
    import numba  # takes half a second, and most of what runs in processes does without

    with threadpool_limits():
        numba.get_num_threads()


@dataclass
class ComputeSettings:
    """Where work that can be split is done.

    Attributes:
        kind: `local` (processes of this machine) or `dask`.
        address: of a Dask cluster's scheduler, such as tcp://10.0.0.1:8786. Its workers need this
            program and the same folders under the same paths.
    """

    kind: str = "local"
    address: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in ("local", "dask"):
            raise UserError(f"compute.kind={self.kind} is none of local, dask.")
        if self.kind == "dask" and not self.address:
            raise UserError("compute=dask needs compute.address=tcp://HOST:PORT of a scheduler.")


_CHOSEN: ContextVar[ComputeSettings | None] = ContextVar("compute", default=None)


@contextmanager
def computing(settings: ComputeSettings) -> Iterator[None]:
    """Within it, `stream` and `each` work where the settings say."""
    token = _CHOSEN.set(settings)
    try:
        yield
    finally:
        _CHOSEN.reset(token)


def on_cluster() -> bool:
    """Whether work goes to other machines, so that it is worth while to send it in pieces."""
    return _address() is not None


def _address() -> str | None:
    """Of the cluster's scheduler, None where work stays here."""
    chosen = _CHOSEN.get()
    return chosen.address if chosen and chosen.kind == "dask" else None


@contextmanager
def executor(workers: int = 0) -> Iterator[Executor]:
    """Processes started afresh, so that no thread or lock of this one is copied into them."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(cores(workers), mp_context=context) as pool:
        yield pool


def stream(
    function: Callable[[T], R], tasks: Sequence[T], label: str, workers: int = 0, chunk: int = 1
) -> Iterator[R]:
    """`function` of every task as it comes, in the tasks' order, behind a progress bar.

    One worker, or one task, works in this process. `function` and tasks must pickle; paths in them
    must be absolute, since a cluster's workers run elsewhere.

    Args:
        function: what to do.
        tasks: what to do it to.
        label: of the progress bar.
        workers: processes; 0 = one a core.
        chunk: tasks handed to a process at once.

    Raises:
        UserError: a process was killed, as the system does when memory is short; or there is no
            such cluster.
    """
    if address := _address():
        from butterflies import cluster  # distributed takes a second

        yield from progress(cluster.mapped(address, function, tasks), label, total=len(tasks))
        return
    if cores(workers) == 1 or len(tasks) <= 1:
        yield from progress(map(function, tasks), label, total=len(tasks))
        return
    with executor(workers) as pool:
        try:
            results = pool.map(function, tasks, chunksize=chunk)
            yield from progress(results, label, total=len(tasks))
        except BrokenProcessPool:
            raise UserError(
                f"A process was killed while {label}, perhaps for want of memory: "
                "the same command goes on from here, with fewer workers= if need be."
            ) from None


def each(
    function: Callable[[T], R], tasks: Sequence[T], label: str, workers: int = 0, chunk: int = 1
) -> list[R]:
    """All of `stream`."""
    return list(stream(function, tasks, label, workers, chunk))
