import time

import pytest

from butterflies.collection.fetching.meter import Meter


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_progress_tells_rate_errors_and_the_time_that_is_left(clock: list[float]) -> None:
    meter = Meter(1000)
    for number in range(101):
        meter.count(failed=number % 10 == 0, size=2_000_000)
        clock[0] += 0.5
    meter.close()
    assert str(meter) == (
        "101 of 1,000 pictures (10 %), 2.0 a second, 11 failed, 0.20 GB, 7 min 29 s left."
    )


def test_the_rate_is_that_of_late(clock: list[float]) -> None:
    meter = Meter(1000)
    for _ in range(100):
        meter.count(failed=False)
        clock[0] += 10
    for _ in range(400):
        meter.count(failed=False)
        clock[0] += 0.5
    meter.close()
    assert meter.rate == pytest.approx(2.0)


def test_a_log_gets_a_line_a_minute(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    meter = Meter(1000)
    for _ in range(361):
        meter.count(failed=False)
        clock[0] += 0.5
    meter.close()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("121 of 1,000 pictures (12 %), 2.0 a second, 0 failed")
    assert lines[0].endswith("left.")


def test_nothing_to_do_is_no_division_by_zero() -> None:
    meter = Meter(0)
    meter.close()
    assert str(meter) == "0 of 0 pictures (0 %), 0.0 a second, 0 failed, 0.00 GB."
