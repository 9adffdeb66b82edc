"""Small changes that a photograph of the same specimen might show, for whole batches at once."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

TURN_DEG = 4.0
SHIFT = 0.02
"""Standard deviation of shifts, as a share of the picture's width."""
SCALE = 0.03
LIGHT = 0.05


def augment(
    picture: Tensor, alpha: Tensor, rows: Tensor, seed: tuple[int, int], strength: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Mirrors half of the pictures; turns, shifts, scales and relights all by `strength`.

    What happens to a picture follows from `seed` and its row alone, whatever else is in the batch.

    Args:
        picture: float (n, 3, h, w) on white, 0 to 1.
        alpha: float (n, 1, h, w), 0 to 1.
        rows: the pictures' numbers, int64 (n).
        seed: seed and epoch.
        strength: times the standard deviations above.

    Returns:
        Picture and alpha, changed alike.
    """
    drawn = torch.stack([_draws(int(row), seed) for row in rows]).to(picture)
    mirror, normal = drawn[:, 0], drawn[:, 1:] * strength
    both = torch.cat([1 - picture, alpha], 1)  # zeros come in at the border: white, transparent
    both = torch.where(mirror[:, None, None, None] < 0, both.flip(3), both)
    if strength > 0:
        both = _move(both, *normal[:, :4].unbind(1))
    picture, alpha = 1 - both[:, :3], both[:, 3:]
    light = 1 + LIGHT * normal[:, 4, None, None, None]
    lit = picture * light + (1 - light) * (1 - alpha)  # the background stays white
    return lit.clamp(0, 1), alpha


def _draws(row: int, seed: tuple[int, int]) -> Tensor:
    """Six numbers of a picture in an epoch: 1 or -1 (mirrored), then normal ones up to 2.5."""
    random = np.random.default_rng([*seed, row])
    side = 1.0 if random.random() < 0.5 else -1.0
    return torch.tensor([side, *np.clip(random.standard_normal(5), -2.5, 2.5)])


def _move(pictures: Tensor, turn: Tensor, right: Tensor, down: Tensor, scale: Tensor) -> Tensor:
    """Turns, shifts and scales each picture (n, c, h, w) by n standard deviations."""
    angle, size = torch.deg2rad(turn * TURN_DEG), 1 + scale * SCALE
    x = torch.stack([size * angle.cos(), -size * angle.sin(), 2 * SHIFT * right], 1)
    y = torch.stack([size * angle.sin(), size * angle.cos(), 2 * SHIFT * down], 1)
    grid = F.affine_grid(torch.stack([x, y], 1), list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, grid, align_corners=False)
