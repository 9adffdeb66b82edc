"""How many millimetres a pixel of a photograph is, read from a ruler beside the specimen.

Ticks at equal distances are a line in the spectrum along the ruler (Bhalerao and Reynolds, "Ruler
Detection for Autoscaling Forensic Images", IJDCF 6, 2014; for butterflies: Wilson et al., "Applying
computer vision to digitised natural history collections for climate change research", Methods in
Ecology and Evolution 14, 2023). Text, bars and dashes can have such a line too, and a line does not
say whether it is millimetres. Here a ruler must also have the hierarchy of a metric one: every
tenth tick the longest, the fifth between them longer than the rest. What lacks it, among them
inches, half millimetres and chequered or solid bars, whose unit only their text tells, is refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

_SIDES_PX = (
    720,
    1600,
)  # tried in this order: most rulers survive the first, in a tenth of the time
_BANDS = 110  # into which the longer side is cut across the ruler
_TILTS = np.tan(np.deg2rad(np.linspace(-5, 5, 15)))
_SHORTEST_PX = 2.4  # ticks any closer are not resolved
_LEAST_TICKS = 24
_LINES = 7  # of the spectrum that are looked at more closely, in each direction
_LEAST_SHARE = 0.22  # of a band's variation that lies in one line and its overtones; text has less
_PLAIN_SHARE = 0.44
_LOUDER = 2  # an overtone of evenly spaced ticks is never much louder than they are
_CLEAR = 5.5  # standard errors by which fifth ticks exceed all others, or more
_LONGER = 2.5  # and tenths exceed these, where ticks may be every second of finer ones:
_ALIAS_PX = 3.2  # millimetres of 1.5 px look like 3 px once sampled
_CERTAIN = 0.5


@dataclass(frozen=True)
class Scale:
    """Millimetres a pixel of the photograph, and 0 to 1, how surely."""

    mm_per_px: float
    confidence: float


@dataclass(frozen=True)
class _Line:
    """A regular pattern: share of the variation, centre (px), slope, and cycles a pixel in x."""

    share: float
    row: float
    slope: float
    cycles: float


def find_scale(photo: Pixels, mask: Mask) -> Scale | None:
    """The scale from a millimetre ruler that lies upright or level, to within 5 degrees.

    Takes a photograph (height, width, 3) and the specimen's mask (height, width), which hides what
    lies under it or close to it. None where no ticks are certainly millimetres.
    """
    for side in _SIDES_PX:
        factor = min(1.0, side / max(mask.shape))
        grey, free = _reduced(photo, mask, factor)
        best = _best(grey, free)
        if best.confidence >= _CERTAIN:
            return Scale(best.mm_per_px * factor, best.confidence)
        if factor == 1:
            return None
    return None


def _reduced(photo: Pixels, mask: Mask, factor: float) -> tuple[Floats, Mask]:
    """Grey levels 0 to 255, and where no specimen is."""
    size = max(1, round(mask.shape[1] * factor)), max(1, round(mask.shape[0] * factor))
    picture = (
        Image.fromarray(photo).convert("L").resize(size, Image.Resampling.LANCZOS, reducing_gap=3)
    )
    small = Image.fromarray(mask).convert("L").resize(size)
    near = ndimage.maximum_filter(np.asarray(small), 1 + 2 * (max(size) // 160)) > 0
    return np.asarray(picture, np.float32), ~near


def _best(grey: Floats, free: Mask) -> Scale:
    """What the most ruler-like pattern would mean."""
    flats = [_flattened(grey, free), _flattened(grey.T, free.T)]
    lines = [(line, flat) for flat in flats for line in _lines(flat)]
    best = Scale(1.0, 0.0)
    for line, flat in sorted(lines, key=lambda one: -one[0].share):
        if best.confidence < 1:
            one = _refined(flat, line)
            scale = one.cycles * float(np.cos(np.arctan(line.slope)))
            best = max(best, Scale(scale, _hierarchy(flat, one)), key=lambda x: x.confidence)
    return best


def _flattened(grey: Floats, free: Mask) -> Floats:
    """Without shading; 0 under the specimen."""
    width = grey.shape[1] // 24 * 2 + 1
    weight = ndimage.uniform_filter1d(free.astype(np.float32), width, axis=1, mode="nearest")
    mean = ndimage.uniform_filter1d(np.where(free, grey, 0), width, axis=1, mode="nearest")
    flat = np.where(free, grey - mean / np.maximum(weight, 1e-3), 0)
    power = ndimage.uniform_filter1d(flat**2, width, axis=1, mode="nearest")
    strength = np.sqrt(np.maximum(power, 0))  # running sums stray below 0
    return np.asarray(flat / (strength + 2), np.float32)


def _sheared(flat: Floats, high: int) -> Iterator[tuple[float, Floats]]:
    """Means of bands of rows, which follow a slope."""
    rows, columns = flat.shape[0] // high, flat.shape[1]
    bands = flat[: rows * high].reshape(rows, high, columns).mean(axis=1)
    away = np.arange(columns) - columns / 2
    for slope in _TILTS:
        moved = np.arange(rows)[:, None] + np.rint(slope * away / high).astype(int)
        inside = (moved >= 0) & (moved < rows)
        yield slope, np.where(inside, bands[moved.clip(0, rows - 1), np.arange(columns)], 0)


def _lines(flat: Floats) -> list[_Line]:
    """The most regular patterns, best first."""
    columns = flat.shape[1]
    length, window = 2 * columns, np.hanning(columns).astype(np.float32)
    first, last = 2 * _LEAST_TICKS, int(length / _SHORTEST_PX)
    if first >= last:
        return []
    high = max(2, max(flat.shape) // _BANDS)
    found: list[_Line] = []
    for slope, bands in _sheared(flat, high):
        power = np.abs(np.fft.rfft(bands * window, length, axis=1)) ** 2
        share = _combs(power, first, last) / (power.sum(axis=1, keepdims=True) + 1e-3)
        best = share.argmax(axis=1)
        for row, k in enumerate(best):
            cycles = (first + int(k)) / length
            found.append(_Line(float(share[row, k]), (row + 0.5) * high, slope, cycles))
    found = sorted((one for one in found if one.share > _LEAST_SHARE), key=lambda one: -one.share)
    kept: list[_Line] = []
    for one in found:
        if not any(_alike(one, other, high) for other in kept):
            kept.append(one)
    return kept[:_LINES]


def _alike(one: _Line, other: _Line, high: int) -> bool:
    return abs(one.row - other.row) <= 2 * high and abs(one.cycles / other.cycles - 1) < 0.02


def _combs(power: Floats, first: int, last: int) -> Floats:
    """The power in each frequency and its first overtones; 0 where an overtone is the louder.

    Else every third tick would do: 30 mm are a tenth of those, and 15 mm a fifth.
    """
    wide = ndimage.uniform_filter1d(power, 5, axis=1, mode="constant") * 5
    k = np.arange(first, last)
    own = total = wide[:, k]
    for overtone in (2, 3):
        beyond = overtone * k >= power.shape[1]
        over = np.where(beyond, 0, wide[:, np.minimum(overtone * k, power.shape[1] - 1)])
        total = np.where(over > _LOUDER * own, 0, total + over)
    return np.asarray(total, np.float32)


def _profile(flat: Floats, line: _Line, x: Floats, down: Floats) -> Floats:
    """Levels (down, x) at a distance below the line, square to it."""
    rows = line.row + line.slope * (x - flat.shape[1] / 2)[None] + down[:, None]
    columns = x[None] - line.slope * down[:, None]
    return np.asarray(ndimage.map_coordinates(flat, (rows, columns), order=1, mode="constant"))


def _level(flat: Floats, line: _Line) -> tuple[Floats, Floats]:
    """Places along a line, and the level there."""
    x = np.arange(flat.shape[1], dtype=np.float32)
    return x, _profile(flat, line, x, np.arange(-2, 3, dtype=np.float32)).mean(axis=0)


def _refined(flat: Floats, line: _Line) -> _Line:
    """With cycles a pixel to a small part of a line's width, fitted over the whole length."""
    columns = flat.shape[1]
    x, level = _level(flat, line)
    nearby, turns = _nearby(columns)
    power = np.zeros(len(nearby))
    for k, turn in enumerate(turns, 1):
        if k * line.cycles < 0.5:
            power += np.abs(turn @ (level * np.exp(-2j * np.pi * k * line.cycles * x))) ** 2
    found = line.cycles + float(nearby[int(np.argmax(power))])
    return _Line(line.share, line.row, line.slope, found)


