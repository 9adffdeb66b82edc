"""The autoencoder's two halves: convolutions that learn to improve on principal components."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from butterflies.encoding.cache import PICTURE_PX

COARSE_PX = 32
"""Side of the picture that principal components see."""

HUE = 3.5
"""How much more a difference in hue counts than one in lightness, at the start. Most of what sets
photographs apart is lightness, most of what sets species apart is not: chosen on the genera that
nearest neighbours tell."""

PATCH_PX = 4
"""Side of the squares that become one place with many channels, so that no convolution works at
full size (Shi et al., 2016): most of the speed on a CPU comes from here."""

SMALLEST_PX = 8
"""Side of the smallest feature map."""


class Block(nn.Module):
    """Two convolutions beside the identity (He et al., 2016), which alone counts at the start."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = zeroed(nn.Conv2d(width, width, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        changed: Tensor = self.second(F.relu(self.first(F.relu(x))))
        return x + changed


class Encoder(nn.Module):
    """Pictures (n, 3, 128, 128), 0 to 1, to (n, latent_dim), or (n, 2 * latent_dim) if variational.

    Works on darkness, of which white, most of a picture, has none.
    """

    def __init__(self, latent_dim: int, width: int, variational: bool = False) -> None:
        super().__init__()
        made = latent_dim * (2 if variational else 1)
        self.convolutions = nn.Sequential(
            nn.PixelUnshuffle(PATCH_PX),
            nn.Conv2d(3 * PATCH_PX**2, width, 3, padding=1),  # 32 px
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 2, stride=2),  # 16 px
            Block(2 * width),
            nn.ReLU(),
            nn.Conv2d(2 * width, 4 * width, 2, stride=2),  # 8 px
            Block(4 * width),
            nn.ReLU(),
            nn.Conv2d(4 * width, 2 * width, 1),
            nn.ReLU(),
            nn.Flatten(),
            zeroed(nn.Linear(2 * width * SMALLEST_PX**2, made)),
        )
        self.components = nn.Linear(3 * COARSE_PX**2, made)

    def forward(self, pictures: Tensor) -> Tensor:
        darkness = (1 - pictures).contiguous(memory_format=torch.channels_last)
        components: Tensor = self.components(coarse(darkness))
        refinement: Tensor = self.convolutions(darkness)
        return components + refinement


class Decoder(nn.Module):
    """Codes (n, latent_dim) to pictures (n, 3, 128, 128), unbounded."""

    def __init__(self, latent_dim: int, width: int) -> None:
        super().__init__()
        self.spread = nn.Linear(latent_dim, 4 * width * SMALLEST_PX**2)
        self.convolutions = nn.Sequential(
            nn.Unflatten(1, (4 * width, SMALLEST_PX, SMALLEST_PX)),
            Block(4 * width),
            nn.ReLU(),
            nn.Conv2d(4 * width, 8 * width, 1),
            nn.PixelShuffle(2),  # 16 px
            Block(2 * width),
            nn.ReLU(),
            nn.Conv2d(2 * width, 4 * width, 1),
            nn.PixelShuffle(2),  # 32 px
            Block(width),
            nn.ReLU(),
            zeroed(nn.Conv2d(width, 3 * PATCH_PX**2, 3, padding=1)),
            nn.PixelShuffle(PATCH_PX),
        )
        self.components = nn.Linear(latent_dim, 3 * COARSE_PX**2)

    def forward(self, codes: Tensor) -> Tensor:
        blurred = self.components(codes).unflatten(1, (3, COARSE_PX, COARSE_PX))
        blurred = F.interpolate(blurred, size=(PICTURE_PX, PICTURE_PX), mode="bilinear")
        details: Tensor = self.convolutions(self.spread(codes))
        return 1 - (blurred + details)


def zeroed(layer: nn.Conv2d | nn.Linear) -> nn.Module:
    """The layer with zero weights: what it adds to grows from nothing (Zhang et al., 2019)."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def coarse(darkness: Tensor) -> Tensor:
    """What principal components see of a picture: (n, 3 * COARSE_PX ** 2)."""
    return F.avg_pool2d(darkness, PICTURE_PX // COARSE_PX).flatten(1)


def weigh_hue(values: Tensor, weight: float = HUE) -> Tensor:
    """Stretches what sets three colours apart from their mean: (..., 3 * k) to the same shape."""
    colours = values.reshape(*values.shape[:-1], 3, -1)
    grey = colours.mean(-2, keepdim=True)
    stretched: Tensor = grey + weight * (colours - grey)
    return stretched.flatten(-2)


@torch.no_grad()
def start_from_components(encoder: Encoder, decoder: Decoder, pictures: Tensor) -> None:
    """Makes the halves a principal component analysis (Pearson, 1901) of coarse pictures.

    Hues weigh more than lightness there (HUE). Codes are scaled so that the mean square of their
    numbers is 1; distances keep their ratios. Where there are fewer pictures than components, the
    other numbers start as zeros.
    """
    seen = coarse(1 - pictures).float()
    mean = seen.mean(0)
    spread = weigh_hue(seen - mean)
    count = min(decoder.components.in_features, len(seen))
    sketch = min(
        count + 32, *seen.shape
    )  # the last axes of a sketch are rough (Halko et al., 2011)
    _, sizes, axes = torch.pca_lowrank(spread, q=sketch, center=False, niter=4)
    sizes, axes = sizes[:count], axes.T[:count]
    scale = (sizes.square().sum() / len(seen) / count).sqrt().clamp_min(1e-6)
    for layer in (encoder.components, decoder.components):
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
    encoder.components.weight[:count] = weigh_hue(axes) / scale
    encoder.components.bias[:count] = -(weigh_hue(axes) @ mean) / scale
    decoder.components.weight[:, :count] = weigh_hue(axes, 1 / HUE).T * scale
    decoder.components.bias.copy_(mean)
