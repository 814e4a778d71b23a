"""What drivers want, by the hour of the day: when they come, how much they charge, how long a full car stays."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from ocpp_bridge.simulator.scenario import ChargeProfile, PastVisit, Visit

_DAY = timedelta(days=1)
_GAP = timedelta(minutes=5)

# Arrivals by local hour, from midnight on: AC in the morning at work and in the evening at home, DC on the road.
_AC_HOURS = (3, 2, 2, 2, 3, 6, 15, 40, 50, 40, 25, 20, 25, 25, 20, 20, 25, 40, 50, 40, 30, 20, 12, 6)
_DC_HOURS = (5, 4, 3, 3, 5, 10, 20, 35, 40, 40, 45, 50, 50, 45, 45, 50, 55, 55, 50, 40, 30, 20, 13, 8)

_AC_KWH, _DC_KWH = (7.0, 40.0), (20.0, 60.0)
_AC_LEAVES, _DC_LEAVES = (85.0, 100.0), (78.0, 92.0)
_MOST_OF_BATTERY = 0.75
_ALWAYS_THERE, _THERE_WHEN_BUSY = 0.25, 0.35


def busyness(profile: ChargeProfile, at: datetime) -> float:
    """How many cars come in the hour of `at` (local time), as a multiple of the day's mean."""
    hours = _hours(profile)
    return hours[at.hour] * len(hours) / sum(hours)


def car(chance: random.Random, profile: ChargeProfile, id_tags: Sequence[str]) -> Visit:
    """A car as it comes to such a connector: 7 to 40 kWh on AC, 20 to 60 on DC; many stay on when they are full."""
    dc = profile.direct_current
    kwh = min(chance.uniform(*(_DC_KWH if dc else _AC_KWH)), profile.battery_kwh * _MOST_OF_BATTERY)
    leaves_at = chance.uniform(*(_DC_LEAVES if dc else _AC_LEAVES))
    stays = chance.random() < (0.25 if dc else 0.6)
    longest_stay = 15.0 if dc else 120.0
    return Visit(
        id_tag=chance.choice(id_tags),
        arrives_at=max(2.0, leaves_at - kwh / profile.battery_kwh * 100),
        leaves_at=leaves_at,
        longest_seconds=8 * 3600.0,
        stays_seconds=60 * chance.uniform(2.0, longest_stay) if stays else 0.0,
    )


def fortnight(
    chance: random.Random,
    connectors: Sequence[tuple[int, ChargeProfile]],
    id_tags: Sequence[str],
    until: datetime,
    *,
    days: int = 14,
    per_day: tuple[float, float] = (1.2, 1.5),
) -> list[PastVisit]:
    """Visits (UTC) of the days before `until` (local), never two at once at a connector, in order of their beginning.

    `per_day`: how many cars a connector has on a day, at least and at most, on average over the days.
    """
    visits: list[PastVisit] = []
    for number, profile in connectors:
        mean, free_from = chance.uniform(*per_day), (until - days * _DAY).astimezone(UTC)
        for day in range(days):
            midnight = (until - (days - day) * _DAY).replace(hour=0, minute=0, second=0, microsecond=0)
            for began in _arrivals(chance, profile, midnight, mean):
                visit = car(chance, profile, id_tags)
                if began < free_from or began + longest(profile, visit) > until:
                    continue
                free_from = began + longest(profile, visit) + _GAP
                visits.append(PastVisit(connector=number, began=began, visit=visit))
    return sorted(visits, key=lambda past: past.began)


def longest(profile: ChargeProfile, visit: Visit) -> timedelta:
    """How long a visit takes from plug to unplug, in whole minutes."""
    soc, minutes = visit.arrives_at, 0
    while soc < visit.leaves_at and minutes * 60 < visit.longest_seconds:
        soc = min(100.0, soc + profile.power_kw(soc) / 60 / profile.battery_kwh * 100)
        minutes += 1
    return timedelta(minutes=minutes + round(visit.stays_seconds / 60))


def under_way(
    chance: random.Random, profile: ChargeProfile, id_tags: Sequence[str], now: datetime, *, free: timedelta
) -> tuple[Visit, datetime] | None:
    """A visit that began 5 to 40 minutes before `now` (local), and when; None if nobody is there (likelier at night).

    `free`: the connector was free for so long, earlier nobody can have come. A car that would have left by now stays
    a little longer.
    """
    if chance.random() > _ALWAYS_THERE + _THERE_WHEN_BUSY * busyness(profile, now):
        return None
    ago = timedelta(seconds=round(chance.uniform(300, 2400)))
    ago = min(ago, max(free - _GAP, timedelta(0)))
    visit = car(chance, profile, id_tags)
    missing = ago + timedelta(seconds=chance.uniform(40, 400)) - longest(profile, visit)
    if missing > timedelta(0):
        visit = replace(visit, stays_seconds=visit.stays_seconds + missing.total_seconds())
    return visit, (now - ago).astimezone(UTC)


def _arrivals(
    chance: random.Random, profile: ChargeProfile, midnight: datetime, mean: float
) -> list[datetime]:
    count = int(mean) + (chance.random() < mean % 1)
    hours = chance.choices(range(24), weights=_hours(profile), k=count)
    return sorted(
        midnight.replace(hour=hour, minute=chance.randrange(60), second=chance.randrange(60)).astimezone(UTC)
        for hour in hours
    )


def _hours(profile: ChargeProfile) -> Sequence[int]:
    return _DC_HOURS if profile.direct_current else _AC_HOURS
