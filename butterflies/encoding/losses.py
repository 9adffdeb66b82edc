"""What an autoencoder is trained for, a function each; see `Autoencoder` for how they add up."""

import torch
import torch.nn.functional as F
from torch import Tensor

SCALES = 3
"""Sizes at which gradients are compared: whole, a half, a quarter."""


def pixel_loss(
    reconstructed: Tensor, picture: Tensor, alpha: Tensor, foreground: float, hue: float
) -> Tensor:
    """Mean absolute error; beyond black or white counts as black or white.

    Args:
        reconstructed: (n, 3, h, w), any range.
        picture: (n, 3, h, w), 0 to 1.
        alpha: (n, 1, h, w), 0 to 1.
        foreground: how much more a pixel of the specimen counts than one of the background.
        hue: how much more a difference in hue counts than one in lightness.
    """
    difference = reconstructed - reaching(reconstructed, picture)
    if hue:
        grey = difference.mean(1, keepdim=True)
        difference = difference + hue * (difference - grey)
    weight = 1 + foreground * alpha
    return (difference.abs() * weight).mean() / weight.mean()


def reaching(reconstructed: Tensor, picture: Tensor) -> Tensor:
    """The picture, but where it is black or white, whatever lies beyond that."""
    target = torch.where(picture >= 1, torch.maximum(picture, reconstructed), picture)
    return torch.where(picture <= 0, torch.minimum(picture, reconstructed), target)


def gradient_loss(reconstructed: Tensor, picture: Tensor) -> Tensor:
    """Mean absolute error of the differences between neighbours, at three sizes.

    It sees edges and veins, which pixels alone hardly count (Mathieu et al., 2016, at one size).

    Args:
        reconstructed: (n, 3, h, w).
        picture: (n, 3, h, w).
    """
    error, losses = reconstructed - picture, []
    for _ in range(SCALES):
        losses += [error.diff(dim=2).abs().mean(), error.diff(dim=3).abs().mean()]
        error = F.avg_pool2d(error, 2)
    return torch.stack(losses).mean()


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """From N(mean, variance) to N(0, 1), mean over pictures and numbers (Kingma & Welling, 2014).

    Args:
        mean: (n, d).
        log_variance: (n, d).
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()


def disagreement(first: Tensor, second: Tensor) -> Tensor:
    """How far the codes of two views lie apart: 0 = same, 1 = as far as two specimens by lot.

    Args:
        first: codes (n, d) of one view of each picture.
        second: codes (n, d) of another view of the same pictures.
    """
    spread = torch.cat([first, second]).var(0, correction=0).sum()
    return (first - second).square().sum(1).mean() / (2 * spread).clamp_min(1e-8)


def correlation_loss(codes: Tensor) -> Tensor:
    """How far a code's numbers say the same: mean squared correlation of all pairs.

    The covariance term of VICReg (Bardes et al., 2022), free of the codes' scale.

    Args:
        codes: (n, d).
    """
    centred = codes - codes.mean(0)
    normed = centred / centred.norm(dim=0).clamp_min(1e-6)
    found = normed.T @ normed
    count = found.shape[0]
    total: Tensor = found.square().sum() - found.diagonal().square().sum()
    mean: Tensor = total / max(1, count * (count - 1))
    return mean


def variance_loss(codes: Tensor) -> Tensor:
    """How far a code's numbers fall short of deviation 1 (Bardes et al., 2022).

    Args:
        codes: (n, d).
    """
    deviation = (codes.var(0) + 1e-4).sqrt()
    return F.relu(1 - deviation).mean()


def contrastive_loss(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Among all views in the batch, which is the other one of this? (SimCLR, Chen et al., 2020).

    Args:
        first: projections (n, d) of one view of each picture.
        second: projections (n, d) of another view of the same pictures.
        temperature: small = only the nearest strangers count.
    """
    both = F.normalize(torch.cat([first, second]), dim=1)
    alike = both @ both.T / temperature
    alike.fill_diagonal_(float("-inf"))
    count = len(first)
    partner = torch.arange(2 * count, device=both.device).roll(count)
    return F.cross_entropy(alike, partner)
