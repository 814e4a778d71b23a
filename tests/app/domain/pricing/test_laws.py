"""What must hold for every tariff and every session, tried on many made up by chance."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from app.domain.pricing import Activity, Cost, Period, Usage, periods_from, price, split, volumes_of
from app.domain.tariffs import Tariff

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
Make = Callable[..., Tariff]

tried = settings(max_examples=100)

minutes = st.integers(0, 95).map(lambda quarter: f"{quarter // 4:02}:{quarter % 4 * 15:02}")
cents = st.integers(0, 300).map(lambda value: str(Decimal(value) / 100))
steps = st.sampled_from([0, 1, 60, 300, 500, 900, 1000])
rates = st.sampled_from(["", " vat 0", " vat 7.7", " vat 21"])
kinds = st.sampled_from(["ENERGY", "TIME", "PARKING_TIME", "FLAT"])
days = st.sets(st.sampled_from(["MONDAY", "TUESDAY", "SATURDAY"]), min_size=1).map(" ".join)


@st.composite
def one_element(draw: st.DrawFn) -> dict[str, Any]:
    asks = [
        f"{draw(kinds)} {draw(cents)}{draw(rates)} step {draw(steps)}" for _ in range(draw(st.integers(1, 3)))
    ]
    choices = {
        "clock": st.tuples(minutes, minutes).map("..".join),
        "days": days,
        "seconds": st.integers(0, 40).map(lambda n: f"..{n * 600}"),
        "kwh": st.tuples(st.integers(0, 5), st.integers(5, 40)).map(lambda pair: f"{pair[0]}..{pair[1]}"),
        "kw": st.integers(1, 22).map(lambda n: f"{n}.."),
        "reserved": st.sampled_from(["RESERVATION", "RESERVATION_EXPIRES"]),
    }
    names = draw(st.sets(st.sampled_from(sorted(choices)), max_size=2))
    when = {name: draw(choices[name]) for name in sorted(names)}
    return {"asks": asks, "when": when} if when else {"asks": asks}


tariffs = st.lists(one_element(), min_size=1, max_size=5)
limits = st.fixed_dictionaries({}, optional={"min_price": cents, "max_price": cents})


@st.composite
def sessions(draw: st.DrawFn) -> Usage:
    start = MONDAY + timedelta(minutes=draw(st.integers(0, 7 * 24 * 60)))
    lengths = draw(st.just([0]) | st.lists(st.integers(1, 7200), min_size=1, max_size=6))
    at, total = start, Decimal(0)
    energy = [(at, total)]
    for seconds in lengths:
        at += timedelta(seconds=seconds)
        total += Decimal(draw(st.integers(0, 12_000)))
        energy.append((at, total))
    span = int((at - start).total_seconds())
    moments = sorted(draw(st.lists(st.integers(0, span), max_size=4)))
    does = st.sampled_from([Activity.CHARGING, Activity.PARKING, Activity.IDLE])
    activity = [(start, draw(st.sampled_from(list(Activity))))]
    activity += [(start + timedelta(seconds=moment), draw(does)) for moment in moments]
    return Usage(start=start, end=at, energy=energy, activity=activity)


def money(cost: Cost) -> tuple[Any, ...]:
    """All sums of a cost."""
    return (
        cost.total_cost,
        cost.total_fixed_cost,
        cost.total_energy_cost,
        cost.total_time_cost,
        cost.total_parking_cost,
        cost.total_reservation_cost,
        cost.total_energy,
        cost.total_time,
        cost.total_parking_time,
    )


def with_power(periods: tuple[Period, ...]) -> tuple[Period, ...]:
    """Fixes the power of each period, so that rounding a part's mean cannot change its band."""
    return tuple(replace(period, min_power=Decimal(5), max_power=Decimal(5)) for period in periods)


def cut(period: Period, share: int) -> list[Period]:
    """A period in two, where its energy can be shared exactly."""
    seconds = (period.end - period.start).total_seconds() * share / 8
    middle = period.start + timedelta(microseconds=round(seconds * 1_000_000))
    energy = period.energy_wh * share / 8
    return [
        replace(period, end=middle, energy_wh=energy),
        replace(period, start=middle, energy_wh=period.energy_wh - energy),
    ]


