"""How far a map can be trusted: do similar specimens lie together, and only they?

k-NN recall (Lee and Verleysen, 2009) is the share of a specimen's nearest codes that are among its
nearest on the map. Trustworthiness is lowered by neighbours on the map whose codes are far,
continuity by near codes that the map has torn apart, both by how far in ranks (Venna and Kaski,
2001). Genus purity is the share of neighbours that are of the specimen's own genus.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from butterflies.encoding.neighbours import NEIGHBOURS, Codes, Rows, lifted, squared_distances
from butterflies.tracking.console import progress

COLUMNS = ("knn_recall", "trustworthiness", "continuity", "genus_purity", "genus_purity_codes")

SAMPLE = 20_000
"""Of more specimens so many, drawn at random, are ranked against all others."""

BLOCK_CELLS = 1 << 24
"""Distances held at a time."""

Points = npt.NDArray[np.float64]
Shares = npt.NDArray[np.float64]
Squares = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Trust:
    """Scores from 0 to 1, the higher the better.

    Attributes:
        columns: of each of COLUMNS a value for every specimen (n,); NaN where there is none.
        scores: `map/<column>`, the mean over specimens; `map/genus_purity_chance`, the purity of
            neighbours drawn by lot; `map/ranked`, of how many specimens trustworthiness and
            continuity are known.
    """

    columns: dict[str, Shares]
    scores: dict[str, float]


def trust(
    codes: Codes,
    points: Points,
    near: Rows,
    genera: Sequence[Hashable | None],
    specimens: Sequence[Hashable],
    seed: int = 0,
) -> Trust:
    """Scores a map, with as many neighbours as the similar-specimen lists have.

    Args:
        codes: (n, d).
        points: (n, 2) on the map.
        near: (n, k) rows of each one's nearest codes, nearest first, itself left out.
        genera: n genera; None where unknown.
        specimens: n specimens; photographs of one do not vouch for each other's genus.
        seed: of the sample, where there are more than SAMPLE.
    """
    n = len(codes)
    k = min(NEIGHBOURS, (n - 1) // 2)  # with more, ranks could not be normalised
    columns = {name: np.full(n, np.nan) for name in COLUMNS}
    if k < 1:
        return Trust(columns, {})
    near, beside = near[:, :k], nearest_points(points, k)
    kinds, owners = _numbered(genera), _numbered(specimens)
    columns["knn_recall"] = (near[:, :, None] == beside[:, None, :]).any(axis=2).mean(axis=1)
    columns["genus_purity"] = _purity(beside, kinds, owners)
    columns["genus_purity_codes"] = _purity(near, kinds, owners)
    rows = _sample(n, seed)
    columns["trustworthiness"][rows] = _kept(_code_ranks(codes, rows, beside), n)
    columns["continuity"][rows] = _kept(_point_ranks(points, rows, near), n)
    scores = {f"map/{name}": _mean(columns[name]) for name in COLUMNS}
    scores |= {"map/genus_purity_chance": _chance(kinds), "map/ranked": float(len(rows))}
    return Trust(columns, {name: value for name, value in scores.items() if np.isfinite(value)})


def told(scores: Mapping[str, float], n: int) -> list[str]:
    """The scores of a map of n specimens in sentences."""
    if "map/trustworthiness" not in scores:
        return []
    ranked = int(scores["map/ranked"])
    sampled = f" (of {ranked:,} specimens drawn by lot)" if ranked < n else ""
    sentences = [
        f"Of {min(NEIGHBOURS, (n - 1) // 2)} most similar specimens, "
        f"{scores['map/knn_recall']:.0%} are among the nearest on the map; trustworthiness "
        f"{scores['map/trustworthiness']:.3f}, continuity {scores['map/continuity']:.3f}{sampled}."
    ]
    if {"map/genus_purity", "map/genus_purity_codes", "map/genus_purity_chance"} <= set(scores):
        sentences.append(
            f"{scores['map/genus_purity']:.0%} of neighbours on the map are of the same genus, "
            f"{scores['map/genus_purity_codes']:.0%} of those by codes, "
            f"{scores['map/genus_purity_chance']:.0%} by chance."
        )
    return sentences


def nearest_points(points: Points, k: int) -> Rows:
    """Rows (n, k) of the k nearest of each point, itself left out."""
    found = cKDTree(points).query(points, k + 1)[1].astype(np.int64)
    own = found == np.arange(len(points))[:, None]
    own[~own.any(axis=1), -1] = True  # among many equal points a point may miss itself
    return np.asarray(found[~own].reshape(len(points), k))


def _sample(n: int, seed: int) -> Rows:
    if n <= SAMPLE:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, SAMPLE, replace=False))


def _kept(ranks: Rows, n: int) -> Shares:
    """1 less the ranks beyond k in which k neighbours (m, k) lie, over the worst there could be."""
    k = ranks.shape[1]
    beyond = np.maximum(ranks - k, 0).sum(axis=1)
    return np.asarray(1 - 2 * beyond / (k * (2 * n - 3 * k - 1)))


def _code_ranks(codes: Codes, rows: Rows, others: Rows) -> Rows:
    """Ranks (m, k), from 1, of `others` of each of m rows by the distance of their codes."""
    centred = codes - codes.mean(axis=0)
    high = lifted(centred)
    blocks = (squared_distances(centred[part], high) for part in _blocks(rows, codes))
    return _ranks(blocks, rows, others)


def _point_ranks(points: Points, rows: Rows, others: Rows) -> Rows:
    """The same by the distance of their points."""
    x, y = points.T
    blocks = ((x[part, None] - x) ** 2 + (y[part, None] - y) ** 2 for part in _blocks(rows, points))
    return _ranks(blocks, rows, others)


def _blocks(rows: Rows, vectors: npt.NDArray[Any]) -> list[Rows]:
    size = max(1, BLOCK_CELLS // len(vectors))
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _ranks(blocks: Iterator[Squares], rows: Rows, others: Rows) -> Rows:
    """One more than are strictly nearer; `blocks` holds the distances of `rows` to all."""
    ranks = np.empty((len(rows), others.shape[1]), dtype=np.int64)
    lines = (line for block in blocks for line in block)
    for number, line in enumerate(progress(lines, "Ranks of neighbours", total=len(rows))):
        own = rows[number]
        line[own] = np.inf
        ranks[number] = [1 + np.count_nonzero(line < limit) for limit in line[others[own]]]
    return ranks


def _purity(near: Rows, kinds: Rows, owners: Rows) -> Shares:
    """Share of known neighbours (n, k) of one's own kind; NaN where there is none to tell."""
    known = (kinds[near] >= 0) & (owners[near] != owners[:, None])
    alike = (known & (kinds[near] == kinds[:, None])).sum(axis=1)
    counted = np.where(kinds >= 0, known.sum(axis=1), 0)
    share = np.divide(alike, counted, out=np.full(len(near), np.nan), where=counted > 0)
    return np.asarray(share)


def _chance(kinds: Rows) -> float:
    """How often two of a known kind are of the same."""
    counts = np.bincount(kinds[kinds >= 0]).astype(np.float64)
    total = counts.sum()
    return float((counts * (counts - 1)).sum() / (total * (total - 1))) if total > 1 else np.nan


def _mean(values: Shares) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else np.nan


def _numbered(values: Sequence[Hashable | None]) -> Rows:
    """A number for each value, -1 for None."""
    number: dict[Hashable | None, int] = {None: -1}
    return np.array([number.setdefault(value, len(number) - 1) for value in values], np.int64)