@lru_cache(maxsize=8)
def _nearby(columns: int) -> tuple[Floats, list[npt.NDArray[np.complex64]]]:
    """Small differences in cycles a pixel, and what they do to a wave and its overtones."""
    nearby = (np.linspace(-1, 1, 81) / columns).astype(np.float32)
    wave = np.exp(-2j * np.pi * nearby[:, None] * np.arange(columns)).astype(np.complex64)
    return nearby, [wave, wave**2, wave**3]


def _hierarchy(flat: Floats, line: _Line) -> float:
    """0 to 1, that no tick is missing, every tenth is the longest, and every fifth longer."""
    period = 1 / line.cycles
    ticks, start = _ticks(flat, line)
    down = np.arange(-12 * period, 12 * period + 0.5, max(1.0, period / 4), dtype=np.float32)
    above, below = (reach.reshape(-1, 1) for reach in np.meshgrid((-12, -8, -4, -1), (1, 4, 8, 12)))
    if len(ticks) < _LEAST_TICKS:
        return 0.0
    whole = len(ticks) / (ticks[-1] - ticks[0] + 1)
    longer = _LONGER if period < _ALIAS_PX else 0.0
    best = 0.0
    for shift in (0.0, 0.5):
        x = (start + (ticks + shift) * period).astype(np.float32)
        middle = _profile(flat, line, x, down)
        beside = [_profile(flat, line, x + side * period / 2, down) for side in (-1, 1)]
        depth = (beside[0] + beside[1]) / 2 - middle
        depth *= np.sign(np.median(depth[np.abs(down) <= max(2.0, period / 2)]))
        inside = (down >= above * period) & (down <= below * period)
        best = max(best, _graded(inside @ depth.clip(-0.5, 2), ticks, longer))
    return float(min(1.0, best * whole * line.share / _PLAIN_SHARE))


