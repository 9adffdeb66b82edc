"""Latent codes to points in the plane: what t-SNE, UMAP and PCA share, and the simple ones."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from butterflies.encoding.neighbours import Near, nearest, nearest_to
from butterflies.mapping.aligning import similarity

Points = npt.NDArray[np.float64]
Codes = npt.NDArray[np.float32]
METRICS = ("euclidean", "cosine")

Watch = Callable[[int, Points], None]
"""Is shown the number of steps done and the points (n, 2) while they move."""

FEWEST = 5
"""With fewer points than this neighbours mean nothing, and every projection is PCA."""

BESIDE = 5
"""So many neighbours tell where a specimen lies that no method has placed."""


class Projection(Protocol):
    """What TSNE, UMAP, PCA and Precomputed share."""

    def neighbours(self, n: int) -> int:
        """How many Euclidean neighbours of each of n codes `project` takes, 0 for none."""

    def project(
        self,
        codes: Codes,
        seed: int = 0,
        workers: int = 0,
        near: Near | None = None,
        start: Points | None = None,
        watch: Watch | None = None,
    ) -> Points:
        """Places every code in the plane.

        Args:
            codes: (n, d), finite; n may be 0.
            seed: the same codes and seed give the same points, bit for bit.
            workers: threads, 0 = all cores; they do not change the points.
            near: at least `neighbours(n)` of each code; sought where not given.
            start: (n, 2), a map to start from instead of the first two principal components.
            watch: is shown the points on their way, where the method moves them.

        Returns:
            (n, 2) in the method's own units; the second coordinate points down on maps and plots.
        """

    def place(
        self, known: Codes, points: Points, codes: Codes, seed: int = 0, workers: int = 0
    ) -> Points:
        """Places further codes on a map, whose own points stay.

        Args:
            known: (n, d), the codes of the map, n > 0.
            points: (n, 2), their points.
            codes: (m, d), the further ones.
            seed: see `project`.
            workers: see `project`.

        Returns:
            (m, 2).
        """


@dataclass
class PCA:
    """The two directions of largest variance (Pearson, 1901)."""

    def neighbours(self, n: int) -> int:
        return 0

    def project(
        self,
        codes: Codes,
        seed: int = 0,
        workers: int = 0,
        near: Near | None = None,
        start: Points | None = None,
        watch: Watch | None = None,
    ) -> Points:
        """See `Projection.project`; there is nothing to start from."""
        return components(codes, codes)

    def place(
        self, known: Codes, points: Points, codes: Codes, seed: int = 0, workers: int = 0
    ) -> Points:
        """See `Projection.place`; on a map that was turned or mirrored, too."""
        turned = similarity(components(known, known), points)
        return turned(components(known, codes))


@dataclass
class Precomputed:
    """Points of one's own: `positions=` tells them."""

    def neighbours(self, n: int) -> int:
        return 0

    def project(
        self,
        codes: Codes,
        seed: int = 0,
        workers: int = 0,
        near: Near | None = None,
        start: Points | None = None,
        watch: Watch | None = None,
    ) -> Points:
        """The codes themselves, (n, 2)."""
        return codes.astype(np.float64)

    def place(
        self, known: Codes, points: Points, codes: Codes, seed: int = 0, workers: int = 0
    ) -> Points:
        """See `Projection.place`."""
        return beside(known, points, codes, seed, workers)


def components(known: Codes, codes: Codes) -> Points:
    """The codes (m, d) along the first two principal components of the known (n, d)."""
    from sklearn.decomposition import PCA as Components  # takes half a second

    points = np.zeros((len(codes), 2))
    wanted = min(2, *known.shape)
    if len(known) > 1 and len(codes) and np.ptp(known, axis=0).any():
        found = Components(wanted, svd_solver="full").fit(known.astype(np.float64))
        points[:, :wanted] = found.transform(codes.astype(np.float64))
    return points


def beside(known: Codes, points: Points, codes: Codes, seed: int = 0, workers: int = 0) -> Points:
    """Places further codes (m, d) at the median of their nearest known codes' points."""
    rows = nearest_to(known, codes, BESIDE, seed, workers).rows
    return np.asarray(np.median(points[rows], axis=1))


def start_of(codes: Codes, seed: int, deviation: float, start: Points | None = None) -> Points:
    """A start, else PCA, at a standard deviation along its longer axis; equal points told apart."""
    points = components(codes, codes) if start is None else start - start.mean(axis=0)
    spread = points.std(axis=0).max() or 1.0
    jitter = np.random.default_rng(seed).normal(0, 0.01, points.shape)
    return np.asarray(deviation * (points / spread + jitter))


def unit_length(codes: Codes) -> Codes:
    """Codes (n, d) of length 1, whose Euclidean neighbours are those by cosine; 0 stays 0."""
    length = np.linalg.norm(codes, axis=1, keepdims=True)
    return np.asarray(np.divide(codes, length, out=np.zeros_like(codes), where=length > 0))


def sought(codes: Codes, k: int, metric: str, near: Near | None, seed: int, workers: int) -> Near:
    """The k nearest by a metric, and distances in it; taken from `near` where that has them."""
    if metric == "cosine":
        found = nearest(unit_length(codes), k, seed, workers)
        return Near(found.rows, found.distances**2 / 2, found.exact)
    return (near or nearest(codes, k, seed, workers)).first(k)
