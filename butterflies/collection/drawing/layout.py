"""Where things lie in the frame: the specimen, a ruler, and labels that never cover it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from butterflies.collection.drawing.ground import HEIGHT, WIDTH
from butterflies.collection.drawing.labels import LABELS, ZOOM, ruler, scale_bar

MARGIN = 7  # pixels kept free inside the frame's edge
RULER = 30  # pixels across
_CELL = 4  # pixels of a cell of the grid on which free places are looked for


@dataclass
class Layout:
    """What is taken: the specimen's area (left, top, right, bottom), and things with places."""

    area: tuple[int, int, int, int] = (MARGIN, MARGIN, WIDTH - MARGIN, HEIGHT - MARGIN)
    label_side: str = ""
    things: list[tuple[Image.Image, int, int]] = field(default_factory=list)


def plan(rng: np.random.Generator, clean: bool) -> Layout:
    """Set a ruler, or not, and choose the side for labels; a clean photograph has neither."""
    layout = Layout()
    if clean:
        return layout
    layout.label_side = str(rng.choice(["right", "left"], p=[0.7, 0.3]))
    left, top, right, bottom = layout.area
    step = float(rng.uniform(34, 60))
    place = rng.choice(["bottom", "top", "side", "none"], p=[0.58, 0.12, 0.12, 0.18])
    if place == "bottom":
        layout.things.append((_thing(ruler(rng, WIDTH, step)), 0, HEIGHT - RULER))
        bottom -= RULER
    elif place == "top":
        layout.things.append((_thing(ruler(rng, WIDTH, step).rotate(180)), 0, 0))
        top += RULER
    elif place == "side":
        turned = ruler(rng, HEIGHT, step).rotate(90, expand=True)
        away = layout.label_side == "right"
        layout.things.append((_thing(turned), 0 if away else WIDTH - RULER, 0))
        left, right = (left + RULER, right) if away else (left, right - RULER)
    layout.area = (left, top, right, bottom)
    return layout


def _thing(picture: Image.Image) -> Image.Image:
    return picture.reduce(ZOOM).convert("RGBA")


def place_specimen(
    layout: Layout, size: tuple[int, int], rng: np.random.Generator
) -> tuple[int, int]:
    """Choose the top left corner for a specimen of a size, away from the labels' side."""
    left, top, right, bottom = layout.area
    free = (right - left - size[0], bottom - top - size[1])
    share = {"right": rng.beta(1.2, 3.5), "left": rng.beta(3.5, 1.2), "": rng.beta(4, 4)}
    across = share[layout.label_side]
    return left + int(free[0] * across), top + int(free[1] * rng.beta(2.5, 2.5))


def add_labels(
    layout: Layout, taken: NDArray[np.bool_], record: dict[str, str], rng: np.random.Generator
) -> None:
    """Add one to four labels where `taken` (360, 480) and the things set so far leave room."""
    makers = [maker for maker, _ in LABELS]
    odds = np.array([share for _, share in LABELS])
    count = int(rng.choice([1, 2, 3, 4], p=[0.25, 0.34, 0.27, 0.14]))
    chosen = [makers[int(rng.choice(len(makers), p=odds))] for _ in range(count)]
    if rng.random() < 0.12:
        chosen.append(scale_bar)
    busy = taken.copy()
    for picture, x, y in layout.things:
        busy[y : y + picture.height, x : x + picture.width] = True
    for make in chosen:
        _set(layout, make(rng, record), busy, rng)


def _set(
    layout: Layout, label: Image.Image, busy: NDArray[np.bool_], rng: np.random.Generator
) -> None:
    """Put a label on the first size that fits, slightly askew; give up on a crowded frame."""
    turned = label.convert("RGBA").rotate(
        float(rng.normal(0, 1.8)), Image.Resampling.BICUBIC, expand=True
    )
    for shrink in (1.0, 0.82, 0.66):
        size = (int(turned.width / ZOOM * shrink), int(turned.height / ZOOM * shrink))
        spot = _free(busy, size, layout.label_side, rng)
        if spot is not None:
            x, y = spot
            small = turned.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
            layout.things.append((small, x, y))
            busy[y : y + size[1], x : x + size[0]] = True
            return


def _free(
    busy: NDArray[np.bool_], size: tuple[int, int], side: str, rng: np.random.Generator
) -> tuple[int, int] | None:
    """A corner at which a rectangle of a size touches nothing, near the given side."""
    grid = busy.reshape(HEIGHT // _CELL, _CELL, WIDTH // _CELL, _CELL).any(axis=(1, 3))
    total = np.pad(grid.astype(np.int32).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    wide, tall = -(-size[0] // _CELL) + 2, -(-size[1] // _CELL) + 2
    if wide >= grid.shape[1] or tall >= grid.shape[0]:
        return None
    sums = total[tall:, wide:] - total[:-tall, wide:] - total[tall:, :-wide] + total[:-tall, :-wide]
    rows, columns = np.nonzero(sums == 0)
    if not len(rows):
        return None
    towards = -columns if side == "right" else columns
    cost = towards + 0.25 * rows + rng.uniform(0, 4, len(rows))
    best = int(np.argmin(cost))
    return int(columns[best] + 1) * _CELL, int(rows[best] + 1) * _CELL
