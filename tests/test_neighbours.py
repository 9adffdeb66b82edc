import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from butterflies.encoding import neighbours
from butterflies.encoding.neighbours import nearest, nearest_to, neighbours_table
from butterflies.scores import neighbours as scores
from butterflies.scores.neighbours import (
    NOBODY,
    Known,
    TooFewError,
    knn_accuracy,
    nearest_known,
    species_held_out,
    told_by,
)

RANDOM = np.random.default_rng(0)


def nearest_by_all(known: Any, asked: Any, k: int, own: bool = False) -> tuple[Any, Any]:
    apart = np.linalg.norm(asked[:, None].astype(np.float64) - known[None], axis=2)
    if own:
        np.fill_diagonal(apart, np.inf)
    rows = np.argsort(apart, axis=1, kind="stable")[:, :k]
    return rows, np.take_along_axis(apart, rows, 1)


@pytest.mark.parametrize("n", [2, 5, 13, 14, 30, 330, 700])
def test_nearest_agrees_with_comparing_all(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "BLOCK_CELLS", 100 * n)
    codes = (RANDOM.standard_normal((n, 8)) + 50).astype(np.float32)
    found = nearest(codes)
    rows, distances = nearest_by_all(codes, codes, min(12, n - 1), own=True)
    assert np.array_equal(found.rows, rows)
    assert np.allclose(found.distances, distances)
    assert found.exact


@pytest.mark.parametrize("n", [0, 1])
def test_one_alone_has_no_neighbours(n: int) -> None:
    found = nearest(np.zeros((n, 4), np.float32))
    assert found.rows.shape == found.distances.shape == (n, 0)


@pytest.mark.parametrize(("n", "m"), [(1, 3), (5, 0), (30, 7), (300, 90)])
def test_the_nearest_of_others_agree_with_comparing_all(
    n: int, m: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "BLOCK_CELLS", 40 * n)
    known = (RANDOM.standard_normal((n, 8)) - 9).astype(np.float32)
    asked = (RANDOM.standard_normal((m, 8)) - 9).astype(np.float32)
    found = nearest_to(known, asked, 6)
    rows, distances = nearest_by_all(known, asked, min(6, n))
    assert np.array_equal(found.rows, rows)
    assert np.allclose(found.distances, distances)


def test_near_duplicates_find_each_other() -> None:
    codes = RANDOM.standard_normal((200, 16)).astype(np.float32)
    codes[100:] = codes[:100] + 1e-4
    found = nearest(codes, 1)
    assert np.array_equal(found.rows[:, 0], (np.arange(200) + 100) % 200)
    assert np.allclose(found.distances, 4e-4, rtol=0.01)


def test_equal_codes_come_in_order_and_never_meet_themselves() -> None:
    found = nearest(np.ones((40, 3), np.float32), 3)
    assert not found.distances.any()
    assert all(row not in near for row, near in enumerate(found.rows.tolist()))


def test_the_table_names_neighbours_by_asset_id() -> None:
    codes = np.array([[0.0], [1.0], [5.0]], np.float32)
    table = neighbours_table(["a", "b", "c"], nearest(codes))
    assert table["neighbour_ids"].to_pylist() == [["b", "c"], ["a", "c"], ["b", "a"]]
    assert table["distances"].to_pylist() == [[1, 5], [1, 4], [4, 5]]


def test_the_table_names_twelve_however_many_were_found() -> None:
    codes = RANDOM.standard_normal((40, 3)).astype(np.float32)
    many = neighbours_table([f"b{n}" for n in range(40)], nearest(codes, 30))
    assert many == neighbours_table([f"b{n}" for n in range(40)], nearest(codes))


APPROXIMATE = """
import numpy as np
from butterflies.encoding import neighbours
codes = np.random.default_rng(0).standard_normal((300, 8)).astype(np.float32)
codes[200:220] = codes[0]
exact = neighbours.nearest(codes, 15), neighbours.nearest_to(codes[50:], codes[:50], 15)
neighbours.EXACT = neighbours.EXACT_PAIRS = 0
found = neighbours.nearest(codes, 15), neighbours.nearest_to(codes[50:], codes[:50], 15)
for near, true in zip(found, exact, strict=True):
    assert true.exact and not near.exact
    assert near.rows.shape == true.rows.shape
    assert np.isfinite(near.distances).all() and (np.diff(near.distances) >= 0).all()
    far = np.isclose(near.distances, true.distances, atol=1e-5)
    assert far.mean() > 0.9, far.mean()
assert (found[0].rows != np.arange(300)[:, None]).all()
"""


