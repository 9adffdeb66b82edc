"""Which specimens have the most similar codes."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import reverse_cuthill_mckee
from threadpoolctl import threadpool_limits

from butterflies.compute import cores, start_numba
from butterflies.tables import schema
from butterflies.tracking.console import progress, quiet

NEIGHBOURS = 12
"""In a list of similar specimens."""

SCHEMA = schema(
    pa.field("neighbour_ids", pa.list_(pa.string())),
    pa.field("distances", pa.list_(pa.float32())),
)

EXACT = 200_000
"""Up to so many codes all distances are computed; beyond, that takes longer than t-SNE."""

EXACT_PAIRS = 20_000_000_000
"""Up to so many distances between two sets of codes all are computed."""

BLOCK_CELLS = 1 << 24
"""Distances held at a time."""

SPARE = 8
"""Candidates beyond those asked for, among which exact distances decide."""

STRIDE = 16
"""The nearest of every 16th code bound how far the nearest of all can be."""

CANDIDATES = 60
"""Nearest-neighbour descent compares the neighbours of so many neighbours."""

Codes = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Distances = npt.NDArray[np.float64]
Squares = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Near:
    """The nearest codes of each of m codes by Euclidean distance.

    Attributes:
        rows: (m, k), nearest first, equal distances by row.
        distances: (m, k).
        exact: all distances were computed; else a few neighbours may be missed.
    """

    rows: Rows
    distances: Distances
    exact: bool = True

    def first(self, k: int) -> "Near":
        """The k nearest of these."""
        return Near(self.rows[:, :k], self.distances[:, :k], self.exact)

    def reordered(self, order: Rows) -> "Near":
        """The same where code number i is the one that was number order[i]."""
        number = np.empty_like(order)
        number[order] = np.arange(len(order))
        return Near(number[self.rows[order]], self.distances[order], self.exact)

    def order(self) -> Rows:
        """An order (m,) in which neighbours mostly follow each other, in memory as well.

        Reverse Cuthill-McKee (George, 1971) on the graph of the first NEIGHBOURS.
        """
        n, near = len(self.rows), self.rows[:, :NEIGHBOURS]
        owners = np.repeat(np.arange(n), near.shape[1])
        graph = csr_matrix((np.ones(near.size, np.int8), (owners, near.ravel())), (n, n))
        both = (graph + graph.T).tocsr()
        return np.asarray(reverse_cuthill_mckee(both, symmetric_mode=True), np.int64)


def nearest(codes: Codes, k: int = NEIGHBOURS, seed: int = 0, workers: int = 0) -> Near:
    """The k nearest of every code, itself left out.

    Beyond EXACT codes by nearest-neighbour descent (Dong, Moses and Li, 2011; pynndescent) on
    all cores. Same codes, seed and number of cores, same neighbours.

    Args:
        codes: (n, d), finite.
        k: how many; all others where n is not larger than k.
        seed: of the descent.
        workers: threads where all distances are computed, 0 = all cores.
    """
    count, own = min(k, max(0, len(codes) - 1)), np.arange(len(codes))
    if len(codes) <= EXACT:
        return _exact(codes, codes, count, own, workers)
    with quiet():
        rows, distances = _descent(codes, count, seed).neighbor_graph
    return _mended(codes, codes, rows, distances, count, own)


def nearest_to(known: Codes, asked: Codes, k: int, seed: int = 0, workers: int = 0) -> Near:
    """The k nearest of the known codes for every code asked.

    Args:
        known: (n, d), finite.
        asked: (m, d), finite.
        k: how many; all where n is smaller.
        seed: of the descent, where n m is beyond EXACT_PAIRS.
        workers: threads where it is not, 0 = all cores.
    """
    count = min(k, len(known))
    if len(known) * len(asked) <= EXACT_PAIRS:
        return _exact(known, asked, count, None, workers)
    with quiet():
        rows, distances = _descent(known, count, seed).query(asked, count)
    return _mended(known, asked, rows, distances, count)


def lifted(codes: Codes) -> Codes:
    """Codes (n, d) beside their squared lengths (n, d + 1), for `squared_distances`."""
    return np.column_stack([codes, np.einsum("nd,nd->n", codes, codes)])


def squared_distances(asked: Codes, known: Codes, out: Codes | None = None) -> Codes:
    """Squared distances (m, n) but for a constant of each row; accurate near the origin.

    One product does it all: another pass over so many numbers would take as long.

    Args:
        asked: (m, d).
        known: (n, d + 1), lifted.
        out: (m, n), to be written to.
    """
    ones = np.ones((len(asked), 1), asked.dtype)
    return np.matmul(np.concatenate([-2 * asked, ones], axis=1), known.T, out=out)


def neighbours_table(ids: Sequence[str], near: Near) -> pa.Table:
    """Lists of similar specimens (SCHEMA) by their assetIDs, one row each, all ok."""
    near, names = near.first(NEIGHBOURS), np.asarray(ids, dtype=object)
    columns = {
        "assetID": list(ids),
        "status": ["ok"] * len(ids),
        "reason": [None] * len(ids),
        "neighbour_ids": [list(found) for found in names[near.rows]],
        "distances": list(near.distances.astype(np.float32)),
    }
    return pa.table(columns, schema=SCHEMA)


def _exact(
    known: Codes, asked: Codes, count: int, own: Rows | None = None, workers: int = 1
) -> Near:
    """By all distances; nobody finds its own row, where `own` (m) tells it."""
    rows = np.empty((len(asked), count), dtype=np.int64)
    distances = np.empty((len(asked), count), dtype=np.float64)
    if not count:
        return Near(rows, distances)
    middle = known.mean(axis=0)
    known, asked = known - middle, asked - middle
    high, size = lifted(known), max(1, BLOCK_CELLS // len(known))
    kept = threading.local()

    def fill(part: slice) -> None:
        if not hasattr(kept, "block"):  # memory taken anew for each part costs more than the work
            kept.block = np.empty((min(size, len(asked)), len(known)), known.dtype)
        near = squared_distances(asked[part], high, kept.block[: len(asked[part])])
        mine = None if own is None else own[part, None]
        rows[part], distances[part] = _chosen(near, known, asked[part], count, mine)

    parts = [slice(start, start + size) for start in range(0, len(asked), size)]
    with threadpool_limits(1), ThreadPoolExecutor(cores(workers)) as threads:
        list(progress(threads.map(fill, parts), "Similar specimens", total=len(parts)))
    return Near(rows, distances)


def _chosen(
    near: Codes, known: Codes, asked: Codes, count: int, own: Rows | None
) -> tuple[Rows, Distances]:
    """The fast distances (m, n) propose candidates; exact ones choose and order them."""
    if own is not None:
        np.put_along_axis(near, own, np.inf, axis=1)
    candidates = np.arange(len(known))[None].repeat(len(asked), axis=0)
    if count + SPARE < len(known):
        candidates = _smallest(near, count + SPARE)
    apart = known[candidates].astype(np.float64) - asked[:, None].astype(np.float64)
    return _first(candidates, np.sqrt(np.einsum("nkd,nkd->nk", apart, apart)), count, own)


def _smallest(near: Squares, count: int) -> Rows:
    """Columns (m, count) of the smallest numbers of each row (m, n), in no order."""
    some = near[:, ::STRIDE]
    if some.shape[1] < count:
        return np.asarray(np.argpartition(near, count - 1, axis=1)[:, :count])
    limits = np.partition(some, count - 1, axis=1)[:, count - 1]
    chosen = np.empty((len(near), count), dtype=np.int64)
    for row, (line, limit) in enumerate(zip(near, limits, strict=True)):
        found = np.flatnonzero(line <= limit)
        chosen[row] = found[np.argpartition(line[found], count - 1)[:count]]
    return chosen


def _first(
    candidates: Rows, distances: Squares, count: int, own: Rows | None
) -> tuple[Rows, Distances]:
    """The nearest of the candidates (m, c) in order, their own row last."""
    if own is not None:
        distances[candidates == own] = np.inf
    order = np.lexsort((candidates, distances), axis=1)[:, :count]
    nearest = np.take_along_axis(distances, order, 1).astype(np.float64)
    return np.take_along_axis(candidates, order, 1), nearest


def _descent(codes: Codes, count: int, seed: int) -> Any:
    """The index of pynndescent; each code counts as its own neighbour there."""
    from pynndescent import NNDescent  # takes seconds, and few collections need it

    start_numba()
    return NNDescent(codes, n_neighbors=count + 1, max_candidates=CANDIDATES, random_state=seed)


def _mended(
    known: Codes,
    asked: Codes,
    found: npt.NDArray[np.int32],
    lengths: npt.NDArray[np.float32],
    count: int,
    own: Rows | None = None,
) -> Near:
    """In order, without their own rows; exactly where the descent has not found enough."""
    mine = None if own is None else own[:, None]
    lengths = np.where(found < 0, np.inf, lengths).astype(np.float64)
    rows, distances = _first(found.astype(np.int64), lengths, count, mine)
    lost = np.flatnonzero(~np.isfinite(distances).all(axis=1))
    again = _exact(known, asked[lost], count, None if own is None else own[lost])
    rows[lost], distances[lost] = again.rows, again.distances
    return Near(rows, distances, exact=False)
