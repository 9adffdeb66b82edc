"""Discs that overlap push each other apart, and points that crossed each other's way swap places.

One pair after the other, each by its own overlap (Gauss and Seidel's way): a tenth of the time of
pushing all pairs at once.
"""

import math

import numba
import numpy as np
import numpy.typing as npt

from butterflies.mapping.compiled import compiled, threaded
from butterflies.mapping.crowds import relieved
from butterflies.mapping.pairs import Pairs, near_pairs, squared

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int32]
Frames = list[npt.NDArray[np.float32]]

SLACK = 0.15
"""Pairs are looked up whose discs lie no farther apart than this, in mean diameters ..."""

LOOK_UP = 16
"""... before every so many sweeps."""

MANY = 5_000
"""So many points are pushed on all cores; with fewer these would wait for one another."""

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
        self._pairs = Pairs(np.zeros((0, 2), np.int32), np.zeros(1, np.int64))

    def step(self, number: int) -> int:
        """One sweep; how many pairs overlapped in earnest."""
        if number % LOOK_UP == 0:
            self._pairs = near_pairs(self.points, self._diameters, self._slack)
            pairs = self._pairs.numbers
            _swap_crossed(self.points, self._held, self._homes, self._diameters, pairs)
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
        lack = part * _lack(self.points, self._diameters, self._pairs.numbers)
        half = float(self._diameters.mean()) / 2
        low, high = self._box
        self.points = relieved(self.points, self._diameters, lack, low - half, high + half)
        np.clip(self.points, *self._box, out=self.points)


def _in_rows(points: Floats, width: float) -> npt.NDArray[np.intp]:
    """An order in which points near each other mostly follow each other: strip by strip."""
    return np.lexsort((points[:, 0], np.floor(points[:, 1] / (4 * width))))


def _sweep(points: Floats, diameters: Floats, pairs: Pairs, part: float, back: bool) -> int:
    """Undoes `part` of every overlap, half of it on each side; how many there were in earnest."""
    if len(points) < MANY:
        return _push(points, diameters, pairs.numbers, part, back)
    return _push_strips(points, diameters, pairs.numbers, pairs.strips, part, back)


@threaded
def _push_strips(
    points: Floats,
    diameters: Floats,
    pairs: Numbers,
    strips: npt.NDArray[np.int64],
    part: float,
    back: bool,
) -> int:
    """Every second strip at a time: those share no point, so their order does not matter."""
    left = np.zeros(len(strips) - 1, np.int64)
    for turn in range(2):
        first = 1 - turn if back else turn
        for half in numba.prange((len(left) - first + 1) // 2):
            strip = 2 * half + first
            own = pairs[strips[strip] : strips[strip + 1]]
            left[strip] = _push(points, diameters, own, part, back)
    return int(left.sum())


@compiled
def _push(points: Floats, diameters: Floats, pairs: Numbers, part: float, back: bool) -> int:
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
def _lack(points: Floats, diameters: Floats, pairs: Numbers) -> Floats:
    """The part of its area that each disc (n,) shares with others: twice that of its width."""
    lack, contacts = np.zeros(len(points)), np.zeros(len(points))
    for step in range(len(pairs)):
        i, j = pairs[step, 0], pairs[step, 1]
        apart = (diameters[i] + diameters[j]) / 2
        depth = 1 - math.sqrt(squared(points, i, j)) / apart
        if depth > 0:
            for k in (i, j):
                lack[k] += 2 * depth
                contacts[k] += 1
    return lack / np.maximum(contacts, CONTACTS)


@compiled
def _swap_crossed(
    points: Floats, held: Floats, homes: Floats, diameters: Floats, pairs: Numbers
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
