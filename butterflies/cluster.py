"""Work on a Dask cluster: the only module that imports distributed."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from butterflies.errors import UserError

T = TypeVar("T")
R = TypeVar("R")

PATIENCE_S = 20
"""So long a scheduler may take to answer."""

MISSING = "compute=dask needs the package distributed: pip install 'butterflies[dask]'."


def mapped(address: str, function: Callable[[T], R], tasks: Sequence[T]) -> Iterator[R]:
    """`function` of every task in the tasks' order, done by the workers of a cluster.

    What a worker that dies was doing is done by another one.

    Args:
        address: of the scheduler.
        function: a function of this package, which the workers have, too.
        tasks: what to do it to.

    Raises:
        UserError: no scheduler answers, or a task has killed several workers.
    """
    try:
        from distributed import Client, KilledWorker
    except ImportError:
        raise UserError(MISSING) from None
    try:
        client = Client(address, timeout=PATIENCE_S, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise UserError(
            f"No Dask scheduler answers at {address} ({error}): start one with `dask scheduler`, "
            "or give its address as compute.address=tcp://HOST:PORT."
        ) from None
    with client, client.get_executor(pure=False) as pool:
        try:
            yield from pool.map(function, tasks)
        except KilledWorker:
            raise UserError(
                f"The workers of the Dask cluster at {address} were killed again and again, "
                "perhaps for want of memory: the same command goes on from here."
            ) from None
