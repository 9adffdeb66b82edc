"""Layers of a wing pattern, and how they differ between relatives."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

Value = float | int | tuple[float, ...]

# Values that count or name something, which heredity must not stretch.
_FIXED = {"first", "last", "big", "oblong", "slant", "lean", "crescent", "start", "end", "cell"}


@dataclass(frozen=True)
class Layer:
    """One element of a pattern: where, what, in which part of the palette, how strongly."""

    wing: str  # "fore" or "hind"
    element: str
    part: str
    share: float = 1.0
    values: dict[str, Value] = field(default_factory=dict)
    sex: str = ""  # on one sex only, where not blank


def varied(plan: tuple[Layer, ...], rng: np.random.Generator, amount: float) -> tuple[Layer, ...]:
    """Return the plan of a relative; `amount` is a relative standard deviation.

    The rings of one eyespot share a place, and vary together.
    """
    moves: dict[tuple[object, ...], dict[str, float]] = {}
    relatives = []
    for number, layer in enumerate(plan):
        place = (layer.values.get("depth"), layer.values.get("along"))
        key = (layer.wing, *place) if layer.element == "blotch" else (number,)
        fresh = {name: float(rng.standard_normal()) for name in layer.values}
        move = moves.setdefault(key, fresh)
        values = {name: _vary(name, v, amount * move[name]) for name, v in layer.values.items()}
        relatives.append(replace(layer, values=values))
    return tuple(relatives)


def _vary(name: str, value: Value, change: float) -> Value:
    if name in _FIXED or isinstance(value, int):
        return value
    change = float(np.clip(change, -0.35, 0.5))
    if name in {"at", "low", "high", "depth", "along", "starts"}:
        change *= 0.4
    if isinstance(value, tuple):
        return tuple(item * (1 + change) for item in value)
    return value * (1 + change)
