"""A raw session is cut wherever it matters, and its energy goes to the time in which it flowed."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from app.domain.pricing import Activity, Period, Usage, price, split
from app.domain.tariffs import Tariff

START = datetime(2026, 3, 2, 10, tzinfo=UTC)
ZONE = ZoneInfo("UTC")
Make = Callable[..., Tariff]
C, P, I, R = Activity.CHARGING, Activity.PARKING, Activity.IDLE, Activity.RESERVED  # noqa: E741


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def used(
    readings: Sequence[tuple[float, float | str]],
    activity: Sequence[tuple[float, Activity]] = ((0, C),),
    **more: Any,
) -> Usage:
    return Usage(
        start=START,
        end=at(readings[-1][0]),
        energy=[(at(minutes), Decimal(wh)) for minutes, wh in readings],
        activity=[(at(minutes), what) for minutes, what in activity],
        **more,
    )


def shown(periods: Sequence[Period]) -> list[tuple[float, str, Decimal]]:
    return [((p.start - START) / timedelta(minutes=1), p.activity.value, p.energy_wh) for p in periods]


def test_one_activity_and_no_tariff_is_one_period() -> None:
    assert shown(split(used([(0, 0), (7, 300), (60, 5000)]), None, ZONE)) == [(0, "CHARGING", 5000)]


def test_a_new_activity_begins_a_new_period_and_gets_no_energy() -> None:
    """The reading at 60 minutes lies after charging ended at 45: all of its energy flowed before."""
    usage = used([(0, 0), (30, 1000), (60, 4000), (90, 4000)], [(0, C), (45, P), (80, I)])
    periods = split(usage, None, ZONE)
    assert shown(periods) == [(0, "CHARGING", 4000), (45, "PARKING", 0), (80, "IDLE", 0)]


def test_energy_of_mixed_time_is_spread_over_its_charging_parts() -> None:
    usage = used([(0, 0), (60, 3000)], [(0, C), (10, P), (40, C), (50, I)])
    assert shown(split(usage, None, ZONE)) == [
        (0, "CHARGING", 1500),
        (10, "PARKING", 0),
        (40, "CHARGING", 1500),
        (50, "IDLE", 0),
    ]


def test_energy_without_charging_time_is_spread_over_all_of_it() -> None:
    usage = used([(0, 0), (60, 30)], [(0, P), (20, I)])
    assert shown(split(usage, None, ZONE)) == [(0, "PARKING", 10), (20, "IDLE", 20)]


def test_repeated_reports_of_an_activity_cut_nothing() -> None:
    usage = used([(0, 0), (60, 10)], [(0, P), (0, C), (10, C), (20, P), (20, C)])
    assert shown(split(usage, None, ZONE)) == [(0, "CHARGING", 10)]


def test_feedback_periods_come_at_equal_distances() -> None:
    periods = split(used([(0, 0), (40, 400)]), None, ZONE, timedelta(minutes=15))
    assert shown(periods) == [(0, "CHARGING", 150), (15, "CHARGING", 150), (30, "CHARGING", 100)]


def test_feedback_remains_where_a_tariff_would_join(tariff_of: Make) -> None:
    tariff = tariff_of({"asks": ["ENERGY 1"], "when": {"clock": "10:20..11:00"}})
    periods = split(used([(0, 0), (40, 400)]), tariff, ZONE, timedelta(minutes=30))
    assert [row[0] for row in shown(periods)] == [0, 20, 30]
    assert {period.tariff_id for period in periods} == {"T"}


def test_cuts_follow_the_curve_of_the_readings(tariff_of: Make) -> None:
    """The first reading interval is slow, the second fast: 5 kWh are reached in the second."""
    tariff = tariff_of(
        {"asks": ["ENERGY 1"], "when": {"kwh": "..5"}}, {"asks": ["ENERGY 2"], "when": {"kwh": "5.."}}
    )
    periods = split(used([(0, 0), (60, 1000), (120, 9000)]), tariff, ZONE)
    assert shown(periods) == [(0, "CHARGING", 5000), (90, "CHARGING", 4000)]
    assert price(periods, [tariff], ZONE).total_cost.excl_vat == 5 + 2 * 4


def test_window_edges_and_durations_cut(tariff_of: Make) -> None:
    tariff = tariff_of(
        {"asks": ["TIME 1"], "when": {"clock": "..10:20"}},
        {"asks": ["TIME 2"], "when": {"seconds": "..2400"}},
        "TIME 3",
    )
    periods = split(used([(0, 0), (60, 600)]), tariff, ZONE)
    assert shown(periods) == [(0, "CHARGING", 200), (20, "CHARGING", 200), (40, "CHARGING", 200)]


def test_what_cannot_matter_cuts_nothing(tariff_of: Make) -> None:
    """The hour price changes while the vehicle is parked and charging is over."""
    tariff = tariff_of({"asks": ["TIME 1"], "when": {"clock": "..10:45"}}, "TIME 2", "PARKING_TIME 1")
    periods = split(used([(0, 0), (30, 600), (60, 600)], [(0, C), (30, P)]), tariff, ZONE)
    assert shown(periods) == [(0, "CHARGING", 600), (30, "PARKING", 0)]


def test_power_bands_cut_at_the_readings(tariff_of: Make) -> None:
    tariff = tariff_of({"asks": ["ENERGY 1"], "when": {"kw": "..11"}}, "ENERGY 2")
    readings = [(at(0), Decimal(7)), (at(10), Decimal(10)), (at(20), Decimal(11)), (at(40), Decimal(3))]
    periods = split(used([(0, 0), (60, 6000)], power=readings), tariff, ZONE)
    assert [(p.start, p.min_power, p.max_power) for p in periods] == [
        (at(0), 7, 10),
        (at(20), 11, 11),
        (at(40), 3, 3),
    ]
    assert price(periods, [tariff], ZONE).total_cost.excl_vat == 2 * 1 + 2 * 2 + 2 * 1


def test_current_bands_cut_likewise(tariff_of: Make) -> None:
    tariff = tariff_of({"asks": ["TIME 1"], "when": {"amperes": "..32"}}, "TIME 2")
    periods = split(
        used([(0, 0), (60, 60)], current=[(at(5), Decimal(16)), (at(30), Decimal(48))]), tariff, ZONE
    )
    assert [(p.start, p.max_current) for p in periods] == [(at(0), 16), (at(30), 48)]


def test_power_comes_from_the_readings_where_none_was_reported(tariff_of: Make) -> None:
    tariff = tariff_of({"asks": ["ENERGY 1"], "when": {"kw": "..11"}}, "ENERGY 2")
    for unknown in (None, []):
        periods = split(used([(0, 0), (30, 5000), (60, 11000)], power=unknown), tariff, ZONE)
        assert [(p.start, p.max_power) for p in periods] == [(at(0), 10), (at(30), 12)]


def test_known_figures_are_kept_without_any_need() -> None:
    periods = split(used([(0, 0), (60, 60)], power=[(at(0), Decimal(7)), (at(30), Decimal(11))]), None, ZONE)
    assert (periods[0].min_power, periods[0].max_power) == (7, 11)


def test_reserved_time_is_its_own_period(tariff_of: Make) -> None:
    tariff = tariff_of(
        {"asks": ["TIME 6"], "when": {"reserved": "RESERVATION", "seconds": "600.."}}, "TIME 1"
    )
    usage = used([(0, 0), (30, 0), (90, 600)], [(0, R), (30, C)])
    periods = split(usage, tariff, ZONE)
    assert shown(periods) == [(0, "RESERVED", 0), (10, "RESERVED", 0), (30, "CHARGING", 600)]
    cost = price(periods, [tariff], ZONE)
    assert (cost.total_cost.excl_vat, cost.total_time) == (3, 1)


def test_a_session_without_length_has_one_period(tariff_of: Make) -> None:
    usage = Usage(
        start=START, end=START, energy=[(START, Decimal(0)), (START, Decimal(5))], activity=[(START, C)]
    )
    restricted = {"asks": ["ENERGY 1000"], "when": {"clock": "10:00..11:00"}}
    for tariff in (None, tariff_of("FLAT 1"), tariff_of("FLAT 1", restricted)):
        assert shown(split(usage, tariff, ZONE)) == [(0, "CHARGING", 5)]
    assert price(split(usage, None, ZONE), [tariff_of("FLAT 1", restricted)], ZONE).total_cost.excl_vat == 6


def test_a_reading_with_many_decimals_is_kept_whole() -> None:
    total = Decimal("1234.56789012345678")
    periods = split(used([(0, 0), (7, str(total))]), None, ZONE, timedelta(minutes=1))
    assert sum(period.energy_wh for period in periods) == total


GOOD = used([(0, 0), (60, 10)])


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"end": at(-1)}, "end_date_time: lies before"),
        ({"end": at(60 * 24 * 400)}, "end_date_time: more than 366 days"),
        ({"start": START.replace(tzinfo=None)}, "start_date_time: a time without a zone"),
        ({"energy": []}, "energy: must begin"),
        ({"energy": [(at(0), Decimal(1)), (at(60), Decimal(2))]}, "energy: must begin"),
        ({"energy": [(at(0), Decimal(0)), (at(59), Decimal(2))]}, "energy: must end"),
        ({"energy": [(at(0), Decimal(0)), (at(60), Decimal("1e12"))]}, "energy: absurdly large"),
        ({"energy": [(at(0), Decimal(0)), (at(60), Decimal("NaN"))]}, "energy: not a finite"),
        (
            {"energy": [(at(0), Decimal(0)), (at(9), Decimal(5)), (at(60), Decimal(4))]},
            "energy: a reading below",
        ),
        (
            {"energy": [(at(0), Decimal(0)), (at(9), Decimal(1)), (at(8), Decimal(1)), (at(60), Decimal(2))]},
            "energy: readings out of order",
        ),
        (
            {"energy": [(at(0), Decimal(0)), (at(60), Decimal(1)), (at(60), Decimal(2))]},
            "energy: two readings at one moment",
        ),
        ({"activity": []}, "activity: must begin"),
        ({"activity": [(at(1), C)]}, "activity: must begin"),
        ({"activity": [(at(0), C), (at(61), P)]}, "activity: goes on"),
        ({"activity": [(at(0), C), (at(9), P), (at(8), C)]}, "activity: out of order"),
        ({"power": [(at(9), Decimal(1)), (at(8), Decimal(1))]}, "power: out of order"),
    ],
)
def test_a_usage_that_cannot_be_is_refused_by_name(change: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError) as refusal:
        split(replace(GOOD, **change), None, ZONE)
    assert str(refusal.value).startswith(text)


def test_feedback_below_a_second_is_refused() -> None:
    with pytest.raises(ValueError, match="feedback"):
        split(GOOD, None, ZONE, timedelta(milliseconds=1))
