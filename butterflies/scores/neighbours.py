"""How far neighbours agree on a label that no training has seen: k nearest neighbours.

Plain accuracy is the share of right answers; balanced accuracy is the mean over the labels of
each one's share (Brodersen et al., 2010); the majority baseline always answers the most frequent.
Distances are Euclidean; of labels with equally many votes the first by name wins.
"""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics.pairwise import euclidean_distances

Vectors = npt.NDArray[np.floating[Any]]
Labels = Sequence[Hashable | None]
Numbers = npt.NDArray[np.int64]

NOBODY = -1
"""The row of a neighbour that there is not."""

BLOCK = 1024
"""Vectors compared with all the known at a time."""


class TooFewError(ValueError):
    """Nobody to ask, or nothing to choose from."""


@dataclass(frozen=True)
class Accuracy:
    """A score, from 0 to 1.

    Attributes:
        plain: share of right answers.
        balanced: mean over the labels of the share of right answers; by chance 1 / labels.
        majority: plain accuracy of always answering the most frequent label.
        n: how many were asked.
        right: whether each of them was told right (n), in the order in which they were given.
    """

    plain: float
    balanced: float
    majority: float
    n: int
    right: npt.NDArray[np.bool_] = field(repr=False, compare=False)


@dataclass(frozen=True)
class Known:
    """Those who answer.

    Attributes:
        vectors: (n, d), codes or places.
        labels: n labels; who has None does not answer.
        groups: n specimens or species; nobody answers for its own group.
    """

    vectors: Vectors
    labels: Labels
    groups: Sequence[Hashable]


def told_by(
    known: Known, vectors: Vectors, labels: Labels, groups: Sequence[Hashable], k: int = 5
) -> Accuracy:
    """How often the k nearest of the known tell the label of those asked.

    Args:
        known: those who answer.
        vectors: (m, d) of those asked.
        labels: m labels; who has None is not asked.
        groups: m groups, such as those of the known.
        k: neighbours that vote; fewer where there are no more of other groups.

    Raises:
        TooFewError: nobody to ask has a label, or the known have fewer than two different ones.
    """
    there, here = _labelled(known.labels), _labelled(labels)
    truth = _numbered([*(known.labels[i] for i in there), *(labels[i] for i in here)])
    belongs = _numbered([*(known.groups[i] for i in there), *(groups[i] for i in here)])
    n = len(there)
    if not here or len(np.unique(truth[:n])) < 2:
        raise TooFewError("Somebody to ask and two known labels are needed.")
    answering, asked = np.asarray(known.vectors)[there], np.asarray(vectors)[here]
    rows = nearest_known(answering, belongs[:n], asked, belongs[n:], k)
    return _accuracy(_vote(truth[:n], rows), truth[n:])


def knn_accuracy(
    vectors: Vectors,
    labels: Labels,
    groups: Sequence[Hashable] | None = None,
    k: int = 5,
    folds: int = 5,
    seed: int = 0,
) -> Accuracy:
    """How often the k nearest of the other folds tell a vector's label.

    Args:
        vectors: (n, d), codes or places.
        labels: n labels; None leaves a vector out.
        groups: n specimens; all vectors of one are in the same fold. None: each its own.
        k: neighbours that vote.
        folds: parts that the groups are dealt to, label by label.
        seed: of the dealing.

    Raises:
        TooFewError: fewer than two vectors or groups with a label.
    """
    kept = _labelled(labels)
    truth = _numbered([labels[i] for i in kept])
    belongs = _numbered([i if groups is None else groups[i] for i in kept])
    if len(np.unique(belongs)) < 2:
        raise TooFewError("At least two groups with a label are needed.")
    shown, fold_of = np.asarray(vectors)[kept], _deal(truth, belongs, folds, seed)
    return _accuracy(_vote(truth, nearest_known(shown, fold_of, shown, fold_of, k)), truth)


