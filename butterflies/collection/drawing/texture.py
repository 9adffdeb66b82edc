"""Soft random textures, from a few random numbers enlarged smoothly."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.floating]  # float32 wherever there are many


def soft_noise(rng: np.random.Generator, shape: tuple[int, int], steps: float) -> Floats:
    """Return (height, width) noise of unit variance with about `steps` bumps on its long side."""
    long = max(shape)
    grid = [max(2, round(side / long * steps)) + 1 for side in shape]
    coarse = rng.standard_normal(grid).astype(np.float32)
    picture = Image.fromarray(coarse).resize((shape[1], shape[0]), Image.Resampling.BICUBIC)
    return np.asarray(picture, np.float32)


def cloud(rng: np.random.Generator, shape: tuple[int, int], octaves: int = 4) -> Floats:
    """Return fractal noise of about unit variance: bumps of all sizes."""
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        total += soft_noise(rng, shape, 3 * 2.6**octave) * np.float32(0.62**octave)
    return total


@lru_cache(maxsize=1)
def _grain() -> Floats:
    return np.random.default_rng(20190701).standard_normal((900, 1300)).astype(np.float32)


def grain(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Return fine noise, a random window of one large sheet: much cheaper than fresh numbers."""
    sheet = _grain()
    row = int(rng.integers(sheet.shape[0] - shape[0] + 1))
    column = int(rng.integers(sheet.shape[1] - shape[1] + 1))
    return sheet[row : row + shape[0], column : column + shape[1]]


def step(value: Floats, soft: float) -> Floats:
    """Return 0 to 1 as `value` crosses zero within a width of `soft`, smoothly."""
    t = np.clip(value / np.float32(soft) + np.float32(0.5), 0, 1)
    rise: Floats = t * t * (3 - 2 * t)
    return rise
