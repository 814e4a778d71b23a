"""When simulated cars come and how much they take: as many and as much as is told, by day more than by night."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ocpp_bridge.simulator import demand
from ocpp_bridge.simulator.scenario import CCS_150, PROFILES, TYPE2_22

HERE = ZoneInfo("Europe/Amsterdam")
NOON = datetime(2026, 11, 20, 12, tzinfo=HERE)
NIGHT = NOON.replace(hour=3)


@pytest.mark.parametrize("profile", PROFILES, ids=[profile.name for profile in PROFILES])
def test_cars_take_what_cars_take(profile):
    chance = random.Random(1)
    for _ in range(200):
        visit = demand.car(chance, profile, ["A", "B"])
        kwh = (visit.leaves_at - visit.arrives_at) / 100 * profile.battery_kwh
        most, least = (60, 20) if profile.direct_current else (40, 7)
        assert least - 0.001 <= kwh <= most + 0.001
        assert 0 < visit.arrives_at < visit.leaves_at <= 100
        assert visit.id_tag in ("A", "B")


# The second ends after clocks were put back, inside the fortnight.
@pytest.mark.parametrize("until", [NOON, datetime(2026, 10, 31, 12, tzinfo=HERE)])
def test_a_fortnight_has_every_day_and_nobody_comes_where_somebody_is(until):
    places = [(1, TYPE2_22), (2, CCS_150)]
    visits = demand.fortnight(random.Random(5), places, ["A"], until)
    assert 25 <= len(visits) <= 45
    assert len({past.began.date() for past in visits}) >= 13
    assert [past.began for past in visits] == sorted(past.began for past in visits)
    assert all(past.began.tzinfo is UTC for past in visits)
    for number, profile in places:
        free_from = (until - timedelta(days=14)).astimezone(UTC)
        for past in (each for each in visits if each.connector == number):
            assert past.began >= free_from
            free_from = past.began + demand.longest(profile, past.visit)
        assert free_from <= until


def test_the_same_chance_makes_the_same_fortnight():
    places = [(1, TYPE2_22)]
    first, second = (demand.fortnight(random.Random(3), places, ["A", "B"], NOON) for _ in range(2))
    assert first == second


def test_more_cars_come_by_day():
    visits = [
        past
        for seed in range(20)
        for past in demand.fortnight(random.Random(seed), [(1, TYPE2_22)], ["A"], NOON)
    ]
    hours = Counter(past.began.astimezone(HERE).hour for past in visits)
    assert sum(hours[hour] for hour in range(6)) * 5 < sum(hours[hour] for hour in range(7, 13))
    assert demand.busyness(TYPE2_22, NIGHT) < 0.2 < 1 < demand.busyness(TYPE2_22, NOON)


def test_cars_that_are_there_came_5_to_40_minutes_ago_and_leave_later_than_now():
    chance, long = random.Random(2), timedelta(hours=5)
    found = [demand.under_way(chance, CCS_150, ["A"], NOON, free=long) for _ in range(400)]
    there = [each for each in found if each is not None]
    assert 200 < len(there) < 400
    for visit, began in there:
        assert timedelta(minutes=5) <= NOON - began <= timedelta(minutes=40)
        assert began + demand.longest(CCS_150, visit) > NOON
    at_night = [demand.under_way(chance, CCS_150, ["A"], NIGHT, free=long) for _ in range(400)]
    assert sum(each is not None for each in at_night) < len(there) / 1.5


def test_nobody_came_before_the_place_was_free():
    chance = random.Random(2)
    for free in (timedelta(0), timedelta(minutes=12)):
        found = [demand.under_way(chance, TYPE2_22, ["A"], NOON, free=free) for _ in range(50)]
        assert all(NOON - each[1] <= free for each in found if each is not None)
        assert any(found)
