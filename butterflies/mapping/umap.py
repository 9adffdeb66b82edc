"""UMAP by umap-learn, on neighbours that are found already."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from butterflies.compute import start_numba
from butterflies.encoding.neighbours import Near, nearest
from butterflies.errors import UserError
from butterflies.mapping.projection import FEWEST, Codes, Points, Watch, beside, start_of
from butterflies.mapping.tsne import too_few

START = 5.0
"""Standard deviation from which the points set out."""


@dataclass
class UMAP:
    """Uniform manifold approximation and projection (McInnes, Healy and Melville, 2018).

    Attributes:
        n_neighbors: about how many neighbours count for each specimen, itself among them.
        min_dist: how close two points may come, in the plane's units.
        densmap: dense places stay dense (Narayan, Berger and Cho, 2021).
    """

    n_neighbors: int = 15
    min_dist: float = 0.1
    densmap: bool = False

    def __post_init__(self) -> None:
        """Raises UserError where a value makes no sense."""
        if self.n_neighbors < 2:
            raise UserError(f"projection.n_neighbors={self.n_neighbors} is no number above 1.")
        if not 0 <= self.min_dist <= 1:
            raise UserError(f"projection.min_dist={self.min_dist} is no number from 0 to 1.")

    def neighbours(self, n: int) -> int:
        return min(self.n_neighbors, n) - 1 if n >= FEWEST else 0

    def project(
        self,
        codes: Codes,
        seed: int = 0,
        workers: int = 0,
        near: Near | None = None,
        start: Points | None = None,
        watch: Watch | None = None,
    ) -> Points:
        """See `Projection.project`; runs on one core, since only that is repeatable."""
        if len(codes) < FEWEST:
            return too_few("UMAP", codes)
        others = self.neighbours(len(codes))
        near = (near or nearest(codes, others, seed, workers)).first(others)
        with _quiet():
            optimiser = self._optimiser(len(codes), start_of(codes, seed, START, start), seed)
            optimiser.precomputed_knn = _with_themselves(near)
            return np.asarray(optimiser.fit_transform(codes), dtype=np.float64)

    def place(
        self, known: Codes, points: Points, codes: Codes, seed: int = 0, workers: int = 0
    ) -> Points:
        """See `Projection.place`; by umap-learn's `transform`, which densMAP has not."""
        if len(known) < FEWEST or not len(codes) or self.densmap:
            return beside(known, points, codes, seed, workers)
        with _quiet():
            model = self._optimiser(len(known), points, seed)
            model.n_epochs = 0  # `fit` shall move nothing
            model.fit(known)
            model.embedding_, model.n_epochs = points.astype(np.float32), None
            return np.asarray(model.transform(codes), dtype=np.float64)

    def _optimiser(self, n: int, start: Points, seed: int) -> Any:
        from umap import UMAP as Optimiser  # takes seconds

        start_numba()
        return Optimiser(
            n_neighbors=min(self.n_neighbors, n - 1),
            min_dist=self.min_dist,
            densmap=self.densmap,
            init=start.astype(np.float32),
            random_state=seed,
            transform_seed=seed,
            n_jobs=1,
        )


def _with_themselves(near: Near) -> tuple[Any, Any]:
    """Neighbours as umap-learn has them: everyone is its own first."""
    own = np.arange(len(near.rows))[:, None]
    rows = np.concatenate([own, near.rows], axis=1).astype(np.int32)
    distances = np.concatenate([np.zeros(own.shape), near.distances], axis=1)
    return rows, distances.astype(np.float32)


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="umap|numba|pynndescent")
        warnings.filterwarnings("ignore", "n_jobs value|.*TBB|.*force_all_finite|.*precomputed_knn")
        yield
