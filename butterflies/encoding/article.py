"""The article's autoencoder, re-stated for comparison: 9,293,635 numbers at 128 of latent code."""

import torch
from torch import Tensor, nn

CHANNELS = (32, 32, 64, 64, 128, 256)
"""Channels of the feature maps at 128, 64, 32, 16, 8 and 4 px."""


class ArticleEncoder(nn.Module):
    """Pictures (n, 3, 128, 128), 0 to 1, to (n, latent_dim), or (n, 2 * latent_dim) if variational.

    Six stages of two residual blocks and a 4 x 4 convolution that halves the picture.
    """

    def __init__(self, latent_dim: int, variational: bool = False) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        for given, made in zip(CHANNELS, (*CHANNELS[1:], latent_dim), strict=True):
            last = given == CHANNELS[-1]
            halving = nn.Conv2d(given, made, 4, *((1, 0) if last else (2, 1)))
            stages += [*_residuals(given), halving, nn.BatchNorm2d(made), nn.ReLU(inplace=True)]
        self.features = nn.Sequential(
            nn.Conv2d(3, CHANNELS[0], 3, padding=1),
            nn.BatchNorm2d(CHANNELS[0]),
            nn.ReLU(inplace=True),
            *stages,
            nn.Flatten(),
        )
        heads = range(2 if variational else 1)
        self.heads = nn.ModuleList(_head(latent_dim) for _ in heads)

    def forward(self, pictures: Tensor) -> Tensor:
        features = self.features(pictures)
        return torch.cat([head(features) for head in self.heads], 1)


class ArticleDecoder(nn.Sequential):
    """Codes (n, latent_dim) to pictures (n, 3, 128, 128): the encoder's mirror, unbounded."""

    def __init__(self, latent_dim: int) -> None:
        stages: list[nn.Module] = []
        for given, made in zip(
            (latent_dim, *reversed(CHANNELS[1:])), reversed(CHANNELS), strict=True
        ):
            first = made == CHANNELS[-1]
            doubling = nn.ConvTranspose2d(given, made, 4, *((1, 0) if first else (2, 1)))
            stages += [doubling, nn.BatchNorm2d(made), nn.ReLU(inplace=True), *_residuals(made)]
        super().__init__(
            nn.Linear(latent_dim, latent_dim),
            nn.BatchNorm1d(latent_dim),
            nn.ReLU(inplace=True),
            nn.Unflatten(1, (latent_dim, 1, 1)),
            *stages,
            nn.Conv2d(CHANNELS[0], 3, 3, padding=1),
        )


class _Residual(nn.Module):
    """Two convolutions with batch norm beside the identity (He et al., 2016)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 3, padding=1),
            nn.BatchNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.body(x))


def _residuals(width: int) -> list[nn.Module]:
    return [_Residual(width), _Residual(width)]


def _head(width: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(width, width),
        nn.BatchNorm1d(width),
        nn.ReLU(inplace=True),
        nn.Linear(width, width),
    )
