"""Which lanes a few results change: a partner that simply goes on taking things costs no row for each of them."""

from datetime import UTC, datetime, timedelta

import pytest

from app.outbox.lanes import Lane
from app.outbox.outcomes import Claim, Delivered, Down, Outcome
from app.outbox.settle import Result, lanes_after

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DELIVERED = Delivered(version=NOW)
DOWN = Down(error="no answer in time")


def result(outcome: Outcome | None) -> Result:
    claim = Claim(
        id=1, partner_id="P", kind="evse", object_id="L/E", whole=False, wanted=1, confirmed=None, attempts=0,
        created_at=NOW, leased_until=NOW,
    )  # fmt: skip
    return Result(claim, outcome)


def well(seconds_ago: float) -> Lane:
    return Lane(partner_id="P", last_success=NOW - timedelta(seconds=seconds_ago))


@pytest.mark.parametrize(
    "known", [{}, {"P": well(1)}, {"P": Lane(partner_id="P", failures=2, last_success=NOW)}]
)
def test_a_success_is_noted_once_a_second_and_after_every_failure(known: dict[str, Lane]) -> None:
    changed = lanes_after(known, [result(DELIVERED), result(None)], NOW)
    assert changed == {"P": well(0)}


def test_one_more_success_in_the_same_second_changes_nothing() -> None:
    assert lanes_after({"P": well(0.9)}, [result(DELIVERED)], NOW) == {}


def test_a_failure_is_noted_whatever_went_well_in_the_same_second() -> None:
    changed = lanes_after({"P": well(0.1)}, [result(DELIVERED), result(DOWN)], NOW)
    assert (changed["P"].failures, changed["P"].last_error) == (1, "no answer in time")
    assert changed["P"].waits(NOW)