@tried
@given(usage=sessions(), elements=tariffs, bounds=limits, share=st.integers(0, 8))
def test_cutting_anywhere_changes_nothing(
    tariff_of: Make, usage: Usage, elements: list[Any], bounds: dict[str, str], share: int
) -> None:
    tariff = tariff_of(*elements, **bounds)
    periods = with_power(split(usage, None, BERLIN))
    parts = tuple(part for period in periods for part in cut(period, share))
    assert money(price(parts, [tariff], BERLIN)) == money(price(periods, [tariff], BERLIN))


@tried
@given(usage=sessions(), elements=tariffs, seconds=st.integers(60, 4000))
def test_splitting_finer_changes_nothing(
    tariff_of: Make, usage: Usage, elements: list[Any], seconds: int
) -> None:
    tariff = tariff_of(*elements)
    coarse = price(split(usage, tariff, BERLIN), [tariff], BERLIN)
    fine = price(split(usage, tariff, BERLIN, timedelta(seconds=seconds)), [tariff], BERLIN)
    assert len(fine.periods) >= len(coarse.periods)
    assert money(fine) == money(coarse)


@tried
@given(usage=sessions(), elements=tariffs)
def test_periods_cut_by_the_tariff_are_cut_no_further(
    tariff_of: Make, usage: Usage, elements: list[Any]
) -> None:
    tariff = tariff_of(*elements)
    periods = split(usage, tariff, BERLIN)
    assert price(periods, [tariff], BERLIN).periods == periods


@tried
@given(usage=sessions(), elements=tariffs)
def test_merging_equal_neighbours_changes_nothing(tariff_of: Make, usage: Usage, elements: list[Any]) -> None:
    tariff = tariff_of(*elements)
    (first, *rest) = with_power(split(usage, None, BERLIN))
    parts = cut(first, 3)
    whole = replace(parts[0], end=parts[1].end, energy_wh=parts[0].energy_wh + parts[1].energy_wh)
    assert money(price((*parts, *rest), [tariff], BERLIN)) == money(price((whole, *rest), [tariff], BERLIN))


@tried
@given(usage=sessions(), elements=tariffs, weeks=st.integers(1, 6))
def test_whole_weeks_away_from_a_clock_change_the_price_is_the_same(
    tariff_of: Make, usage: Usage, elements: list[Any], weeks: int
) -> None:
    tariff = tariff_of(*elements)
    by = timedelta(weeks=weeks)
    later = replace(
        usage,
        start=usage.start + by,
        end=usage.end + by,
        energy=[(at + by, wh) for at, wh in usage.energy],
        activity=[(at + by, what) for at, what in usage.activity],
    )
    now, then = (price(split(each, tariff, BERLIN), [tariff], BERLIN) for each in (usage, later))
    assert money(now) == money(then)


@tried
@given(usage=sessions(), elements=tariffs, bounds=limits)
def test_lines_add_up_to_the_total(
    tariff_of: Make, usage: Usage, elements: list[Any], bounds: dict[str, str]
) -> None:
    tariff = tariff_of(*elements, **bounds)
    cost = price(split(usage, tariff, BERLIN), [tariff], BERLIN)
    assert sum(line.cost.excl_vat for line in cost.lines) == cost.total_cost.excl_vat
    if cost.total_cost.incl_vat is None:
        assert all(line.cost.incl_vat is None for line in cost.lines)
    else:
        assert (
            sum(line.cost.incl_vat for line in cost.lines if line.cost.incl_vat) == cost.total_cost.incl_vat
        )


@tried
@given(usage=sessions(), asks=st.lists(cents, min_size=1, max_size=3), step=steps, more=st.integers(0, 9999))
def test_more_energy_never_costs_less(
    tariff_of: Make, usage: Usage, asks: list[str], step: int, more: int
) -> None:
    """Not with both: a step that ends in a dearer band may cost more than the energy beyond it."""
    step = step if len(set(asks)) == 1 else 0
    elements = [
        {"asks": [f"ENERGY {ask} vat 21 step {step}"], "when": {"kwh": f"{number * 5}..{number * 5 + 5}"}}
        for number, ask in enumerate(asks)
    ]
    tariff = tariff_of(*elements, f"ENERGY {asks[0]} vat 21 step {step}")
    most = replace(usage, energy=[*usage.energy[:-1], (usage.end, usage.energy[-1][1] + more)])
    less, greater = (price(split(each, tariff, BERLIN), [tariff], BERLIN) for each in (usage, most))
    assert greater.total_cost.excl_vat >= less.total_cost.excl_vat


