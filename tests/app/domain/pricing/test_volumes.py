"""Periods read from a CDR and written to one: volumes that add up, and impossible ones refused by name."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.domain.pricing import Activity, CdrDimension, Period, PeriodVolumes, periods_from, price, volumes_of
from app.domain.tariffs import Tariff

START = datetime(2026, 3, 2, 10, tzinfo=UTC)
END = START + timedelta(hours=2)
D = CdrDimension


def data(minutes: float, **volumes: str) -> PeriodVolumes:
    return PeriodVolumes(
        start=START + timedelta(minutes=minutes), volumes={D(name): Decimal(v) for name, v in volumes.items()}
    )


def parts(*items: PeriodVolumes) -> list[tuple[float, str, Decimal]]:
    periods = periods_from(items, start=START, end=END)
    return [((p.end - p.start) / timedelta(minutes=1), p.activity.value, p.energy_wh) for p in periods]


def test_the_timestamps_win_over_rounded_hours() -> None:
    assert parts(data(0, TIME="0.6667", ENERGY="1"), data(40, PARKING_TIME="1.3333")) == [
        (40, "CHARGING", 1000),
        (80, "PARKING", 0),
    ]


def test_one_period_with_two_kinds_of_time_is_cut_between_them() -> None:
    assert parts(data(0, ENERGY="3", PARKING_TIME="0.75", TIME="1")) == [
        (60, "CHARGING", 3000),
        (45, "PARKING", 0),
        (15, "IDLE", 0),
    ]


def test_energy_without_time_flows_in_idle_time() -> None:
    assert parts(data(0, ENERGY="3")) == [(120, "IDLE", 3000)]
    assert parts(data(0, RESERVATION_TIME="1", ENERGY="3")) == [(60, "RESERVED", 0), (60, "IDLE", 3000)]


def test_a_late_first_period_leaves_idle_time_before_it() -> None:
    assert parts(data(30, TIME="1.5", ENERGY="3")) == [(30, "IDLE", 0), (90, "CHARGING", 3000)]


def test_many_decimals_of_a_sloppy_partner_are_read() -> None:
    assert parts(data(0, TIME="2.000000000000001", ENERGY="20.450000000000003")) == [
        (120, "CHARGING", Decimal("20450.000000000003"))
    ]


def test_a_negative_power_is_no_error() -> None:
    (period,) = periods_from([data(0, TIME="2", MIN_POWER="-7", POWER="3")], start=START, end=END)
    assert (period.min_power, period.max_power) == (-7, None)


@pytest.mark.parametrize(
    ("items", "end", "text"),
    [
        ([], END, "charging_periods: at least one"),
        ([data(0, ENERGY="-1")], END, "charging_periods[0].ENERGY: negative"),
        ([data(0, TIME="-1")], END, "charging_periods[0].TIME: negative"),
        ([data(0, ENERGY="NaN")], END, "charging_periods[0].ENERGY: not a finite"),
        ([data(0, MIN_POWER="Infinity")], END, "charging_periods[0].MIN_POWER: not a finite"),
        ([data(0, ENERGY="1e30")], END, "charging_periods[0].ENERGY: absurdly"),
        ([data(0, ENERGY="1e-30")], END, "charging_periods[0].ENERGY: more than twenty"),
        ([data(0, TIME="3")], END, "charging_periods[0].TIME: 3 h do not fit"),
        ([data(0, TIME="1.5", PARKING_TIME="1")], END, "charging_periods[0].PARKING_TIME: 1 h do not fit"),
        ([data(0), data(60), data(50)], END, "charging_periods[2].start_date_time: lies before"),
        ([data(-1)], END, "charging_periods[0].start_date_time: lies before"),
        ([data(0), data(121)], END, "charging_periods[1].start_date_time: lies after"),
        ([data(0)], START - timedelta(1), "end_date_time: lies before"),
        (
            [PeriodVolumes(start=START.replace(tzinfo=None), volumes={})],
            END,
            "charging_periods[0].start_date_time",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name(items: list[PeriodVolumes], end: datetime, text: str) -> None:
    with pytest.raises(ValueError) as refusal:
        periods_from(items, start=START, end=end)
    assert str(refusal.value).startswith(text)


def thirds(activity: Activity, **more: Any) -> list[Period]:
    """Three periods of 25 s and a third of 0.1 Wh each."""
    step = timedelta(seconds=25)
    return [
        Period(
            start=START + n * step,
            end=START + (n + 1) * step,
            energy_wh=Decimal("0.25"),
            activity=activity,
            **more,
        )
        for n in range(3)
    ]


def test_written_volumes_add_up_to_the_rounded_total() -> None:
    """25 s are 0.00694 h: rounded each for itself they would add up to 0.0207 instead of 0.0208."""
    written = volumes_of(thirds(Activity.CHARGING))
    assert [item.volumes[D.TIME] for item in written] == [Decimal(v) for v in ("0.0069", "0.0070", "0.0069")]
    assert sum(item.volumes[D.ENERGY] for item in written) == Decimal("0.0008")


@pytest.mark.parametrize(
    ("activity", "dimensions"),
    [
        (Activity.CHARGING, {D.ENERGY, D.TIME}),
        (Activity.PARKING, {D.PARKING_TIME}),
        (Activity.IDLE, {D.ENERGY}),
        (Activity.RESERVED, {D.RESERVATION_TIME}),
    ],
)
def test_each_activity_is_written_in_its_own_dimension(activity: Activity, dimensions: set[D]) -> None:
    period = Period(start=START, end=END, activity=activity, tariff_id="T")
    (written,) = volumes_of([period])
    assert (set(written.volumes), written.tariff_id) == (dimensions, "T")


def test_figures_are_written_where_known() -> None:
    known = {"min_power": Decimal(1), "max_power": Decimal("7.36001"), "max_current": Decimal(16)}
    written = volumes_of(thirds(Activity.CHARGING, **known))[0].volumes
    assert (written[D.MIN_POWER], written[D.MAX_POWER], written[D.MAX_CURRENT]) == (1, Decimal("7.36"), 16)
    assert D.MIN_CURRENT not in written


def test_what_is_written_is_read_back_the_same() -> None:
    periods = (
        Period(start=START, end=START + timedelta(minutes=7), activity=Activity.RESERVED),
        Period(
            start=START + timedelta(minutes=7),
            end=START + timedelta(minutes=50),
            energy_wh=Decimal(4321),
            activity=Activity.CHARGING,
        ),
        Period(start=START + timedelta(minutes=50), end=END, activity=Activity.PARKING),
    )
    assert periods_from(volumes_of(periods), start=START, end=END) == periods


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda p: [], "charging_periods: at least one"),
        (lambda p: [p[2], p[0]], "end_date_time: lies before"),
        (lambda p: [p[0], p[0], p[2]], "charging_periods[1].start_date_time: out of order"),
    ],
)
def test_periods_in_disorder_have_no_price(
    tariff_of: Callable[..., Tariff], change: Callable[[list[Period]], list[Period]], text: str
) -> None:
    with pytest.raises(ValueError) as refusal:
        price(change(thirds(Activity.CHARGING)), [tariff_of("ENERGY 1")], ZoneInfo("UTC"))
    assert str(refusal.value).startswith(text)


def test_no_tariff_and_mixed_currencies_are_errors(tariff_of: Callable[..., Tariff]) -> None:
    periods, zone, tariff = thirds(Activity.CHARGING), ZoneInfo("UTC"), tariff_of("ENERGY 1")
    with pytest.raises(ValueError, match=r"^tariffs: a session without a tariff"):
        price(periods, [], zone)
    with pytest.raises(ValueError, match=r"^currency: EUR and NOK"):
        price(periods, [tariff, tariff_of("ENERGY 1", currency="NOK")], zone)
    with pytest.raises(ValueError, match=r"^currency: EUR and SEK"):
        price(periods, [tariff], zone, currency="SEK")
    with pytest.raises(ValueError, match=r"^charging_periods\[0\]\.tariff_id: 'X'"):
        price(thirds(Activity.CHARGING, tariff_id="X"), [tariff, tariff_of("TIME 1", id="U")], zone)