def test_approximate_neighbours_are_nearly_the_exact_ones() -> None:
    """In a process of its own, where compiling takes 20 s and not 30."""
    environment = {**os.environ, "NUMBA_OPT": "0"}
    command = [sys.executable, "-c", APPROXIMATE]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_what_the_descent_has_not_found_is_sought_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = RANDOM.standard_normal((60, 5)).astype(np.float32)
    exact = nearest(codes, 4)
    rows = np.column_stack([np.arange(60), exact.rows]).astype(np.int32)
    lengths = np.column_stack([np.zeros(60), exact.distances]).astype(np.float32)
    rows[7, 2:], lengths[7, 2:] = -1, np.inf
    rows[9], lengths[9] = np.roll(rows[9], 2), np.roll(lengths[9], 2)
    index = SimpleNamespace(neighbor_graph=(rows, lengths))
    monkeypatch.setattr(neighbours, "EXACT", 0)
    monkeypatch.setattr(neighbours, "_descent", lambda codes, count, seed: index)
    found = nearest(codes, 4)
    assert np.array_equal(found.rows, exact.rows)
    assert np.allclose(found.distances, exact.distances, rtol=1e-6)


def clusters(labels: list[str], spread: float = 0.1) -> np.ndarray:
    centres = {label: 10.0 * number for number, label in enumerate(sorted(set(labels)))}
    return np.array([[centres[label], RANDOM.uniform(0, spread)] for label in labels])


def test_clusters_are_told_apart_and_noise_is_not() -> None:
    labels = ["a"] * 60 + ["b"] * 20 + ["c"] * 20
    told = knn_accuracy(clusters(labels), labels)
    assert (told.plain, told.balanced, told.majority, told.n) == (1, 1, 0.6, 100)
    noise = knn_accuracy(RANDOM.standard_normal((100, 3)), labels)
    assert noise.plain < 0.75
    assert noise.balanced < 0.55


def test_balanced_accuracy_counts_every_label_alike() -> None:
    labels = ["common"] * 90 + ["rare"] * 10
    found = knn_accuracy(np.zeros((100, 1)) + RANDOM.uniform(0, 1e-9, (100, 1)), labels, k=51)
    assert (found.plain, found.balanced) == (0.9, 0.5)


def test_what_has_no_label_is_neither_asked_nor_answers() -> None:
    labels = ["a"] * 10 + [None] * 30 + ["b"] * 10
    vectors = np.concatenate([np.zeros(10), np.zeros(30), np.ones(10)])[:, None]
    found = knn_accuracy(vectors, labels, k=3)
    assert (found.plain, found.n) == (1, 20)


def test_photographs_of_one_specimen_do_not_tell_on_each_other() -> None:
    places = RANDOM.standard_normal((50, 4)).repeat(2, axis=0)
    labels = RANDOM.choice(["a", "b"], 50).repeat(2).tolist()
    specimens = np.arange(50).repeat(2).tolist()
    assert knn_accuracy(places, labels, k=1).plain > 0.8
    assert knn_accuracy(places, labels, specimens, k=1).plain < 0.75


def test_the_folds_follow_from_the_seed() -> None:
    vectors = RANDOM.standard_normal((60, 2))
    labels = RANDOM.choice(["a", "b"], 60).tolist()
    scores = [knn_accuracy(vectors, labels, seed=seed).plain for seed in (0, 0, 1, 2, 3)]
    assert scores[0] == scores[1]
    assert len(set(scores)) > 1


def test_a_single_specimen_cannot_be_scored() -> None:
    with pytest.raises(ValueError, match="two groups"):
        knn_accuracy(np.zeros((4, 2)), ["a"] * 4, ["x"] * 4)


def test_held_out_species_are_answered_by_other_species() -> None:
    genera = ["A"] * 20 + ["B"] * 20 + ["C"] * 10
    species = ["A x"] * 10 + ["A y"] * 10 + ["B x"] * 10 + ["B y"] * 10 + ["C x"] * 10
    beside = np.array([0.0, 1, 10, 11, 20]).repeat(10)[:, None]
    found = species_held_out(beside, genera, species)
    assert (found.plain, found.n, found.majority) == (1, 40, 0.5)
    crossed = np.array([0.0, 10, 1, 11, 5]).repeat(10)[:, None]
    assert species_held_out(crossed, genera, species).plain == 0


def test_without_a_genus_of_two_species_there_is_nothing_to_hold_out() -> None:
    with pytest.raises(ValueError, match="two species"):
        species_held_out(np.zeros((4, 1)), ["A", "A", "B", "B"], ["A x", "A x", "B x", "B x"])


