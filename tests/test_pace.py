import random
from datetime import UTC, datetime

import pytest

from butterflies.collection.fetching import pace as pacing
from butterflies.collection.fetching.pace import (
    BREAK_AFTER,
    FIRST_PAUSE,
    Pace,
    backoff,
    retry_after,
)


def open_circuit(pace: Pace) -> float:
    """Fails until the circuit opens; the time it does."""
    now = 0.0
    for _ in range(BREAK_AFTER):
        now += pace.wait(now)
        pace.start(now)
        pace.end(now, "down")
    assert pace.open
    return now


def test_requests_keep_their_distance_however_quickly_they_end() -> None:
    pace, now, starts = Pace("h", rate=4, concurrency=2), 0.0, []
    for _ in range(9):
        now += pace.wait(now)
        pace.start(now)
        starts.append(now)
        pace.end(now, "well")
    assert starts == pytest.approx([n / 4 for n in range(9)])


def test_a_pause_saves_up_no_burst() -> None:
    pace = Pace("h", rate=2, concurrency=9)
    pace.start(0)
    pace.start(100)
    assert pace.wait(100) == pytest.approx(0.5)


def test_no_more_requests_at_once_than_allowed() -> None:
    pace = Pace("h", rate=1000, concurrency=2)
    pace.start(0)
    pace.start(1)
    assert pace.wait(2) == float("inf")
    pace.end(2, "well")
    assert pace.wait(2) == 0


def test_a_busy_host_is_left_alone_as_long_as_it_asks_and_then_asked_more_slowly() -> None:
    pace = Pace("h", rate=2, concurrency=4)
    pace.start(0)
    pace.end(1, "busy", retry_after=30)
    assert pace.wait(1) == 30
    pace.start(31)
    assert pace.wait(31) == pytest.approx(1.0)  # half the rate
    for _ in range(20):
        pace.end(31, "well")
        pace.start(31)
    before = pace.wait(31)
    pace.start(31)
    assert pace.wait(31) - before == pytest.approx(0.5)  # the rate has recovered, and no more


def test_a_broken_circuit_lets_one_request_through_after_a_pause_that_doubles() -> None:
    pace = Pace("h", rate=100, concurrency=4)
    now = open_circuit(pace)
    assert pace.wait(now) == pytest.approx(FIRST_PAUSE)
    now += FIRST_PAUSE
    pace.start(now)
    assert pace.wait(now + 1000) == float("inf")
    pace.end(now, "down")
    assert pace.wait(now) == pytest.approx(2 * FIRST_PAUSE)
    pace.start(now + 30)
    pace.end(now + 30, "well")
    assert not pace.open
    pace.start(now + 31)
    assert pace.wait(now + 32) == 0


def test_a_host_that_never_comes_back_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "GIVE_UP_AFTER", 3)
    pace = Pace("h", rate=100, concurrency=1)
    now = open_circuit(pace)
    for _ in range(2):
        assert not pace.lost
        now += pace.wait(now)
        pace.start(now)
        pace.end(now, "down")
    assert pace.lost
    assert pace.wait(now + 1e9) == float("inf")


def test_a_picture_that_cannot_be_made_is_not_held_against_its_host() -> None:
    pace = Pace("h", rate=100, concurrency=1)
    for n in range(100):
        pace.start(n)
        pace.end(n, "unharmed")
    assert not pace.open


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 59),
        ("Fri, 31 Dec 1999 23:00:00 GMT", 0),
        ("soon", None),
        ("-5", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_in_both_its_forms(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, datetime(1999, 12, 31, 23, 59, 0, tzinfo=UTC)) == seconds


def test_the_back_off_doubles_to_a_limit_and_half_of_it_is_chance() -> None:
    chance = random.Random(0)
    for attempt in range(1, 40):
        longest = min(300.0, 2.0 * 2 ** (attempt - 1))
        waits = [backoff(attempt, 2.0, chance) for _ in range(50)]
        assert longest / 2 <= min(waits) < max(waits) <= longest