def species_held_out(
    vectors: Vectors, genera: Labels, species: Labels, k: int = 5, known: Known | None = None
) -> Accuracy:
    """How often the k nearest of OTHER species tell the genus.

    Asked are only specimens of whose genus another species is known; all answer that have both.

    Args:
        vectors: (n, d), codes or places.
        genera: n genera; None leaves a vector out.
        species: n species, unique over genera (`Papilio machaon`); None leaves a vector out.
        k: neighbours that vote.
        known: those who answer: labels are genera, groups species. None: `vectors` themselves.

    Raises:
        TooFewError: of no genus is another species known.
    """
    known = known or Known(vectors, genera, species)
    named = Known(known.vectors, _of_a_species(known.labels, known.groups), known.groups)
    species_of: dict[Hashable, set[Hashable]] = defaultdict(set)
    for genus, kind in zip(named.labels, named.groups, strict=True):
        species_of[genus].add(kind)
    asked = [
        genus if genus is not None and species_of[genus] - {kind} else None
        for genus, kind in zip(_of_a_species(genera, species), species, strict=True)
    ]
    if asked.count(None) == len(asked):
        raise TooFewError("No genus has two species.")
    return told_by(named, vectors, asked, species, k)


def nearest_known(
    known: Vectors, known_groups: Numbers, asked: Vectors, asked_groups: Numbers, k: int
) -> Numbers:
    """The k nearest of the known that are of another group than those asked.

    Args:
        known: (n, d).
        known_groups: (n,).
        asked: (m, d).
        asked_groups: (m,).
        k: how many, all where n is smaller.

    Returns:
        Their rows (m, min(k, n)), nearest first; NOBODY where there are not so many.
    """
    count = min(k, len(known))
    rows = np.empty((len(asked), count), dtype=np.int64)
    there, here = np.asarray(known, np.float64), np.asarray(asked, np.float64)
    for start in range(0, len(asked), BLOCK):
        part = slice(start, start + BLOCK)
        apart = euclidean_distances(here[part], there, squared=True)
        apart[asked_groups[part, None] == known_groups] = np.inf
        near = np.argpartition(apart, count - 1, axis=1)[:, :count]
        found = np.take_along_axis(apart, near, 1)
        order = np.lexsort((near, found), axis=1)
        near, found = (np.take_along_axis(values, order, 1) for values in (near, found))
        rows[part] = np.where(np.isfinite(found), near, NOBODY)
    return rows


def _labelled(labels: Labels) -> list[int]:
    return [row for row, label in enumerate(labels) if label is not None]


def _of_a_species(genera: Labels, species: Labels) -> Labels:
    return [None if s is None else g for g, s in zip(genera, species, strict=True)]


def _numbered(values: Sequence[Hashable]) -> Numbers:
    number = {value: n for n, value in enumerate(sorted(set(values), key=repr))}
    return np.array([number[value] for value in values], dtype=np.int64)


def _deal(truth: Numbers, groups: Numbers, folds: int, seed: int) -> Numbers:
    """A fold for each vector: groups in random order, sorted by label, dealt in turn."""
    names, first = np.unique(groups, return_index=True)
    shuffled = np.random.default_rng(seed).permutation(len(names))
    dealt = shuffled[np.argsort(truth[first][shuffled], kind="stable")]
    fold_of = np.empty(len(names), dtype=np.int64)
    fold_of[dealt] = np.arange(len(names)) % folds
    return fold_of[np.searchsorted(names, groups)]


def _vote(truth: Numbers, rows: Numbers) -> Numbers:
    """The most frequent label of neighbours (m, k), the smallest of equals; NOBODY's is none."""
    votes = np.where(rows == NOBODY, NOBODY, truth[rows])
    counts = (votes[:, :, None] == votes[:, None, :]).sum(axis=2) * (rows != NOBODY)
    most = counts == counts.max(axis=1, keepdims=True)
    answers: Numbers = np.where(most, votes, np.iinfo(np.int64).max).min(axis=1)
    return answers


def _accuracy(answers: Numbers, truth: Numbers) -> Accuracy:
    right = answers == truth
    per_label = [right[truth == label].mean() for label in np.unique(truth)]
    majority = np.bincount(truth).max() / len(truth)
    plain, balanced = float(right.mean()), float(np.mean(per_label))
    return Accuracy(plain, balanced, float(majority), len(truth), right)
