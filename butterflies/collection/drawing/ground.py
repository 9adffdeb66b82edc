"""Backgrounds of specimen photographs: foam, paper, card, cloth."""

from __future__ import annotations

import numpy as np
from PIL import Image

from butterflies.collection.drawing.texture import Floats, cloud, grain, soft_noise

HEIGHT, WIDTH = 360, 480  # pixels of a photograph
SHAPE = (HEIGHT, WIDTH)

# Colours of the material, and how much of them in a hundred photographs.
_MATERIALS = {
    "foam": ((0.56, 0.57, 0.58), 34),
    "paper": ((0.90, 0.89, 0.86), 22),
    "card": ((0.80, 0.71, 0.54), 16),
    "blue": ((0.46, 0.54, 0.67), 16),
    "green": ((0.42, 0.54, 0.42), 12),
}


def ground(rng: np.random.Generator) -> tuple[Floats, str]:
    """Return a background (360, 480, 3), 0..1, before light and camera, and its material."""
    names = list(_MATERIALS)
    shares = np.array([_MATERIALS[name][1] for name in names], float)
    name = names[int(rng.choice(len(names), p=shares / shares.sum()))]
    vary = (1 + 0.05 * rng.standard_normal()) * (1 + 0.02 * rng.standard_normal(3))
    tint = np.array(_MATERIALS[name][0]) * vary
    surface = _SURFACES[name](rng)
    return np.float32(surface[..., None]) * tint.astype(np.float32), name


def plain(rng: np.random.Generator) -> Floats:
    """Return the nearly uniform light background of a photograph made for cutting out."""
    tint = np.array([0.93, 0.935, 0.93]) + 0.02 * rng.standard_normal(3) * [1, 0.6, 1]
    slope = 1 + 0.006 * cloud(rng, SHAPE, 1)
    return np.asarray(np.float32(slope[..., None]) * tint, np.float32)


def _foam(rng: np.random.Generator) -> Floats:
    surface = 1 + 0.018 * cloud(rng, SHAPE, 4) + 0.03 * grain(rng, SHAPE)
    for _ in range(int(rng.gamma(1.6, 28))):
        _hole(surface, rng.uniform(3, HEIGHT - 4), rng.uniform(3, WIDTH - 4), rng)
    return surface


def _hole(surface: Floats, row: float, column: float, rng: np.random.Generator) -> None:
    """A pin hole: dark, with a bright rim on the side away from the light."""
    top, left = int(row) - 3, int(column) - 3
    window = surface[top : top + 7, left : left + 7]
    y, x = np.mgrid[top : top + window.shape[0], left : left + window.shape[1]]
    near = np.hypot(y - row, x - column)
    size = rng.uniform(0.6, 1.5)
    window -= 0.55 * np.exp(-((near / size) ** 2)).astype(np.float32)
    rim = np.exp(-((np.hypot(y - row - 1.2, x - column - 1.2) / size) ** 2)).astype(np.float32)
    window += 0.12 * rim


def _paper(rng: np.random.Generator) -> Floats:
    surface = 1 + 0.012 * cloud(rng, SHAPE, 3) + 0.012 * grain(rng, SHAPE)
    if rng.random() < 0.55:
        surface = surface + _creases(rng)
    return np.asarray(surface, np.float32)


def _creases(rng: np.random.Generator) -> Floats:
    """Crumpled paper: flat facets between straight folds, each catching the light its own way."""
    y, x = np.mgrid[0 : HEIGHT // 2, 0 : WIDTH // 2].astype(np.float32) / np.float32(HEIGHT / 2)
    light = np.zeros(x.shape, np.float32)
    for _ in range(int(rng.integers(7, 13))):
        angle, place = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.9, 2)
        side = (x - place[0] * 1.33) * np.cos(angle) + (y - place[1]) * np.sin(angle)
        # A fold runs out: it is sharp near its place and gone far from it.
        along = (x - place[0] * 1.33) * np.sin(angle) - (y - place[1]) * np.cos(angle)
        fold = np.tanh(side * 60) * np.exp(-np.abs(side) * 5) * np.exp(-((along * 1.6) ** 2))
        light += (fold * np.cos(angle - 0.8) * rng.uniform(0.02, 0.07)).astype(np.float32)
    large = Image.fromarray(light).resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR)
    return np.asarray(large, np.float32)


def _card(rng: np.random.Generator) -> Floats:
    fibres = soft_noise(rng, SHAPE, 240) * 0.018 + grain(rng, SHAPE) * 0.014
    return np.asarray(1 + fibres + 0.02 * cloud(rng, SHAPE, 2), np.float32)


def _cloth(rng: np.random.Generator) -> Floats:
    rows = np.sin(np.arange(HEIGHT) * rng.uniform(1.6, 2.4))[:, None]
    columns = np.sin(np.arange(WIDTH) * rng.uniform(1.6, 2.4))[None, :]
    weave = 0.012 * (rows + columns) * (1 + 0.5 * soft_noise(rng, SHAPE, 12))
    rough = 0.02 * cloud(rng, SHAPE, 3) + 0.015 * grain(rng, SHAPE)
    return np.asarray(1 + weave + rough, np.float32)


_SURFACES = {"foam": _foam, "paper": _paper, "card": _card, "blue": _foam, "green": _cloth}
