"""Pictures that lie apart and come nearer home."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from butterflies.mapping.placing import overlapping
from butterflies.mapping.settling import slid, swapped
from butterflies.mapping.spread import spread
from tests.test_spread import PROPERTY

LOW, HIGH = 60.0, 1988.0


@PROPERTY
@given(st.integers(1, 120), st.integers(0, 2**32 - 1))
def test_none_slides_away_from_home_or_onto_another(n: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    wide = random.uniform(0, 120, n)
    laid, _ = spread(random.normal(size=(n, 2)), wide, 2048, margin=LOW)
    homes = random.uniform(-100, 2148, (n, 2))  # the map's edge keeps some from home
    places = laid.astype(np.float64)
    slid(places, homes, wide, LOW, HIGH)
    assert len(overlapping(places, wide)) == 0
    assert (places == np.rint(places)).all()
    assert LOW <= places.min() <= places.max() <= HIGH
    before, after = (np.hypot(*(p - homes).T) for p in (laid, places))
    assert (after <= before).all()
    assert ((after < before) == (places != laid).any(axis=1)).all()


def test_room_that_is_left_is_taken_by_one_after_the_other() -> None:
    """A row of pictures that all want to go left, past a gap at its head."""
    places = np.array([[100.0 + 200 * (k > 0) + 100 * k, 500.0] for k in range(5)])
    homes = np.tile([100.0, 500.0], (5, 1))
    slid(places, homes, np.full(5, 100.0), LOW, HIGH)
    assert places[:, 0].tolist() == pytest.approx([100, 200, 300, 400, 500], abs=1)


def test_a_picture_with_room_all_the_way_gets_home() -> None:
    places = np.array([[1000.0, 1000.0]])
    slid(places, np.array([[900.4, 1033.0]]), np.array([120.0]), LOW, HIGH)
    assert places.tolist() == [[900.0, 1033.0]]


def test_two_that_lie_crossed_swap_places() -> None:
    places = np.array([[100.0, 100.0], [160.0, 100.0]])
    homes = places[::-1].copy()
    assert swapped(places, homes, np.array([50.0, 60.0])).tolist() == homes.tolist()
