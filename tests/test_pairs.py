"""Pairs of discs that lie close together."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from butterflies.mapping import crowds, pushing
from butterflies.mapping.pairs import near_pairs
from tests.test_spread import PROPERTY


@PROPERTY
@given(st.integers(1, 300), st.integers(0, 2**32 - 1), st.floats(0, 40))
def test_pairs_are_those_of_all_that_lie_so_near(n: int, seed: int, slack: float) -> None:
    random = np.random.default_rng(seed)
    points = random.normal(0, random.uniform(1, 600), (n, 2))
    wide = random.uniform(0, 100, n)
    pairs = near_pairs(points, wide, slack)
    i, j = np.triu_indices(n, 1)
    far = np.hypot(*(points[i] - points[j]).T)
    near = far < (wide[i] + wide[j]) / 2 + slack
    assert sorted(map(tuple, pairs.numbers.tolist())) == list(
        zip(i[near].tolist(), j[near].tolist(), strict=True)
    )


def test_strips_that_are_not_next_to_each_other_share_no_point() -> None:
    points = np.random.default_rng(0).normal(0, 3000, (9000, 2))
    pairs = near_pairs(points, np.full(9000, 128.0), 20)
    assert pairs.strips[0] == 0
    assert pairs.strips[-1] == len(pairs.numbers)
    assert len(pairs.strips) > 20
    members = [set(part.ravel().tolist()) for part in np.split(pairs.numbers, pairs.strips[1:-1])]
    for first in range(len(members)):
        for other in range(first + 2, len(members)):
            assert not members[first] & members[other]


def test_any_number_of_threads_pushes_to_the_same_end() -> None:
    random = np.random.default_rng(1)
    points = random.normal(0, 2000, (pushing.MANY, 2))
    pairs = near_pairs(points, np.full(len(points), 128.0), 20)
    ends = []
    for back in (False, True):
        for _ in range(3):
            pushed = points.copy()
            left = pushing._sweep(pushed, np.full(len(points), 128.0), pairs, 1.0, back)
            ends.append((pushed.tobytes(), left))
    assert len(set(ends[:3])) == len(set(ends[3:])) == 1
    assert ends[0] != ends[3]
    assert 0 < ends[0][1] < len(cKDTree(points).query_pairs(128.0))


def test_pressure_of_large_grids_is_that_of_small_ones() -> None:
    excess = np.random.default_rng(2).normal(-0.1, 1, (128, 128))
    one, other = np.zeros((128, 128)), np.zeros((128, 128))
    crowds._relax(one, excess, 10)
    crowds._relax_large(other, excess, 10)
    assert np.array_equal(one, other)
    assert one.max() > 0


THREADS = """
import sys
import numpy as np
import torch
from butterflies.mapping.pairs import near_pairs
torch.set_num_threads(int(sys.argv[1]))
print(torch.get_num_threads())
near_pairs(np.zeros((9, 2)), np.ones(9), 0.0)
print(torch.get_num_threads())
"""


@pytest.mark.parametrize("threads", ["1", "3"])
def test_torch_keeps_its_number_of_threads(threads: str) -> None:
    """Else a training after a map would round otherwise than one before it."""
    command = [sys.executable, "-c", THREADS, threads]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == [threads, threads]


def test_pairs_of_a_crowd_on_one_spot_are_all_found() -> None:
    points = np.concatenate(
        [np.zeros((400, 2)), 5000 + 9000 * np.random.default_rng(3).random((400, 2))]
    )
    pairs = near_pairs(points, np.full(800, 2.0), 0.0).numbers
    crowd = pairs[(pairs < 400).all(axis=1)]
    assert len(np.unique(crowd, axis=0)) == len(crowd) == 400 * 399 // 2
