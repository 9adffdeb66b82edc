"""Elements of wing patterns: each returns how much of its colour lies on every pixel, 0..1."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from butterflies.collection.drawing.field import Field
from butterflies.collection.drawing.texture import Floats, step

Element = Callable[..., Floats]


def wash(f: Field, start: float = 0.3, end: float = 0.9) -> Floats:
    """A gradient from the root outwards."""
    return np.asarray(np.clip((f.depth - start) / (end - start), 0, 1), np.float32)


def basal(f: Field, reach: float = 0.25) -> Floats:
    """Dusky hairs near the root."""
    return np.asarray(np.exp(-((f.depth / np.float32(reach)) ** 2)), np.float32)


def band(
    f: Field, at: float, width: float, wave: float = 0.0, tilt: float = 0.0, taper: float = 0.0,
    soft: float = 0.02,
) -> Floats:  # fmt: skip
    """A band across the wing at a depth; `tilt` moves it from apex to tornus, `wave` by vein."""
    middle = f.depth + wave * f.wave + tilt * (f.along - 0.5)
    half = 0.5 * width * np.clip(1 + taper * (f.along - 0.5) * 2, 0.05, 3)
    return step(half - np.abs(middle - at), soft)


def patch(
    f: Field, low: float, high: float, first: float = -9, last: float = 9, wave: float = 0.0,
    soft: float = 0.03,
) -> Floats:  # fmt: skip
    """A field of colour between two depths and two veins, its outer side rounded by vein."""
    outer = step(high - wave * f.wave - f.depth, soft)
    inner = step(f.depth - low + wave * f.wave, soft)
    sides = step(f.vein - first, 6 * soft) * step(last - f.vein, 6 * soft)
    return outer * inner * sides


def border(
    f: Field, width: float, scallop: float = 0.0, costa: float = 0.4, tip: float = 0.0,
    soft: float = 0.015,
) -> Floats:  # fmt: skip
    """A border of the outer margin, `costa` times as wide on the leading edge, wider at the tip."""
    outer = step(f.rim + 0.04, 0.12) * step(1.05 - f.rim, 0.12)
    share = outer + (1 - outer) * costa * (f.rim < 0.5)
    lobe = 1 + scallop * f.wave * outer + tip * np.exp(-((f.rim / 0.22) ** 2))
    return step(width * share * lobe - f.edge, soft) * step(share - 0.02, 0.04)


def tip(
    f: Field, reach: float, slant: float = 0.0, soft: float = 0.04, wave: float = 0.0
) -> Floats:
    """The apex of the wing; `reach` in forewing lengths, `slant` leans the boundary."""
    inside = f.alpha > 0.5
    ahead = f.x * np.float32(0.8) + f.y * np.float32(0.6 - slant)
    top = float(ahead[inside].max()) if inside.any() else 1.0
    return step(ahead - np.float32(top - reach) + wave * f.wave, soft)


def veins(f: Field, width: float, flare: float = 0.0, cell: float = 0.5) -> Floats:
    """The veins; dark scales spread from them towards the margin by `flare`."""
    off = f.room - f.aside
    thick = width * (0.6 + 0.4 * f.depth) + flare * np.clip(f.depth - 0.55, 0, 1) ** 2
    free = (f.vein < 1.2) | (f.vein > f.cells - 1.8) | (f.depth > cell)
    lines = step(thick - off, 0.008) * free
    within = (f.vein > 0.8) & (f.vein < f.cells - 1.2)
    end = step(width - np.abs(f.depth - cell) * 0.5, 0.008) * within
    inside = (f.along > -0.35) & (f.along < 1.3)
    return np.maximum(lines, end) * inside


def rays(f: Field, width: float, start: float = 0.5, end: float = 1.2) -> Floats:
    """Streaks between the veins, widening outwards."""
    length = step(f.depth - start, 0.12) * step(end - f.depth, 0.06)
    grow = np.clip((f.depth - start) * 2.2, 0, 1)
    inside = (f.along > -0.1) & (f.along < 1.1)
    return step(width * grow * f.room - f.aside, 0.012) * length * inside


def spots(
    f: Field, at: float, radius: float, oblong: float = 1.0, first: int = 0, last: int = 99,
    big: int = -1, crescent: float = 0.0, soft: float = 0.012,
) -> Floats:  # fmt: skip
    """A row of spots between the veins, at a distance from the margin.

    `big` names a space whose spot is larger, `crescent` hollows them into lunules.
    """
    space = np.floor(f.vein)
    wide = radius * np.where(space == big, 1.7, 1.0)
    wide = np.minimum(wide, f.room * 0.86)
    ahead = (f.edge - at) / oblong
    inside = (space >= first) & (space <= min(last, f.cells - 1)) & (f.depth > 0.45)
    full = step(wide - np.hypot(f.aside, ahead), soft)
    if crescent:
        full = full * step(np.hypot(f.aside, ahead + wide * crescent) - wide * 0.95, soft)
    return full * inside


def chevrons(f: Field, at: float, height: float, width: float, first: int = 0) -> Floats:
    """Arrowheads between the veins that point at the root."""
    offset = f.edge - at - height * (1 - f.aside / np.maximum(f.room, 1e-3))
    inside = (f.vein > first) & (f.vein < f.cells) & (f.depth > 0.45)
    return step(width - np.abs(offset), 0.012) * inside * step(f.room * 0.8 - f.aside, 0.02)


def bars(
    f: Field, starts: tuple[float, ...], width: float, reach: float = 0.7, lean: float = 0.25,
    wave: float = 0.0,
) -> Floats:  # fmt: skip
    """Stripes that hang from the leading edge and taper towards the inner margin."""
    inside = f.alpha > 0.5
    apex = np.unravel_index(int(np.argmax(np.where(inside, f.x + f.y, -9))), f.x.shape)
    length = float(np.hypot(f.x[apex], f.y[apex]))
    ahead = (f.x * f.x[apex] + f.y * f.y[apex]) / length**2
    below = (f.x * f.y[apex] - f.y * f.x[apex]) / length**2
    middle = ahead + lean * below + wave * f.wave
    total = np.zeros_like(f.x)
    for start in starts:
        room = width * np.clip(1 - (below + 0.15) / (reach * (0.5 + 0.6 * start)), 0, 1.2)
        total = np.maximum(total, step(room - np.abs(middle - start), 0.014))
    return np.asarray(total, np.float32)


def blotch(
    f: Field, depth: float, along: float, radius: float, oblong: float = 1.0, soft: float = 0.02
) -> Floats:
    """One round or oval spot at a place given by depth and by the fraction from apex to tornus."""
    inside = f.alpha > 0.3
    miss = np.where(inside, np.abs(f.depth - depth) + 0.8 * np.abs(f.along - along), 9)
    row, column = np.unravel_index(int(np.argmin(miss)), miss.shape)
    dx, dy = f.x - f.x[row, column], f.y - f.y[row, column]
    way = np.arctan2(f.y[row, column], f.x[row, column])
    ahead = dx * np.cos(way) + dy * np.sin(way)
    aside = dy * np.cos(way) - dx * np.sin(way)
    return step(radius - np.hypot(ahead, aside / oblong), soft)


def fringe(f: Field, width: float, chequer: float = 0.0) -> Floats:
    """Hair scales on the very margin, interrupted at the veins by `chequer`."""
    on = step(width - f.edge, 0.006) * (f.rim > -0.02) * (f.rim < 1.05)
    return on * step(-f.wave + 1 - 2 * chequer, 0.4) if chequer else on


ELEMENTS: dict[str, Element] = {
    element.__name__: element
    for element in (
        wash, basal, band, patch, border, tip, veins, rays, spots, chevrons, bars, blotch, fringe,
    )
}  # fmt: skip
