"""Discs that overlap push each other apart, and points that crossed each other's way swap places.

One pair after the other, each by its own overlap (Gauss and Seidel's way): a tenth of the time of
pushing all pairs at once.
"""

import math

import numpy as np
import numpy.typing as npt

from butterflies.mapping.compiled import compiled
from butterflies.mapping.crowds import relieved

Floats = npt.NDArray[np.float64]
Pairs = npt.NDArray[np.int32]
Frames = list[npt.NDArray[np.float32]]

SLACK = 0.15
"""Pairs are looked up whose discs lie no farther apart than this, in mean diameters ..."""

LOOK_UP = 16
"""... before every so many sweeps."""

ALIKE = 0.1
"""Points swap places whose diameters differ by no more than this part."""

GENTLE = 0.5
"""Part of an overlap that a push undoes while the points are held by their homes."""

HOLD = (0.1, 0.01)
"""Part of the way home that points go before each sweep, at first and at last."""

HELD_STEPS = 192
"""Sweeps during which points are held."""

FREE_STEPS = 640
"""Most sweeps after that."""

RELIEF = 48
"""Sweeps after which the crowd as a whole is relieved, again and again ..."""

RELIEF_PART = (0.2, 0.12)
"""... by this part of what its discs lack, at first, and more each time."""

CONTACTS = 5
"""Discs that touch one disc of a crowd."""

SWOLLEN = 1.1
"""How much larger the discs are at first while they are held, which sets them in order."""

FRAME = 25
"""Sweeps from one frame to the next."""

DEEP = 0.995
"""Discs overlap in earnest that are nearer than this part of the distance wanted."""

LEFT = 0.0005
"""Pairs that may overlap so in the end, over the points: they are given free places."""


def pushed(
    points: Floats, homes: Floats, diameters: Floats, low: float, high: float, frames: Frames
) -> Floats:
    """Pushes points until hardly any discs overlap.

    Args:
        points: (n, 2).
        homes: (n, 2), which they should not be moved far from.
        diameters: (n,) of the discs.
        low: least x and y.
        high: largest.
        frames: gets some of the steps.
    """
    order = _in_rows(points, float(diameters.max()))
    crowd = Crowd(points[order], homes[order], diameters[order], low, high)
    back = np.argsort(order)
    for step in range(HELD_STEPS + FREE_STEPS):
        left = crowd.step(step)
        if step % FRAME == 0:
            frames.append(crowd.points[back].astype(np.float32))
        if step >= HELD_STEPS and left <= LEFT * len(points):
            break
    return crowd.points[back]


class Crowd:
    """Points that are being pushed.

    Attributes:
        points: (n, 2) as they lie now.
    """

    def __init__(
        self, points: Floats, homes: Floats, diameters: Floats, low: float, high: float
    ) -> None:
        self.points = points
        self._homes, self._diameters, self._box = homes, diameters, (low, high)
        self._held = points.copy()
        self._slack = SLACK * float(diameters.mean())
        self._pairs = np.zeros((0, 2), np.int32)

    def step(self, number: int) -> int:
        """One sweep; how many pairs overlapped in earnest."""
        if number % LOOK_UP == 0:
            self._pairs = near_pairs(self.points, self._diameters, self._slack)
            _swap_crossed(self.points, self._held, self._homes, self._diameters, self._pairs)
        free = number - HELD_STEPS
        if free >= 0 and free % RELIEF == 0:
            self._relieve(RELIEF_PART[0] + RELIEF_PART[1] * free / RELIEF)
        swollen, part = 1.0, 1.0
        if free < 0:
            done = number / HELD_STEPS
            hold = HOLD[0] * (HOLD[1] / HOLD[0]) ** done
            self.points += hold * (self._held - self.points)
            swollen, part = SWOLLEN + (1 - SWOLLEN) * done, GENTLE
        left = _sweep(self.points, swollen * self._diameters, self._pairs, part, number % 2 == 1)
        np.clip(self.points, *self._box, out=self.points)
        return left

    def _relieve(self, part: float) -> None:
        """Gives the crowd as a whole the area that its discs lack: pushing alone is slow."""
        lack = part * _lack(self.points, self._diameters, self._pairs)
        half = float(self._diameters.mean()) / 2
        low, high = self._box
        self.points = relieved(self.points, self._diameters, lack, low - half, high + half)
        np.clip(self.points, *self._box, out=self.points)


