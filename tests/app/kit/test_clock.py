"""The clock of the machine: aware, UTC, and never back."""

from datetime import UTC, timedelta

from app.kit.clock import Clock, SystemClock


def test_now_is_aware_utc_and_monotonic_never_goes_back():
    clock: Clock = SystemClock()
    first = clock.now()
    assert first.tzinfo is UTC
    assert timedelta(0) <= clock.now() - first < timedelta(seconds=5)
    ticks = [clock.monotonic() for _ in range(100)]
    assert ticks == sorted(ticks)