@pytest.mark.parametrize("block", [7, 1024])
def test_the_nearest_known_are_of_other_groups(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scores, "BLOCK", block)
    known, asked = RANDOM.standard_normal((30, 3)), RANDOM.standard_normal((20, 3))
    groups, own = RANDOM.integers(0, 4, 30), RANDOM.integers(0, 4, 20)
    apart = np.linalg.norm(asked[:, None] - known[None], axis=2)
    apart[own[:, None] == groups] = np.inf
    expected = np.argsort(apart, axis=1)[:, :6]
    assert np.array_equal(nearest_known(known, groups, asked, own, 6), expected)


def test_where_too_few_are_of_other_groups_nobody_stands_for_them() -> None:
    known, groups = np.arange(4.0)[:, None], np.array([0, 0, 1, 0])
    found = nearest_known(known, groups, np.zeros((1, 1)), np.array([0]), 3)
    assert found.tolist() == [[2, NOBODY, NOBODY]]


def test_the_known_tell_those_asked() -> None:
    labels = ["a"] * 6 + ["b"] * 6
    known = Known(clusters(labels), labels, range(12))
    asked = ["a", "b", "b", None, "b"]
    vectors = np.array([[0.0, 0], [10, 0], [10, 0], [10, 0], [0, 0]])
    told = told_by(known, vectors, asked, range(20, 25))
    assert (told.plain, told.majority, told.n) == (0.75, 0.75, 4)
    assert told.balanced == pytest.approx((1 + 2 / 3) / 2)


def test_a_label_that_nobody_knows_is_told_wrong() -> None:
    known = Known(np.zeros((6, 1)), ["a"] * 3 + ["b"] * 3, range(6))
    assert told_by(known, np.zeros((1, 1)), ["c"], [9]).plain == 0


def test_another_photograph_of_the_specimen_asked_does_not_answer() -> None:
    known = Known(np.array([[0.0], [1], [2], [3]]), ["a", "b", "b", "b"], ["x", "y", "z", "w"])
    assert told_by(known, np.zeros((1, 1)), ["a"], ["x"], k=1).plain == 0
    assert told_by(known, np.zeros((1, 1)), ["a"], ["v"], k=1).plain == 1


@pytest.mark.parametrize(
    ("known", "asked"), [(["a", "a"], ["a"]), (["a", "b"], [None]), ([None, None], ["a"])]
)
def test_nothing_to_choose_from_and_nobody_to_ask_cannot_be_scored(
    known: list[str | None], asked: list[str | None]
) -> None:
    with pytest.raises(TooFewError, match="two known labels"):
        told_by(Known(np.zeros((2, 1)), known, [0, 1]), np.zeros((1, 1)), asked, [2])


def test_species_are_held_out_of_those_who_answer() -> None:
    genera, species = ["A", "A", "B", "B"], ["A x", "A y", "B x", "B y"]
    places = np.array([0.0, 20, 1, 2]).repeat(5)[:, None]
    known = Known(places, np.repeat(genera, 5).tolist(), np.repeat(species, 5).tolist())
    own = told_by(known, np.zeros((1, 1)), ["A"], [None])
    held = species_held_out(np.zeros((1, 1)), ["A"], ["A x"], known=known)
    assert (own.plain, held.plain, held.n) == (1, 0, 1)


def test_a_genus_is_asked_for_where_another_species_of_it_is_known() -> None:
    known = Known(np.zeros((3, 1)), ["A", "B", "C"], ["A x", "B x", None])
    genera, species = ["A", "A", "B", "C", "D"], ["A x", "A y", "B x", "C x", "D x"]
    assert species_held_out(np.zeros((5, 1)), genera, species, known=known).n == 1


def test_reordered_neighbours_are_the_same_ones_and_lie_closer_in_memory() -> None:
    random = np.random.default_rng(0)
    codes = random.normal(0, 9, (40, 8))[random.integers(0, 40, 2000)] + random.normal(
        size=(2000, 8)
    )
    near = neighbours.nearest(codes.astype(np.float32), 20)
    order = near.order()
    assert np.array_equal(np.sort(order), np.arange(2000))
    other = near.reordered(order)
    assert np.array_equal(order[other.rows], near.rows[order])
    assert np.array_equal(other.distances, near.distances[order])
    own = np.arange(2000)[:, None]
    assert np.abs(other.rows - own).mean() < 0.1 * np.abs(near.rows - own).mean()
