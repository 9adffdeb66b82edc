"""Latent codes to points in the plane: t-SNE, UMAP or PCA behind one method."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from butterflies.compute import cores
from butterflies.tracking.console import progress, say

Points = npt.NDArray[np.float64]
Codes = npt.NDArray[np.float32]

FEWEST = 5
"""With fewer points than this neighbours mean nothing, and every projection is PCA."""

EARLY = 250
"""t-SNE's steps of early exaggeration."""

TICK = 10
"""t-SNE's steps between two moves of the progress bar."""

THREADS_FROM = 4_000
"""With fewer points t-SNE's threads wait for one another longer than they work."""

FFT_FROM = 10_000
"""From here on interpolation is faster than the tree of Barnes and Hut."""

EXACT_NEIGHBOURS = 20_000
"""Up to here all distances are computed; beyond, t-SNE takes Annoy's approximate neighbours."""


class Projection(Protocol):
    """What TSNE, UMAP and PCA share."""

    def project(self, codes: Codes, seed: int = 0, workers: int = 0) -> Points:
        """Places every code in the plane.

        Args:
            codes: (n, d), finite; n may be 0.
            seed: the same codes and seed give the same points, bit for bit.
            workers: threads, 0 = all cores; they do not change the points.

        Returns:
            (n, 2) in the method's own units; the second coordinate points down on maps and plots.
        """


@dataclass
class PCA:
    """The two directions of largest variance (Pearson, 1901)."""

    def project(self, codes: Codes, seed: int = 0, workers: int = 0) -> Points:
        """See `Projection.project`."""
        from sklearn.decomposition import PCA as Components

        points = np.zeros((len(codes), 2))
        if len(codes) < 2 or not np.ptp(codes, axis=0).any():
            return points
        wanted = min(2, *codes.shape)
        found = Components(wanted, svd_solver="full").fit_transform(codes.astype(np.float64))
        points[:, :wanted] = found
        return points


@dataclass
class TSNE:
    """t-distributed stochastic neighbour embedding by openTSNE.

    van der Maaten and Hinton, 2008; interpolated by FFT after Linderman et al., 2019;
    PCA start and learning rate n / exaggeration after Kobak and Berens, 2019, and Belkina
    et al., 2019.

    Attributes:
        perplexity: about how many neighbours count for each specimen.
        exaggeration: attraction after the first phase; over 1 draws clusters tighter.
        iterations: steps after those of early exaggeration.
    """

    perplexity: float = 30.0
    exaggeration: float = 1.0
    iterations: int = 500

    def project(self, codes: Codes, seed: int = 0, workers: int = 0) -> Points:
        """See `Projection.project`."""
        if len(codes) < FEWEST:
            return _too_few("t-SNE", codes)
        from openTSNE import TSNE as Optimiser
        from openTSNE.affinity import PerplexityBasedNN

        optimiser = Optimiser(
            exaggeration=self.exaggeration,
            early_exaggeration_iter=EARLY,
            n_iter=self.iterations,
            negative_gradient_method="fft" if len(codes) > FFT_FROM else "bh",
            n_jobs=cores(workers) if len(codes) > THREADS_FROM else 1,
            random_state=seed,
            callbacks=_ticks(EARLY + self.iterations),
            callbacks_every_iters=TICK,
        )
        exact = len(codes) <= EXACT_NEIGHBOURS
        affinities = PerplexityBasedNN(
            codes,
            perplexity=self._perplexity(len(codes)),
            method="exact" if exact else "annoy",
            n_jobs=cores(workers) if exact else 1,  # Annoy's trees depend on the threads
            random_state=seed,
        )
        start = _start(codes, seed, deviation=1e-4)
        return np.array(optimiser.fit(affinities=affinities, initialization=start))

    def _perplexity(self, n: int) -> float:
        """At most a third of the other specimens, as the method needs."""
        lowered = min(self.perplexity, (n - 1) / 3)
        if lowered < self.perplexity:
            say(
                f"Perplexity {self.perplexity:g} is too high for {n} specimens: {lowered:.1f} used."
            )
        return lowered


@dataclass
class UMAP:
    """Uniform manifold approximation and projection (McInnes, Healy and Melville, 2018).

    Attributes:
        n_neighbors: about how many neighbours count for each specimen.
        min_dist: how close two points may come, in the plane's units.
    """

    n_neighbors: int = 15
    min_dist: float = 0.1

    def project(self, codes: Codes, seed: int = 0, workers: int = 0) -> Points:
        """See `Projection.project`; runs on one core, since only that is repeatable."""
        if len(codes) < FEWEST:
            return _too_few("UMAP", codes)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="umap|numba|pynndescent")
            warnings.filterwarnings("ignore", "n_jobs value|.*TBB|.*force_all_finite")
            from umap import UMAP as Optimiser

            optimiser = Optimiser(
                n_neighbors=min(self.n_neighbors, len(codes) - 1),
                min_dist=self.min_dist,
                init=_start(codes, seed, deviation=5.0).astype(np.float32),
                random_state=seed,
                n_jobs=1,
            )
            return np.asarray(optimiser.fit_transform(codes), dtype=np.float64)


def _too_few(name: str, codes: Codes) -> Points:
    if len(codes) > 1:
        say(f"{len(codes)} specimens are too few for {name}: they are placed by PCA.")
    return PCA().project(codes)


def _start(codes: Codes, seed: int, deviation: float) -> Points:
    """PCA scaled to one standard deviation along its first axis, equal points told apart."""
    points = PCA().project(codes)
    spread = points[:, 0].std() or 1.0
    jitter = np.random.default_rng(seed).normal(0, 0.01, points.shape)
    return deviation * (points / spread + jitter)


def _ticks(steps: int) -> Callable[[int, float, Points], None]:
    """A callback that moves a progress bar on."""
    bar: Iterator[int] = iter(progress(range(0, steps, TICK), "t-SNE"))

    def tick(iteration: int, error: float, embedding: Points) -> None:
        next(bar, None)

    return tick
