"""What another photograph of the same specimen might show, for whole batches on any device.

Every number drawn here follows from the picture's key, which holds the seed, and the epoch alone
(`chances`), whatever else is in the batch.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

TURN_DEG = 4.0
"""Standard deviations of what `vary` changes at strength 1."""
SHIFT = 0.02  # of the picture's width
SCALE = 0.03
LIGHT = 0.1
CONTRAST = 0.1
TINT = 0.04

MOST = 2.5
"""Standard deviations beyond which nothing is drawn."""

HIDDEN_PX = 16
"""Side of the squares that `hide` blanks."""

STEP = -0x61C8864680B583EB
"""The golden ratio in 64 bits, by which SplitMix64 counts."""


def chances(keys: Tensor, epoch: int, use: int, count: int) -> Tensor:
    """Numbers above 0 and below 1, as if drawn by lot: SplitMix64 (Steele et al., 2014) as a hash.

    Args:
        keys: int64 (n), one for each picture and seed.
        epoch: other epochs, other numbers.
        use: what they are for; other uses, other numbers.
        count: numbers for each picture.

    Returns:
        float32 (n, count).
    """
    moment = torch.tensor([epoch + 1, use + 1], dtype=torch.int64, device=keys.device) * STEP
    state = _mixed(_mixed(_mixed(keys) + moment[0]) + moment[1])
    steps = torch.arange(1, count + 1, device=keys.device) * STEP
    drawn = _logical_shift(_mixed(state[:, None] + steps), 41)
    return (drawn.float() + 0.5) / 2**23  # exact: with one bit more the largest would become 1


def mirror(picture: Tensor, alpha: Tensor, chance: Tensor) -> tuple[Tensor, Tensor]:
    """Pictures (n, c, h, w) and alphas turned left to right where chance (n) is below a half."""
    chosen = (chance < 0.5)[:, None, None, None]
    return torch.where(chosen, picture.flip(3), picture), torch.where(chosen, alpha.flip(3), alpha)


def vary(picture: Tensor, alpha: Tensor, chance: Tensor, strength: float) -> Tensor:
    """Pictures turned, shifted, scaled and relit a little; what comes in at the border is white.

    Args:
        picture: (n, 3, h, w) on white, 0 to 1.
        alpha: (n, 1, h, w), 0 to 1.
        chance: (n, 9) in 0..1, see `chances`.
        strength: times the standard deviations above.
    """
    normal = torch.special.ndtri(chance).clamp(-MOST, MOST).to(picture) * strength
    both = _move(torch.cat([1 - picture, alpha], 1), *normal[:, :4].unbind(1))
    picture, alpha = 1 - both[:, :3], both[:, 3:]
    light = 1 + LIGHT * normal[:, 4, None, None, None]
    contrast = 1 + CONTRAST * normal[:, 5, None, None, None]
    tint = 1 + TINT * normal[:, 6:9, None, None]
    lit = (picture.clamp_min(1e-3) ** contrast) * light * tint
    return torch.lerp(picture, lit, alpha).clamp(0, 1)  # the background stays white


def hide(picture: Tensor, chance: Tensor, share: float) -> Tensor:
    """Blanks squares of HIDDEN_PX to white: masking noise (Vincent et al., 2008).

    Args:
        picture: (n, 3, h, w) on white, 0 to 1.
        chance: (n, (h / HIDDEN_PX) * (w / HIDDEN_PX)) in 0..1.
        share: of the squares.
    """
    rows = picture.shape[2] // HIDDEN_PX
    hidden = (chance < share).view(len(chance), 1, rows, -1).to(picture)
    return torch.lerp(
        picture, torch.ones_like(picture), F.interpolate(hidden, scale_factor=HIDDEN_PX)
    )


def _move(pictures: Tensor, turn: Tensor, right: Tensor, down: Tensor, scale: Tensor) -> Tensor:
    """Turns, shifts and scales each picture (n, c, h, w) by n standard deviations."""
    angle, size = torch.deg2rad(turn * TURN_DEG), 1 + scale * SCALE
    x = torch.stack([size * angle.cos(), -size * angle.sin(), 2 * SHIFT * right], 1)
    y = torch.stack([size * angle.sin(), size * angle.cos(), 2 * SHIFT * down], 1)
    grid = F.affine_grid(torch.stack([x, y], 1), list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, grid, align_corners=False)


def _mixed(x: Tensor) -> Tensor:
    """The finalizer of SplitMix64; int64 products wrap, as the original's unsigned ones do."""
    x = (x ^ _logical_shift(x, 30)) * -0x40A7B892E31B1A47
    x = (x ^ _logical_shift(x, 27)) * -0x6B2FB644ECCEEE15
    return x ^ _logical_shift(x, 31)


def _logical_shift(x: Tensor, bits: int) -> Tensor:
    """A shift to the right that brings zeros in: int64's own repeats the sign."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)