def _ticks(flat: Floats, line: _Line) -> tuple[npt.NDArray[np.int64], float]:
    """The numbers of the ticks that are there, in step with all others, and where tick 0 is."""
    period, columns = 1 / line.cycles, flat.shape[1]
    x, level = _level(flat, line)
    wave = level * np.exp(-2j * np.pi * line.cycles * x)
    phase = np.angle(wave.sum())
    steady = ndimage.uniform_filter1d((wave * np.exp(-1j * phase)).real, int(6 * period))
    start = -phase / (2 * np.pi) * period
    numbers = np.arange(int(np.ceil((1 - start) / period)), int((columns - 2 - start) / period))
    there = steady[np.rint(start + numbers * period).astype(int).clip(0, columns - 1)]
    return numbers[there > 0.35 * np.quantile(steady, 0.9)], float(start)


def _graded(lengths: Floats, ticks: npt.NDArray[np.int64], longer: float) -> float:
    """How well one of several measures of length (n, ticks) follows the hierarchy, 0 to 1."""
    # tens must be longer than fives, or every second tick would do: 10 mm are a fifth of those
    rest = lengths - ndimage.median_filter(lengths, (1, 21), mode="nearest")
    spread = 1.5 * np.median(np.abs(rest), axis=1, keepdims=True) + 1e-6
    rest = np.clip(rest, -6 * spread, 12 * spread)
    tens = (ticks[:, None] % 10 == np.arange(10)).astype(np.float32)  # by where the tens begin
    count = np.maximum(tens.sum(axis=0), 1)
    mean = rest @ tens / count
    noise = np.sqrt(np.mean((rest - mean @ tens.T) ** 2, axis=1, keepdims=True)) + 1e-6
    base = np.max([np.roll(mean, -k, axis=1) for k in range(1, 10) if k != 5], axis=0)
    fives = np.roll(mean, -5, axis=1)
    certain = np.sqrt(np.minimum(count, np.roll(count, -5))) / noise
    clear = np.clip((fives - base) * certain / _CLEAR, 0, 1)
    return float(np.where((mean - fives) * certain > longer, clear, 0).max())
