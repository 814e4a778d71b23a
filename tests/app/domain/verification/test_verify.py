"""Records of others: right ones pass, wrong ones are told what went wrong, to the cent."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from app.domain.pricing import CdrDimension, PeriodVolumes, periods_from, price
from app.domain.tariffs import Price, Tariff
from app.domain.verification import Claim, Outcome, Verdict, verify

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 7, 6, 15, tzinfo=UTC)
Make = Callable[..., Tariff]

DIMENSIONS = {
    "kWh": CdrDimension.ENERGY,
    "h": CdrDimension.TIME,
    "parked": CdrDimension.PARKING_TIME,
    "reserved": CdrDimension.RESERVATION_TIME,
}


def claim(tariff: Tariff, *periods: tuple[int, dict[str, str]], minutes: int, asks: str | None) -> Claim:
    """Periods as (minute of their start, volumes); `asks` is the total, the right one if left out."""
    volumes = [
        PeriodVolumes(
            start=START + timedelta(minutes=at),
            volumes={DIMENSIONS[name]: Decimal(volume) for name, volume in given.items()},
        )
        for at, given in periods
    ]
    end = START + timedelta(minutes=minutes)
    cost = price(periods_from(volumes, start=START, end=end), [tariff], BERLIN)
    excl, _, incl = (asks or "").partition(" / ")
    asked = (
        Price(excl_vat=Decimal(excl), incl_vat=Decimal(incl) if incl else None) if asks else cost.total_cost
    )
    return Claim(
        start=START,
        end=end,
        currency="EUR",
        volumes=volumes,
        tariffs=[tariff],
        zone=BERLIN,
        total_cost=asked,
        total_energy=cost.total_energy,
        total_time=cost.total_time,
        total_parking_time=cost.total_parking_time,
    )


EVENING = [{"asks": ["ENERGY 0.5 vat 20"], "when": {"clock": "18:00..22:00"}}, "ENERGY 0.25 vat 20"]
"""17:00 to 21:00 local time, 10 kWh an hour: 17.50 / 21.00."""
LONG = ((0, {"kWh": "40", "h": "4"}),)
STAY = ((0, {"kWh": "5.4", "h": "0.35"}), (21, {"h": "0.1167"}), (28, {"parked": "0.2667"}))
"""28 minutes in two periods, then 16 of parking."""
STEPS = [
    "ENERGY 0.3 vat 20 step 500",
    "TIME 3 vat 20 step 300",
    "PARKING_TIME 6 vat 20 step 600",
    "FLAT 1 vat 20",
]
"""1.65 + 1.40 + 2.00 + 1.00 = 6.05 / 7.26."""
IDLE = ((0, {"kWh": "10", "h": "1"}), (60, {"parked": "1"}), (120, {"kWh": "0"}))
"""An hour each of charging, of parking, of nothing."""
TIMED = ["TIME 2 vat 20", "PARKING_TIME 5 vat 10"]
"""2.00 + 5.00 = 7.00 / 7.90."""

WRONG: list[tuple[str, list[Any], tuple[Any, ...], int, str]] = [
    ("utc", EVENING, LONG, 240, "12.5 / 15"),
    ("no_daylight_saving", EVENING, LONG, 240, "15 / 18"),
    ("at_the_start", EVENING, LONG, 240, "10 / 12"),
    ("no_restrictions", EVENING, LONG, 240, "20 / 24"),
    ("vat_twice", EVENING, LONG, 240, "17.5 / 25.2"),
    ("vat_inside", EVENING, LONG, 240, "21 / 21"),
    ("vat_on_gross", EVENING, LONG, 240, "21 / 25.2"),
    ("no_vat", EVENING, LONG, 240, "17.5 / 17.5"),
    ("minor_units", EVENING, LONG, 240, "1750 / 2100"),
    ("wh_for_kwh", EVENING, LONG, 240, "17500 / 21000"),
    ("kwh_for_wh", EVENING, LONG, 240, "0.0175 / 0.021"),
    # 22 and then 10 minutes charged: 25 + 10 = 35 of 28
    ("step_per_period", STEPS, STAY, 44, "6.4 / 7.68"),
    ("no_step", STEPS, STAY, 44, "5.62 / 6.744"),
    ("step_of_both", STEPS, STAY, 44, "6.15 / 7.38"),
    ("step_in_minutes", STEPS, STAY, 44, "64.05 / 76.86"),
    ("step_in_kwh", STEPS, STAY, 44, "154.4 / 185.28"),
    ("fee_per_period", STEPS, STAY, 44, "8.05 / 9.66"),
    ("wall_clock_time", TIMED, IDLE, 180, "6 / 7.2"),
    ("time_while_parked", TIMED, IDLE, 180, "9 / 10.3"),
    ("parking_free", TIMED, IDLE, 180, "2 / 2.4"),
    ("idle_as_parking", TIMED, IDLE, 180, "12 / 13.4"),
    ("idle_as_time", TIMED, IDLE, 180, "9 / 10.3"),
    ("charging_as_parking", TIMED, IDLE, 180, "10 / 11"),
    ("one_vat_rate", TIMED, IDLE, 180, "7 / 8.4"),
    ("price_per_minute", TIMED, IDLE, 180, "420 / 474"),
]


@pytest.mark.parametrize(("name", "elements", "periods", "minutes", "asks"), WRONG)
def test_the_wrong_reading_is_named(
    tariff_of: Make, name: str, elements: list[Any], periods: Any, minutes: int, asks: str
) -> None:
    verdict = verify(claim(tariff_of(*elements), *periods, minutes=minutes, asks=asks))
    assert verdict.outcome is Outcome.DIFFERS
    assert name in [each.name for each in verdict.causes], (
        verdict.words,
        verdict.right and verdict.right.cost,
    )
    assert all(each.exact for each in verdict.causes if each.name == name)


def cause(verdict: Verdict) -> str | None:
    return verdict.causes[0].name if verdict.causes else None


@pytest.mark.parametrize(
    ("elements", "periods", "minutes"),
    [(EVENING, LONG, 240), (STEPS, STAY, 44), (TIMED, IDLE, 180)],
)
def test_a_right_record_agrees(tariff_of: Make, elements: list[Any], periods: Any, minutes: int) -> None:
    verdict = verify(claim(tariff_of(*elements), *periods, minutes=minutes, asks=None))
    assert (verdict.outcome, verdict.causes) == (Outcome.AGREES, ())
    assert verdict.difference is not None
    assert verdict.difference.excl_vat == 0


def test_cents_are_agreement(tariff_of: Make) -> None:
    tariff = tariff_of("ENERGY 0.333 vat 19")
    one = (0, {"kWh": "7.77", "h": "1"})
    right = verify(claim(tariff, one, minutes=60, asks="2.59 / 3.08"))
    assert right.outcome is Outcome.AGREES
    cut = verify(claim(tariff, one, minutes=60, asks="2.58 / 3.07"))
    assert (cut.outcome, cause(cut)) == (Outcome.DIFFERS, "cents_cut_off")


@pytest.mark.parametrize(("kwh", "asks"), [("9.1", "4.10 / 4.95"), ("29.1", "13.10 / 15.84")])
def test_cents_are_rounded_from_what_is_exact_not_from_four_decimals(
    tariff_of: Make, kwh: str, asks: str
) -> None:
    """4.95495 is 4.9550 to four decimals, but 4.95 to two."""
    tariff = tariff_of("ENERGY 0.45 vat 21")
    record = claim(tariff, (0, {"kWh": kwh, "h": "1"}), minutes=60, asks=asks)
    assert verify(record).outcome is Outcome.AGREES


def test_cents_of_every_line(tariff_of: Make) -> None:
    tariff = tariff_of(
        {"asks": ["ENERGY 0.33"], "when": {"clock": "..18:00"}}, {"asks": ["ENERGY 0.44"]}, "FLAT 0.35"
    )
    periods = ((0, {"kWh": "1.111", "h": "1"}), (60, {"kWh": "1.111", "h": "1"}))
    verdict = verify(claim(tariff, *periods, minutes=120, asks="1.21"))
    # 0.3666 + 0.4888 + 0.35 = 1.2055: 1.21 in cents, and 0.37 + 0.49 + 0.35 line by line
    assert verdict.outcome is Outcome.AGREES
    periods = ((0, {"kWh": "1.115", "h": "1"}), (60, {"kWh": "1.114", "h": "1"}))
    verdict = verify(claim(tariff, *periods, minutes=120, asks="1.2"))
    # 0.3680 + 0.4902 + 0.35 = 1.2081; nobody comes to 1.20 but by cutting off
    assert cause(verdict) == "cents_cut_off"


def test_limits_left_out(tariff_of: Make) -> None:
    tariff = tariff_of("ENERGY 1 vat 20", min_price="2 / 2.4", max_price="5 / 6")
    one = (0, {"kWh": "10", "h": "1"})
    assert cause(verify(claim(tariff, one, minutes=60, asks="10 / 12"))) == "no_limits"


def test_unpriced_time_that_was_rounded_up(tariff_of: Make) -> None:
    tariff = tariff_of({"asks": ["TIME 6 vat 20 step 600"], "when": {"seconds": "..960"}})
    one = (0, {"kWh": "1", "h": "0.35"})
    right = verify(claim(tariff, one, minutes=21, asks=None))
    assert right.outcome is Outcome.AGREES
    # 16 minutes become 20; counted with the free 5 it is 21, which become 30
    verdict = verify(claim(tariff, one, minutes=21, asks="2.5 / 3"))
    assert cause(verdict) == "unpriced_counted"


def test_periods_that_were_not_cut(tariff_of: Make) -> None:
    tariff = tariff_of({"asks": ["ENERGY 1"], "when": {"kwh": "..5"}}, "ENERGY 2")
    verdict = verify(claim(tariff, (0, {"kWh": "10", "h": "1"}), minutes=60, asks="10"))
    assert "period_starts" in [each.name for each in verdict.causes]
    assert [each.kind for each in verdict.checks] == ["uncut_periods"]


def test_durations_that_began_anew_in_each_period(tariff_of: Make) -> None:
    tariff = tariff_of({"asks": ["PARKING_TIME 6"], "when": {"seconds": "3600.."}})
    verdict = verify(
        claim(tariff, (0, {"kWh": "1", "h": "1"}), (60, {"parked": "1.5"}), minutes=150, asks="3")
    )
    assert cause(verdict) == "since_the_period"


def test_what_nothing_explains(tariff_of: Make) -> None:
    verdict = verify(claim(tariff_of(*EVENING), *LONG, minutes=240, asks="123.4567 / 148.0001"))
    assert (verdict.outcome, verdict.causes) == (Outcome.DIFFERS, ())
    assert verdict.difference == Price(excl_vat=Decimal("105.9567"), incl_vat=Decimal("127.0001"))


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"total_energy": Decimal(40_000)}, "wh_for_kwh"),
        ({"total_energy": Decimal("0.04")}, "wh_for_kwh"),
        ({"total_energy": Decimal(39)}, "energy_differs"),
        ({"total_time": Decimal(3)}, "time_differs"),
        ({"total_parking_time": Decimal(1)}, "parking_differs"),
        ({"total_cost": Price(excl_vat=Decimal("17.5"), incl_vat=Decimal(17))}, "vat_below_net"),
        ({"sums": {"total_energy_cost": Price(excl_vat=Decimal(16))}}, "sums_differ"),
        ({"currency": "USD"}, "currency_differs"),
    ],
)
def test_a_record_that_contradicts_itself(tariff_of: Make, change: dict[str, Any], kind: str) -> None:
    verdict = verify(replace(claim(tariff_of(*EVENING), *LONG, minutes=240, asks=None), **change))
    assert kind in [each.kind for each in verdict.checks]


def test_more_hours_than_the_session_had(tariff_of: Make) -> None:
    good = claim(tariff_of(*TIMED), *IDLE, minutes=180, asks=None)
    volumes = [replace(good.volumes[0], volumes={CdrDimension.TIME: Decimal(9)}), *good.volumes[1:]]
    verdict = verify(replace(good, volumes=volumes))
    assert verdict.outcome is Outcome.UNPRICEABLE
    assert verdict.words.startswith("charging_periods[0].TIME")
    assert "more_time_than_there_was" in [each.kind for each in verdict.checks]


def test_without_a_tariff(tariff_of: Make) -> None:
    verdict = verify(replace(claim(tariff_of(*TIMED), *IDLE, minutes=180, asks=None), tariffs=[]))
    assert (verdict.outcome, verdict.words) == (
        Outcome.UNPRICEABLE,
        "tariffs: a session without a tariff has no price",
    )
