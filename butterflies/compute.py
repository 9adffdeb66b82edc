"""Where work that can be split is done: processes of this machine."""

import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

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

    One worker, or one task, works in this process. `function` and tasks must pickle.

    Args:
        function: what to do.
        tasks: what to do it to.
        label: of the progress bar.
        workers: processes; 0 = one a core.
        chunk: tasks handed to a process at once.

    Raises:
        UserError: a process was killed, as the system does when memory is short.
    """
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
