"""How long the outbox waits."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.outbox import backoff


@given(st.integers(min_value=0, max_value=10**6))
def test_waiting_grows_from_a_second_to_an_hour_with_jitter(failures):
    waited = backoff.delay(failures)

    assert timedelta(seconds=0.5) <= waited <= timedelta(hours=1)
    assert waited <= timedelta(seconds=2 ** min(max(failures, 1), 12))


@given(st.floats(min_value=0, max_value=10**9))
def test_a_partner_that_says_how_long_is_believed_up_to_an_hour(wish):
    assert backoff.delay(3, wish) == timedelta(seconds=min(max(wish, 1), 3600))


def test_two_failures_do_not_wait_the_same():
    assert len({backoff.delay(10) for _ in range(20)}) > 1
