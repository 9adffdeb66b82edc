"""An encoder whose first layer is a dictionary of patches, learned by k-means before training.

A. Coates, A. Ng and H. Lee, "An analysis of single-layer networks in unsupervised feature
learning" (2011): whitened patches, a soft threshold, pooling over a coarse grid. Here the whitened
principal components of pooled activations and coarse pixels, brought to one length, are the code:
activations tell look from look, pixels are there for the decoder.
"""

import torch
import torch.nn.functional as F
from sklearn.cluster import MiniBatchKMeans
from torch import Tensor, nn

from butterflies.encoding.network import COARSE_PX, Decoder, coarse, weigh_hue
from butterflies.errors import UserError

SHRINK = 4
"""Patches are taken of pictures of a quarter of the size, 32 px."""

PATCH_PX = 6
ATOMS = 200
GRID = 4
"""Activations are pooled over a grid of 4 x 4 cells."""

NOTHING = 1e-3
"""Darkness up to which a pixel counts as background."""

TAKEN = 100_000
"""Patches that the dictionary is learned from, at most; as many of each picture."""

THRESHOLD = 1.0
"""By how much a whitened patch must reach along an atom to count, in deviations."""

SMOOTHING = 0.1
"""Added to a patch direction's variance before whitening, as a share of the mean variance."""

PIXELS = 1.0
"""How much the coarse pixels of a picture count beside its activations, in deviations."""

WHITENING = 0.75
"""Power of a component's deviation that it is divided by; 1 would count all of them alike."""


class DictionaryEncoder(nn.Module):
    """Pictures (n, 3, 128, 128), 0 to 1, to codes (n, latent_dim), all of one length."""

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        self.atoms = nn.Conv2d(3, ATOMS, PATCH_PX)
        self.components = nn.Linear(ATOMS * GRID**2 + 3 * COARSE_PX**2, latent_dim)

    def forward(self, pictures: Tensor) -> Tensor:
        codes: Tensor = self.components(self.features(pictures))
        length: float = codes.shape[1] ** 0.5
        return F.normalize(codes, dim=1) * length

    def features(self, pictures: Tensor) -> Tensor:
        """Roots of each atom's activation in each cell, then coarse pixels: (n, 3200 + 3072)."""
        seen = seen_by_patches(pictures)
        there = F.max_pool2d(seen.abs().amax(1, keepdim=True), PATCH_PX, 1) > NOTHING
        pooled = F.adaptive_avg_pool2d(F.relu(self.atoms(seen)) * there, GRID).flatten(1)
        return torch.cat([(pooled + 1e-6).sqrt(), seen.flatten(1)], 1)


def seen_by_patches(pictures: Tensor) -> Tensor:
    """Darkness at 32 px, hues weighing more: (n, 3, 32, 32)."""
    dark = F.avg_pool2d(1 - pictures, SHRINK)
    return weigh_hue(dark.flatten(1)).view_as(dark)


@torch.no_grad()
def start_from_dictionary(encoder: DictionaryEncoder, decoder: Decoder, pictures: Tensor) -> None:
    """Learns the dictionary and the components of pictures (n, 3, 128, 128), and a first decoder.

    Where there are fewer pictures than numbers in a code, the other numbers stay 0.
    """
    _learn_atoms(encoder, seen_by_patches(pictures))
    features = torch.cat([encoder.features(part) for part in torch.split(pictures, 64)])
    mean, scales = features.mean(0), _scales(features)
    count = min(encoder.components.out_features, len(features) - 1)
    sketch = min(count + 32, *features.shape)
    spread = (features - mean) * scales
    _, sizes, axes = torch.pca_lowrank(spread, q=sketch, center=False, niter=4)
    deviations = (sizes[:count] / len(features) ** 0.5).clamp_min(1e-6)
    axes = axes.T[:count] / deviations[:, None] ** WHITENING * scales
    for layer in (encoder.components, decoder.components):
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
    encoder.components.weight[:count] = axes
    encoder.components.bias[:count] = -(axes @ mean)
    codes = torch.cat([encoder(part) for part in torch.split(pictures, 64)])
    _regress(decoder.components, codes, coarse(1 - pictures).float())


def _scales(features: Tensor) -> Tensor:
    """What brings activations to deviation 1 together, and pixels to PIXELS: (3200 + 3072)."""
    variances = features.var(0)
    parts = torch.split(variances, [ATOMS * GRID**2, 3 * COARSE_PX**2])
    deviations = [part.sum().sqrt().clamp_min(1e-6).expand_as(part) for part in parts]
    return torch.cat([1 / deviations[0], PIXELS / deviations[1]])


def _learn_atoms(encoder: DictionaryEncoder, seen: Tensor) -> None:
    """Centres of whitened patches, with the whitening and THRESHOLD within the convolution."""
    patches = _patches(seen)
    mean = patches.mean(0)
    variances, axes = torch.linalg.eigh(torch.cov((patches - mean).T))
    scales = (variances.clamp_min(0) + SMOOTHING * variances.mean() + 1e-6).rsqrt()
    whiten = (axes * scales) @ axes.T  # symmetric
    clusters = MiniBatchKMeans(
        min(ATOMS, len(patches)), random_state=0, n_init=1, batch_size=4096, max_iter=30
    )
    centres = clusters.fit(((patches - mean) @ whiten).cpu().numpy()).cluster_centers_
    atoms = F.normalize(torch.from_numpy(centres).to(patches), dim=1) @ whiten
    nn.init.zeros_(encoder.atoms.weight)
    encoder.atoms.weight[: len(atoms)] = atoms.view(-1, *encoder.atoms.weight.shape[1:])
    nn.init.constant_(encoder.atoms.bias, -THRESHOLD)  # type: ignore[arg-type]
    encoder.atoms.bias[: len(atoms)] -= atoms @ mean  # type: ignore[index]


def _patches(seen: Tensor) -> Tensor:
    """Patches of pictures (m, 3 * PATCH_PX ** 2), by lot, none of the background.

    Raises:
        UserError: all pictures are white.
    """
    generator = torch.Generator().manual_seed(0)
    taken = []
    for picture in seen:
        found = F.unfold(picture[None], PATCH_PX)[0].T
        found = found[found.abs().amax(1) > NOTHING]
        chosen = torch.randperm(len(found), generator=generator)[: -(-TAKEN // len(seen))]
        taken.append(found[chosen.to(found.device)])
    patches = torch.cat(taken)
    if not len(patches):
        raise UserError("All pictures to train on are white: look at the cut-outs' contact sheets.")
    return patches


def _regress(layer: nn.Linear, codes: Tensor, target: Tensor) -> None:
    """Ridge regression of targets (n, m) on codes (n, d)."""
    mean = target.mean(0)
    gram = codes.T @ codes + 0.1 * len(codes) * torch.eye(codes.shape[1], device=codes.device)
    layer.weight.copy_(torch.linalg.solve(gram, codes.T @ (target - mean)).T)
    layer.bias.copy_(mean)
