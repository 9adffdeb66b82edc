import numpy as np
import pytest

from butterflies.scores.intervals import paired_bootstrap

RANDOM = np.random.default_rng(0)


def test_the_interval_is_that_of_the_mean_difference() -> None:
    first, second = RANDOM.normal(1.0, 2.0, 400), RANDOM.normal(0.5, 2.0, 400)
    mean, low, high = paired_bootstrap(first, second)
    assert mean == pytest.approx((first - second).mean())
    error = (first - second).std(ddof=1) / 20
    assert low == pytest.approx(mean - 1.96 * error, abs=0.15 * error)
    assert high == pytest.approx(mean + 1.96 * error, abs=0.15 * error)


def test_pairs_count_and_not_the_two_samples() -> None:
    hard = RANDOM.normal(0, 5, 300)
    _, low, high = paired_bootstrap(hard + 0.1, hard)
    assert low == pytest.approx(0.1)
    assert high == pytest.approx(0.1)


def test_the_same_draws_come_again() -> None:
    first, second = RANDOM.random(50) < 0.8, RANDOM.random(50) < 0.7
    assert paired_bootstrap(first, second) == paired_bootstrap(first, second)
