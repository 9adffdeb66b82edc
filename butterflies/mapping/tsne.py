"""t-SNE by openTSNE, on neighbours that are found already."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from openTSNE import TSNE as Optimiser
from openTSNE import TSNEEmbedding
from openTSNE.affinity import Affinities, PerplexityBasedNN, joint_probabilities_nn
from openTSNE.nearest_neighbors import PrecomputedNeighbors
from scipy.sparse import csr_matrix

from butterflies.compute import cores
from butterflies.encoding.neighbours import Near, Rows, nearest_to
from butterflies.errors import UserError
from butterflies.mapping.projection import (
    FEWEST,
    METRICS,
    PCA,
    Codes,
    Points,
    Watch,
    beside,
    sought,
    start_of,
    unit_length,
)
from butterflies.tracking.console import progress, say

EARLY = 250
"""Steps of early exaggeration."""

TICK = 25
"""Steps between two moves of the progress bar."""

THREADS_FROM = 4_000
"""With fewer points threads wait for one another longer than they work."""

FFT_FROM = 10_000
"""From here on interpolation is faster than the tree of Barnes and Hut."""

START = 1e-4
"""Standard deviation from which the points set out."""


@dataclass
class TSNE:
    """t-distributed stochastic neighbour embedding by openTSNE (Poličar et al., 2024).

    van der Maaten and Hinton, 2008; interpolated by FFT after Linderman et al., 2019;
    PCA start and learning rate n / exaggeration after Kobak and Berens, 2019, and Belkina
    et al., 2019.

    Attributes:
        perplexity: about how many neighbours count for each specimen.
        exaggeration: attraction after the first phase; over 1 draws clusters tighter.
        metric: euclidean, or cosine, by which only the direction of a code counts.
        learning_rate: auto is n / exaggeration.
        iterations: steps after those of early exaggeration.
        frames_every: a picture for the film `plots/tsne.webp` after every so many steps; 0 = none.
    """

    perplexity: float = 30.0
    exaggeration: float = 1.0
    metric: str = "euclidean"
    learning_rate: float | str = "auto"
    iterations: int = 500
    frames_every: int = 0

    def __post_init__(self) -> None:
        """Raises UserError where a value makes no sense."""
        for name in ("perplexity", "exaggeration", "iterations", "learning_rate"):
            value = getattr(self, name)
            automatic = name == "learning_rate" and value == "auto"
            if not automatic and (isinstance(value, str) or not value > 0):
                raise UserError(f"projection.{name}={value} is no number above 0.")
        if self.frames_every < 0:
            raise UserError(f"projection.frames_every={self.frames_every}: give 0 or more.")
        if self.metric not in METRICS:
            raise UserError(f"projection.metric={self.metric}: give {' or '.join(METRICS)}.")

    def neighbours(self, n: int) -> int:
        """Three times the perplexity; of cosine neighbours it takes care itself."""
        if n < FEWEST or self.metric != "euclidean":
            return 0
        return int(3 * self._perplexity(n))

    def project(
        self,
        codes: Codes,
        seed: int = 0,
        workers: int = 0,
        near: Near | None = None,
        start: Points | None = None,
        watch: Watch | None = None,
    ) -> Points:
        """See `Projection.project`."""
        if len(codes) < FEWEST:
            return too_few("t-SNE", codes)
        perplexity, threads = self._perplexity(len(codes)), cores(workers)
        if perplexity < self.perplexity:
            say(
                f"Perplexity {self.perplexity:g} is too high for {len(codes)} specimens: "
                f"{perplexity:.1f} used."
            )
        near = sought(codes, int(3 * perplexity), self.metric, near, seed, workers)
        order = near.order()  # far fewer waits for memory: a third less time for 150,000
        near = near.reordered(order)
        known = PrecomputedNeighbors(near.rows, near.distances)
        affinities = PerplexityBasedNN(knn_index=known, perplexity=perplexity, n_jobs=threads)
        every = self.frames_every if watch and self.frames_every else TICK
        optimiser = Optimiser(
            exaggeration=self.exaggeration,
            learning_rate=self.learning_rate,
            early_exaggeration_iter=EARLY,
            n_iter=self.iterations,
            negative_gradient_method=_method(len(codes)),
            n_jobs=threads if len(codes) > THREADS_FROM else 1,
            random_state=seed,
            callbacks=_Ticks(EARLY + self.iterations, every, order, watch),
            callbacks_every_iters=every,
        )
        begun = start_of(codes, seed, START, start)[order]
        return _put_back(optimiser.fit(affinities=affinities, initialization=begun), order)

    def place(
        self, known: Codes, points: Points, codes: Codes, seed: int = 0, workers: int = 0
    ) -> Points:
        """See `Projection.place`; by openTSNE's `transform`."""
        if len(known) < FEWEST or not len(codes):
            return beside(known, points, codes, seed, workers)
        middle = (points.max(axis=0) + points.min(axis=0)) / 2  # where `transform` wants 0
        if self.metric == "cosine":
            known, codes = unit_length(known), unit_length(codes)
        old = TSNEEmbedding(
            points - middle,
            _Known(known, seed, workers),
            negative_gradient_method=_method(len(known)),
            n_jobs=cores(workers) if len(codes) > THREADS_FROM else 1,
        )
        return np.asarray(old.transform(codes) + middle)

    def _perplexity(self, n: int) -> float:
        """At most a third of the other specimens, as the method needs."""
        return min(self.perplexity, (n - 1) / 3)


class _Known(Affinities):  # type: ignore[misc]
    """The codes of a map, for openTSNE's `transform`, which seeks neighbours among them."""

    def __init__(self, codes: Codes, seed: int, workers: int) -> None:
        super().__init__()
        self.codes, self.seed, self.workers = codes, seed, workers
        self.P = csr_matrix((len(codes), len(codes)))  # between the codes: nothing moves them

    def to_new(self, data: Codes, perplexity: float = 5, return_distances: bool = False) -> Any:
        near = nearest_to(self.codes, data, int(3 * perplexity), self.seed, self.workers)
        fitting = min(perplexity, near.rows.shape[1] / 3)
        affinities = joint_probabilities_nn(
            near.rows,
            near.distances,
            [fitting],
            symmetrize=False,
            normalization="point-wise",
            n_reference_samples=len(self.codes),
        )
        return (affinities, near.rows, near.distances) if return_distances else affinities


def too_few(name: str, codes: Codes) -> Points:
    """The points of so few codes that a method cannot place them."""
    if len(codes) > 1:
        say(f"{len(codes)} specimens are too few for {name}: they are placed by PCA.")
    return PCA().project(codes)


def _put_back(points: Points, order: Rows) -> Points:
    """Points (n, 2) of which number i belongs to row order[i]."""
    found = np.empty(points.shape)
    found[order] = points
    return found


def _method(n: int) -> str:
    return "fft" if n > FFT_FROM else "bh"


class _Ticks:
    """A callback that moves a progress bar on and shows the points to who watches."""

    def __init__(self, steps: int, every: int, order: Rows, watch: Watch | None) -> None:
        self.bar: Iterator[int] = iter(progress(range(0, steps, every), "t-SNE"))
        self.order, self.watch = order, watch
        self.phases = 0

    def optimization_about_to_start(self) -> None:
        """Is called before early exaggeration and before what follows it."""
        self.phases += 1

    def __call__(self, iteration: int, error: float, embedding: Points) -> None:
        next(self.bar, None)
        if self.watch:
            points = _put_back(embedding, self.order)
            self.watch(iteration + EARLY * (self.phases - 1), points)
