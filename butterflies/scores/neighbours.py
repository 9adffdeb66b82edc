"""How far neighbours agree on a label that no training has seen: k nearest neighbours.

Plain accuracy is the share of right answers; balanced accuracy is the mean over the labels of
each one's share (Brodersen et al., 2010); the majority baseline always answers the most frequent.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.neighbors import KNeighborsClassifier

Vectors = npt.NDArray[np.floating[Any]]
Labels = Sequence[Hashable | None]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Accuracy:
    """A score, from 0 to 1.

    Attributes:
        plain: share of right answers.
        balanced: mean over the labels of the share of right answers; by chance 1 / labels.
        majority: plain accuracy of always answering the most frequent label.
        n: how many were asked.
    """

    plain: float
    balanced: float
    majority: float
    n: int


def knn_accuracy(
    vectors: Vectors,
    labels: Labels,
    groups: Sequence[Hashable] | None = None,
    k: int = 5,
    folds: int = 5,
    seed: int = 0,
) -> Accuracy:
    """How often the k nearest (Euclidean) of the other folds tell a vector's label.

    Args:
        vectors: (n, d), codes or places.
        labels: n labels; None leaves a vector out.
        groups: n specimens; all vectors of one are in the same fold. None: each its own.
        k: neighbours that vote.
        folds: parts that the groups are dealt to, label by label.
        seed: of the dealing.

    Raises:
        ValueError: fewer than two vectors or groups with a label.
    """
    vectors, truth, belongs = _labelled(vectors, labels, groups)
    if len(set(belongs.tolist())) < 2:
        raise ValueError("At least two groups with a label are needed.")
    fold_of = _deal(truth, belongs, folds, seed)
    answers = np.empty_like(truth)
    for fold in np.unique(fold_of):
        asked = fold_of == fold
        answers[asked] = _vote(vectors[~asked], truth[~asked], vectors[asked], k)
    return _accuracy(answers, truth)


def species_held_out(vectors: Vectors, genera: Labels, species: Labels, k: int = 5) -> Accuracy:
    """How often the k nearest (Euclidean) of OTHER species tell the genus.

    Asked are only specimens of genera with at least two species; all answer that have a genus.

    Args:
        vectors: (n, d), codes or places.
        genera: n genera; None leaves a vector out.
        species: n species, unique over genera (`Papilio machaon`); None leaves a vector out.
        k: neighbours that vote.

    Raises:
        ValueError: no genus has two species.
    """
    both = [None if s is None else g for g, s in zip(genera, species, strict=True)]
    vectors, truth, kinds = _labelled(vectors, both, species)
    several = [g for g in np.unique(truth) if len(np.unique(kinds[truth == g])) > 1]
    asked = np.isin(truth, several)
    if not asked.any():
        raise ValueError("No genus has two species.")
    answers = np.full_like(truth, -1)
    for kind in np.unique(kinds[asked]):
        own = kinds == kind
        answers[own] = _vote(vectors[~own], truth[~own], vectors[own], k)
    return _accuracy(answers[asked], truth[asked])


def _labelled(
    vectors: Vectors, labels: Labels, groups: Sequence[Hashable | None] | None
) -> tuple[Vectors, Numbers, Numbers]:
    """The vectors that have a label; labels and groups as numbers."""
    kept = [row for row, label in enumerate(labels) if label is not None]
    belongs = range(len(labels)) if groups is None else groups
    return (
        np.asarray(vectors)[kept],
        _numbered([labels[row] for row in kept]),
        _numbered([belongs[row] for row in kept]),
    )


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


def _vote(known: Vectors, truth: Numbers, asked: Vectors, k: int) -> Numbers:
    classifier = KNeighborsClassifier(min(k, len(known)), algorithm="brute")
    answers: Numbers = classifier.fit(known, truth).predict(asked)
    return answers


def _accuracy(answers: Numbers, truth: Numbers) -> Accuracy:
    right = answers == truth
    per_label = [right[truth == label].mean() for label in np.unique(truth)]
    majority = np.bincount(truth).max() / len(truth)
    return Accuracy(float(right.mean()), float(np.mean(per_label)), float(majority), len(truth))