@tried
@given(usage=sessions(), elements=tariffs, seconds=st.none() | st.integers(60, 3000))
def test_splitting_loses_no_energy_and_no_time(
    tariff_of: Make, usage: Usage, elements: list[Any], seconds: int | None
) -> None:
    feedback = None if seconds is None else timedelta(seconds=seconds)
    for tariff in (None, tariff_of(*elements)):
        periods = split(usage, tariff, BERLIN, feedback)
        assert sum(period.energy_wh for period in periods) == usage.energy[-1][1]
        assert all(period.energy_wh >= 0 for period in periods)
        edges = [usage.start, *(period.end for period in periods)]
        assert edges == [*(period.start for period in periods), usage.end]


@tried
@given(usage=sessions(), seconds=st.integers(60, 3000))
def test_written_volumes_sum_to_the_rounded_totals(tariff_of: Make, usage: Usage, seconds: int) -> None:
    periods = split(usage, None, BERLIN, timedelta(seconds=seconds))
    cost = price(periods, [tariff_of("ENERGY 1")], BERLIN)
    written: dict[str, Decimal] = {}
    for item in volumes_of(periods):
        for dimension, volume in item.volumes.items():
            written[dimension] = written.get(dimension, Decimal(0)) + volume
    assert written.get("ENERGY", 0) == cost.total_energy
    assert written.get("PARKING_TIME", 0) == (cost.total_parking_time or 0)


@tried
@given(usage=sessions(), elements=tariffs, bounds=limits, seconds=st.none() | st.integers(60, 3000))
def test_whoever_prices_what_travels_comes_to_the_same(
    tariff_of: Make, usage: Usage, elements: list[Any], bounds: dict[str, str], seconds: int | None
) -> None:
    tariff = tariff_of(*elements, **bounds)
    periods = split(usage, tariff, BERLIN, None if seconds is None else timedelta(seconds=seconds))
    read = periods_from(volumes_of(periods), start=usage.start, end=usage.end)
    assert money(price(read, [tariff], BERLIN)) == money(price(periods, [tariff], BERLIN))


SLICE = timedelta(minutes=5)
WEEK = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")


def holds(when: dict[str, str], local: datetime, elapsed: timedelta, kwh: Fraction) -> bool:
    """A second, slow reading of what a restriction means."""
    shown = local.strftime("%H:%M")
    for word, text in when.items():
        low, _, high = text.partition("..")
        if word == "clock":
            high = "24:00" if high == "00:00" else high
            inside = low <= shown < high if low < high else low == high or shown >= low or shown < high
        elif word == "days":
            inside = WEEK[local.weekday()] in text.split()
        elif word == "seconds":
            inside = elapsed.total_seconds() < int(high)
        elif word == "kwh":
            inside = int(low) <= kwh < int(high)
        elif word == "kw":
            inside = int(low) <= 4
        else:
            inside = False
        if not inside:
            return False
    return True


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"])
@settings(deadline=None, max_examples=60)
@given(elements=tariffs, hour=st.integers(0, 8759), length=st.integers(1, 30))
def test_judging_every_five_minutes_comes_to_the_same(
    tariff_of: Make, zone: str, elements: list[Any], hour: int, length: int
) -> None:
    """All over a year (2011: in that of Apia one day is missing), against `holds` asked slice by slice."""
    elements = [
        {**each, "asks": [ask.split(" step ")[0] + " step 0" for ask in each["asks"]]} for each in elements
    ]
    start = datetime(2011, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
    whole = Period(
        start=start,
        end=start + timedelta(hours=length),
        energy_wh=Decimal(4000 * length),
        activity=Activity.CHARGING,
        min_power=Decimal(4),
        max_power=Decimal(4),
    )
    cost = price([whole], [tariff_of(*elements)], ZoneInfo(zone))
    sums = {"ENERGY": Fraction(0), "TIME": Fraction(0)}
    for number in range(12 * length):
        at = start + number * SLICE
        kwh = Fraction(number, 3)
        for kind, quantity in (("ENERGY", Fraction(1, 3)), ("TIME", Fraction(1, 12))):
            asked = (
                ask.split()[1]
                for each in elements
                if holds(each.get("when", {}), at.astimezone(ZoneInfo(zone)), at - start, kwh)
                for ask in each["asks"]
                if ask.split()[0] == kind
            )
            sums[kind] += quantity * Fraction(next(asked, "0"))
    for kind, given_sum in (("ENERGY", cost.total_energy_cost), ("TIME", cost.total_time_cost)):
        exact = given_sum.excl_vat if given_sum else Decimal(0)
        assert abs(Fraction(exact) - sums[kind]) <= Fraction(1, 20_000)
