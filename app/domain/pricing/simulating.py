"""A visit made up: arrival, what the car draws, departure; its cost, its bill, and how the cost grows."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec

from app.domain.pricing.choosing import ProfileType, session_tariff
from app.domain.pricing.cost import price
from app.domain.pricing.explaining import Explanation, explain
from app.domain.pricing.running import Curve, RunningCost
from app.domain.pricing.split import Course, split
from app.domain.pricing.usage import (
    EXACT,
    MICROSECOND,
    Activity,
    Reading,
    Usage,
    check_usage,
    checked_number,
    checked_span,
)
from app.domain.pricing.volumes import HOUR
from app.domain.tariffs import Price, Tariff

MOST_MOMENTS = 500
"""The cost over time is told at no more moments than these."""

_MOST_KW = Decimal(10_000)
_MILLI = Decimal("0.001")


class Draw(msgspec.Struct, frozen=True, kw_only=True):
    """What the car draws from a moment on: kW, and A summed over the phases where known; 0 kW is parking."""

    at: datetime
    kw: Decimal
    amperes: Decimal | None = None


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """A car's stay. `draws` in order, or `energy` as (at, Wh since arrival), never falling; after it, it parks."""

    arrival: datetime
    departure: datetime
    draws: Sequence[Draw] = ()
    energy: Sequence[Reading] = ()


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """What a visit has come to at a moment: Wh, and the cost so far."""

    at: datetime
    energy_wh: Decimal
    cost: Price


class Simulation(msgspec.Struct, frozen=True, kw_only=True):
    """The bill of a visit and how it grew; the last moment is the departure."""

    explanation: Explanation
    moments: tuple[Moment, ...]


def steady(arrival: datetime, departure: datetime, *, kwh: Decimal, kw: Decimal) -> Visit:
    """A visit that draws the same power until it has this much energy, or leaves. Raises ValueError."""
    checked_number(kwh, "kwh", Decimal(1_000_000))
    if not checked_number(kw, "kw", _MOST_KW):
        raise ValueError("kw: must be above 0")
    checked_span(arrival, departure)
    with localcontext(EXACT):
        needed = timedelta(microseconds=int(kwh * HOUR / kw))
    draws = [Draw(at=arrival, kw=kw if kwh else Decimal(0))]
    if arrival < arrival + needed < departure:
        draws.append(Draw(at=arrival + needed, kw=Decimal(0)))
    return Visit(arrival=arrival, departure=departure, draws=draws)


def simulate(
    visit: Visit,
    tariffs: Sequence[Tariff],
    zone: ZoneInfo,
    *,
    every: timedelta | None = None,
    profile: ProfileType | None = None,
    ad_hoc_payment: bool = False,
) -> Simulation:
    """What the visit costs, why, and how the cost grows, told `every` so often (default: 60 times).

    Raises ValueError beginning with the field: times out of order, energy that falls, absurd numbers, no tariff.
    """
    usage = _usage(visit)
    tariff = session_tariff(tariffs, visit.arrival, profile=profile, ad_hoc_payment=ad_hoc_payment)
    moments = _wanted(visit, every)
    with localcontext(EXACT):
        course = Course(usage)
        readings = [(at, course.energy_at(at)) for at in moments]
    known = dict(usage.energy) | dict(readings)
    usage = msgspec.structs.replace(usage, energy=sorted(known.items()))
    cost = price(split(usage, tariff, zone), [tariff], zone)
    return Simulation(
        explanation=explain(cost, [tariff], zone),
        moments=tuple(_grown(usage, tariff, zone, moments)),
    )


