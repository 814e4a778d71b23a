"""The prices of a tariff over a week: what a session would pay that begins at each moment of it."""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from itertools import pairwise

import msgspec

from app.domain.pricing.prepared import DAY_MINUTES, Choice, Group, State, prepared
from app.domain.tariffs import DayOfWeek, Tariff

_DAYS = tuple(DayOfWeek)


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a day (minutes since its midnight, `until` excluded) through which the same components apply."""

    day: DayOfWeek
    since: int
    until: int
    choice: Choice


def week(tariff: Tariff, monday: date, kw: Decimal) -> list[Stretch]:
    """Every day from `monday` on, in order, for a session in its first moment that draws `kw`.

    What only holds after a while or some energy is not seen; `watched` says whether there is such a thing.
    """
    group = prepared(tariff).session
    first = monday.toordinal()
    return [
        stretch
        for number, day in enumerate(_DAYS)
        for stretch in _joined(_day(group, day, first + number, kw))
    ]


def watched(tariff: Tariff) -> list[str]:
    """What besides the weekday and the clock decides its prices: date, duration, energy, power, current."""
    group = prepared(tariff).session
    watches = {
        "date": group.dated,
        "duration": group.durations,
        "energy": group.energies,
        "power": group.powers,
        "current": group.currents,
    }
    return [what for what, found in watches.items() if found]


def _edges(group: Group) -> Iterator[tuple[int, int]]:
    edges = sorted({0, *group.minutes, DAY_MINUTES})
    return pairwise(edges)


def _day(group: Group, day: DayOfWeek, ordinal: int, kw: Decimal) -> Iterator[Stretch]:
    for since, until in _edges(group):
        state = State(minute=since, day=ordinal, elapsed=0, energy_wh=Decimal(0), power=kw, current=None)
        yield Stretch(day=day, since=since, until=until, choice=group.choose(state))


def _joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    found: list[Stretch] = []
    for each in stretches:
        if found and found[-1].choice == each.choice:
            found[-1] = msgspec.structs.replace(found[-1], until=each.until)
        else:
            found.append(each)
    return found
