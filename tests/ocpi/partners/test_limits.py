"""How much of us one partner may use."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ocpi.errors import TooManyRequestsError
from ocpi.hub.fairness import Crossings
from ocpi.partners.limits import Limits
from ocpi.partners.partner import Partner, PartnerSettings, PartnerState

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def partner(name: str = "p-1", **settings: Any) -> Partner:
    return Partner(
        id=name, platform="hub", name=name, state=PartnerState.REGISTERED, settings=PartnerSettings(**settings),
        created_at=NOW, last_updated=NOW,
    )  # fmt: skip


def use(of: Limits, who: Partner, times: int) -> int:
    """How many of so many requests, one after the other, are let in."""
    let_in = 0
    for _ in range(times):
        try:
            with of.within(who):
                let_in += 1
        except TooManyRequestsError:
            continue
    return let_in


def test_two_seconds_worth_may_come_at_a_time_and_then_so_many_a_second(watch: Any) -> None:
    mine, found = partner(), Limits(rate=10)
    assert use(found, mine, 50) == 20
    watch.now += 0.5
    assert use(found, mine, 50) == 5
    watch.now += 3600
    assert use(found, mine, 50) == 20
    assert use(found, partner("p-2"), 50) == 20


def test_whoever_is_turned_away_is_told_when_to_come_again(watch: Any) -> None:
    slow, found = partner(rate=0.25), Limits(rate=1000)
    assert use(found, slow, 5) == 1
    with pytest.raises(TooManyRequestsError) as refused, found.within(slow):
        pass
    assert (refused.value.retry_after, refused.value.http_status) == (4, 429)
    watch.now += 4
    assert use(found, slow, 5) == 1


def test_what_is_under_way_counts_until_it_has_ended(watch: Any) -> None:
    found, mine = Limits(rate=1000, at_once=2), partner()
    with found.within(mine), found.within(mine):
        with pytest.raises(TooManyRequestsError), found.within(mine):
            pass
        with found.within(partner("p-2")):
            pass
    with pytest.raises(ValueError, match="went wrong"), found.within(mine):
        raise ValueError("went wrong")
    with found.within(mine), found.within(mine):
        pass


def test_a_partner_may_have_limits_of_its_own(watch: Any) -> None:
    found = Limits(rate=1, at_once=1, largest_body=10)
    own = partner(rate=100, at_once=3, largest_body=99)
    assert use(found, own, 500) == 200
    watch.now += 10
    with found.within(own), found.within(own), found.within(own):
        pass
    assert (found.largest_body(own), found.largest_body(partner())) == (99, 10)


def test_only_so_many_messages_are_under_way_between_two_platforms() -> None:
    crossings = Crossings(most=1)
    with crossings.one("a", "b"):
        with pytest.raises(TooManyRequestsError), crossings.one("a", "b"):
            pass
        with crossings.one("a", "c"), crossings.one("b", "a"), crossings.one("c", "b"):
            pass
    with crossings.one("a", "b"):
        pass