def _grown(usage: Usage, tariff: Tariff, zone: ZoneInfo, moments: Sequence[datetime]) -> list[Moment]:
    running = RunningCost(tariff, zone)
    grown, known = [], 0
    for at in moments:
        while known < len(usage.energy) and usage.energy[known][0] <= at:
            known += 1
        so_far = Curve(
            energy=usage.energy[:known],
            activity=usage.activity,
            power=usage.power or (),
            current=usage.current or (),
        )
        cost = running.so_far(so_far, at).cost
        if cost is not None:
            grown.append(Moment(at=at, energy_wh=usage.energy[known - 1][1], cost=cost))
    return grown


def _wanted(visit: Visit, every: timedelta | None) -> list[datetime]:
    length = visit.departure - visit.arrival
    step = max(length / 60, timedelta(seconds=1)) if every is None else every
    if step < timedelta(seconds=1):
        raise ValueError("every_seconds: shorter than a second")
    if length / step > MOST_MOMENTS:
        raise ValueError(f"every_seconds: gives more than {MOST_MOMENTS} moments")
    count = int(length / step)
    inner = (visit.arrival + n * step for n in range(count + 1))
    return sorted({*inner, visit.departure})


def _usage(visit: Visit) -> Usage:
    checked_span(visit.arrival, visit.departure)
    if bool(visit.draws) == bool(visit.energy):
        raise ValueError("visit: exactly one of power and energy is needed")
    usage = _of_energy(visit) if visit.energy else _of_draws(visit)
    check_usage(usage)
    return usage


def _of_energy(visit: Visit) -> Usage:
    """Charging as far as the energy grows, parking from then on."""
    known: dict[datetime, Decimal] = {visit.arrival: Decimal(0)}
    before = visit.arrival
    for number, (at, wh) in enumerate(visit.energy):
        _check_inside(visit, before, at, f"energy[{number}].at")
        checked_number(wh, f"energy[{number}].kwh")
        if wh < known[before]:
            raise ValueError(f"energy[{number}].kwh: below the one before")
        known[at] = wh
        before = at
    if known[visit.arrival]:
        raise ValueError("energy[0].kwh: must be 0 at the arrival")
    total = known[before]
    known[visit.departure] = total
    full = next(at for at, wh in sorted(known.items()) if wh == total)
    activity = [(visit.arrival, Activity.CHARGING if total else Activity.PARKING)]
    if total and full < visit.departure:
        activity.append((full, Activity.PARKING))
    return Usage(start=visit.arrival, end=visit.departure, energy=sorted(known.items()), activity=activity)


def _of_draws(visit: Visit) -> Usage:
    draws = list(visit.draws)
    before = visit.arrival
    for number, draw in enumerate(draws):
        _check_inside(visit, before, draw.at, f"power[{number}].at")
        checked_number(draw.kw, f"power[{number}].kw", _MOST_KW)
        if draw.amperes is not None:
            checked_number(draw.amperes, f"power[{number}].amperes", _MOST_KW)
        before = draw.at
    if draws[0].at > visit.arrival:
        draws.insert(0, Draw(at=visit.arrival, kw=Decimal(0)))
    known = [(visit.arrival, Decimal(0))]
    with localcontext(EXACT):
        for draw, until in pairwise([*draws, Draw(at=visit.departure, kw=Decimal(0))]):
            length = (until.at - draw.at) // MICROSECOND
            used = (draw.kw * 1000 * length / HOUR).quantize(_MILLI)
            known.append((until.at, known[-1][1] + used))
    return Usage(
        start=visit.arrival,
        end=visit.departure,
        energy=known,
        activity=[(draw.at, Activity.CHARGING if draw.kw else Activity.PARKING) for draw in draws],
        power=[(draw.at, draw.kw) for draw in draws],
        current=[(draw.at, draw.amperes) for draw in draws if draw.amperes is not None],
    )


def _check_inside(visit: Visit, before: datetime, at: datetime, field: str) -> None:
    if at.tzinfo is None:
        raise ValueError(f"{field}: a time without a zone")
    if at < before:
        raise ValueError(f"{field}: lies before the arrival or the one before")
    if at > visit.departure:
        raise ValueError(f"{field}: lies after the departure")