def near_pairs(points: Floats, diameters: Floats, slack: float) -> Pairs:
    """The pairs (m, 2) of points whose discs lie closer than `slack`."""
    cell = max(1.0, float(diameters.max()) + slack)
    cells = np.floor((points - points.min(axis=0)) / cell).astype(np.int64)
    columns, rows = (cells.max(axis=0) + 1).tolist()
    number = cells[:, 1] * columns + cells[:, 0]
    order = np.argsort(number, kind="stable")
    start = np.searchsorted(number[order], np.arange(rows * columns + 1))
    return _pairs_of(points, diameters, slack, number, order, start, columns)


def _in_rows(points: Floats, width: float) -> npt.NDArray[np.intp]:
    """An order in which points near each other mostly follow each other: strip by strip."""
    return np.lexsort((points[:, 0], np.floor(points[:, 1] / (4 * width))))


@compiled
def _pairs_of(
    points: Floats,
    diameters: Floats,
    slack: float,
    number: npt.NDArray[np.int64],
    order: npt.NDArray[np.intp],
    start: npt.NDArray[np.intp],
    columns: int,
) -> Pairs:
    rows = (len(start) - 1) // columns
    pairs, count = np.empty((8 * len(points), 2), np.int32), 0
    for i in range(len(points)):
        row, column = number[i] // columns, number[i] % columns
        first, last = max(column - 1, 0), min(column + 1, columns - 1)
        for y in range(max(row - 1, 0), min(row + 2, rows)):
            for at in range(start[y * columns + first], start[y * columns + last + 1]):
                j = order[at]
                reach = (diameters[i] + diameters[j]) / 2 + slack
                if j > i and _squared(points, i, j) < reach**2:
                    if count == len(pairs):
                        pairs = np.concatenate((pairs, np.empty_like(pairs)))
                    pairs[count, 0], pairs[count, 1] = i, j
                    count += 1
    return pairs[:count]


@compiled
def _squared(points: Floats, i: int, j: int) -> float:
    across, down = points[i, 0] - points[j, 0], points[i, 1] - points[j, 1]
    return float(across * across + down * down)


@compiled
def _sweep(points: Floats, diameters: Floats, pairs: Pairs, part: float, back: bool) -> int:
    """Undoes `part` of every overlap, half of it on each side; how many there were in earnest."""
    count = 0
    for step in range(len(pairs)):
        which = len(pairs) - 1 - step if back else step
        i, j = pairs[which, 0], pairs[which, 1]
        across, down = points[i, 0] - points[j, 0], points[i, 1] - points[j, 1]
        far, apart = across * across + down * down, (diameters[i] + diameters[j]) / 2
        if far < apart * apart:
            far = math.sqrt(far) + 1e-9
            count += far < DEEP * apart
            push = 0.5 * part * (apart - far) / far
            points[i, 0] += push * across
            points[i, 1] += push * down
            points[j, 0] -= push * across
            points[j, 1] -= push * down
    return count


@compiled
def _lack(points: Floats, diameters: Floats, pairs: Pairs) -> Floats:
    """The part of its area that each disc (n,) shares with others: twice that of its width."""
    lack, contacts = np.zeros(len(points)), np.zeros(len(points))
    for step in range(len(pairs)):
        i, j = pairs[step, 0], pairs[step, 1]
        apart = (diameters[i] + diameters[j]) / 2
        depth = 1 - math.sqrt(_squared(points, i, j)) / apart
        if depth > 0:
            for k in (i, j):
                lack[k] += 2 * depth
                contacts[k] += 1
    return lack / np.maximum(contacts, CONTACTS)


@compiled
def _swap_crossed(
    points: Floats, held: Floats, homes: Floats, diameters: Floats, pairs: Pairs
) -> None:
    """Swaps pairs of about the same size that lie nearer to each other's homes."""
    for step in range(len(pairs)):
        i, j = pairs[step, 0], pairs[step, 1]
        alike = abs(diameters[i] - diameters[j]) <= ALIKE * diameters[i]
        if alike and crossed(points, i, j, homes, i, j):
            for axis in range(2):
                points[i, axis], points[j, axis] = points[j, axis], points[i, axis]
                held[i, axis], held[j, axis] = held[j, axis], held[i, axis]


@compiled
def crossed(points: Floats, i: int, j: int, homes: Floats, k: int, m: int) -> bool:
    """Whether swapping places i and j shortens the squared ways from homes k and m."""
    across = (points[i, 0] - points[j, 0]) * (homes[k, 0] - homes[m, 0])
    down = (points[i, 1] - points[j, 1]) * (homes[k, 1] - homes[m, 1])
    return bool(across + down < 0)
