"""A training's batches: in an order of each epoch's own, shared out among processes, resumable.

What a process sees, and when, follows from seed, epoch and the number of processes alone.
"""

import math
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytorch_lightning as pl
from torch.utils.data import DataLoader, Dataset, Sampler

from butterflies.errors import UserError

Numbers = npt.NDArray[np.int64]


class Share(NamedTuple):
    """A process's part of the work: `rank` is its number among `processes`."""

    rank: int = 0
    processes: int = 1


ALONE = Share()


def share_of(data: pl.LightningDataModule) -> Share:
    """The share of this process in the training that `data` is for."""
    return Share(data.trainer.global_rank, data.trainer.world_size) if data.trainer else ALONE


def check_shares(data: pl.LightningDataModule, counts: dict[str, int]) -> None:
    """Refuses more processes than there is something to see for.

    Args:
        data: what is trained on.
        counts: how much of it there is for each part; a part may be empty.

    Raises:
        UserError: a process would go without in some part.
    """
    processes = share_of(data).processes
    for part, count in counts.items():
        if 0 < count < processes:
            raise UserError(
                f"There are {count} pictures for {part}, fewer than the {processes} processes: "
                "give fewer trainer.devices."
            )


def counted(pictures: int) -> Any:
    """A number of pictures as `self.log(batch_size=...)` needs it for means over processes.

    Lightning 2.6 takes the mean of the processes' numbers and cuts it off when it is an integer.
    """
    return float(pictures)


class Order(Sampler[Any]):
    """Batches of numbers: shuffled in an order of the epoch's own, or as they are without a seed.

    Processes get as many batches each, and see each number once an epoch among them. A shuffled
    epoch leaves out the numbers that fill no whole batch everywhere, others each time. Lightning
    calls `set_epoch`.

    Args:
        numbers: what to see.
        size: numbers in a batch.
        seed: of the order.
        share: this process.
        repeats: how often an epoch shows each number, once each in turn.
    """

    def __init__(
        self,
        numbers: Numbers,
        size: int,
        seed: int | None = None,
        share: Share = ALONE,
        repeats: int = 1,
    ) -> None:
        self.numbers, self.seed, self.share, self.repeats = numbers, seed, share, repeats
        self.size = size
        if seed is not None:
            self.size = min(size, max(1, len(numbers) * repeats // share.processes))
        self.epoch = self.start = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        if self.seed is None:
            fewest = len(self.numbers) // self.share.processes
            most = math.ceil(len(self.numbers) / self.share.processes)
            return min(math.ceil(most / self.size), max(1, fewest)) if most else 0
        return len(self.numbers) * self.repeats // (self.size * self.share.processes)

    def __iter__(self) -> Iterator[Any]:
        """The batches from number `start` on."""
        batches = self._in_turn() if self.seed is None else self._shuffled(self.seed)
        yield from islice(batches, self.start, None)

    def shuffled(self, random: np.random.Generator) -> Any:
        """All that an epoch shows, in the order that `random` gives it."""
        return np.concatenate([random.permutation(self.numbers) for _ in range(self.repeats)])

    def _shuffled(self, seed: int) -> Iterator[Any]:
        order = self.shuffled(np.random.default_rng([seed, self.epoch]))
        rank, processes = self.share
        for batch in range(len(self)):
            start = (batch * processes + rank) * self.size
            yield order[start : start + self.size]

    def _in_turn(self) -> Iterator[Any]:
        mine = self.numbers[self.share.rank :: self.share.processes]
        yield from np.array_split(mine, len(self)) if len(self) else []


class Loader(DataLoader[Any]):
    """Whole batches of a dataset, from the first that a stopped training has not seen.

    Lightning keeps `state_dict()` in every checkpoint.

    Args:
        dataset: an item of it is a whole batch, asked for by what `order` gives.
        order: of the batches.
        workers: processes that prepare batches; 0 prepares them in this one.
        pinned: batches are copied where a GPU reads them fastest.
    """

    def __init__(
        self, dataset: Dataset[Any], order: Order, workers: int = 0, pinned: bool = False
    ) -> None:
        super().__init__(
            dataset,
            batch_size=None,
            sampler=order,
            num_workers=workers,
            persistent_workers=workers > 0,
            pin_memory=pinned,
        )
        self.order = order
        self.start = self.seen = 0

    def __iter__(self) -> Any:
        """A generator: it begins at the first batch, when Lightning has told order the epoch."""
        self.order.start = self.seen = self.start
        self.start = 0
        for batch in super().__iter__():
            self.seen += 1
            yield batch

    def state_dict(self) -> dict[str, int]:
        return {"seen": self.seen}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.start = state["seen"] % max(1, len(self))
