"""What is believed of a meter: glitches, restarts, swaps, intervals, absurd values, and the total at the stop."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from app.domain.charging.registers import Register, plausible_wh
from app.domain.metering import Reading
from app.domain.transactions import Flag

START = datetime(2026, 11, 20, 12, tzinfo=UTC)


def minute(n: float) -> datetime:
    return START + timedelta(minutes=n)


def register(*readings: float, start: int = 1000, rated: int | None = 22) -> Register:
    made = Register(START, Decimal(start), Decimal(rated) if rated else None)
    for n, value in enumerate(readings, 1):
        made.add(minute(n), Reading(register_wh=Decimal(str(value))))
    return made


def test_energy_is_counted_from_the_meter_at_the_start() -> None:
    made = register(1100, 1250.5)
    assert made.energy_wh == Decimal("250.5")
    assert made.points == [(START, 0), (minute(1), 100), (minute(2), Decimal("250.5"))]


def test_one_low_value_is_a_glitch() -> None:
    made = register(1100, 0, 1300)
    assert made.energy_wh == 300
    assert not made.reset


def test_a_meter_that_counts_on_from_below_was_changed() -> None:
    made = register(1100, 1500, 10, 60, 110)
    assert made.reset
    assert made.energy_wh == 600, "500 on the old meter, 100 on the new one"
    assert made.settle(minute(6), Decimal(160), Decimal(1000)) == (Decimal(600), Flag.METER_RESET)


def test_samples_that_begin_at_zero_beside_an_absolute_start_and_stop() -> None:
    made = register(0, 200, 400, 600)
    assert made.reset
    assert made.energy_wh == 600
    assert made.settle(minute(5), Decimal(1750), Decimal(1000)) == (Decimal(750), None)
    assert made.settle(minute(5), Decimal(9000), Decimal(1000)) == (Decimal(600), Flag.METER_RESET)


def test_values_that_nobody_can_have_charged_are_not_believed() -> None:
    made = register(1100, 90_000_000, 1200)
    assert made.energy_wh == 200


def test_a_register_far_above_a_start_of_zero_leaves_an_estimate() -> None:
    made = register(11_985_000, 11_986_000, start=0)
    assert made.energy_wh == 0
    assert made.settle(minute(3), Decimal(11_987_000), Decimal(0)) == (Decimal(2000), Flag.ABSURD_ENERGY)


def test_intervals_add_up_once_each() -> None:
    made = Register(START, Decimal(0), None)
    for n in (1, 2, 2, 3):
        made.add(minute(n), Reading(interval_wh=Decimal(50)))
    assert made.energy_wh == 150


def test_intervals_do_not_count_beside_a_register() -> None:
    made = register(1100)
    made.add(minute(2), Reading(interval_wh=Decimal(50)))
    assert made.energy_wh == 100


def test_a_late_sample_changes_nothing() -> None:
    made = register(1100, 1200)
    made.add(minute(0.5), Reading(register_wh=Decimal(1050)))
    assert made.energy_wh == 200
    assert len(made.points) == 3


def test_a_sample_without_energy_keeps_the_last_good_reading() -> None:
    made = register(1100)
    made.add(minute(2), Reading(power_kw=Decimal(7)))
    assert (made.energy_wh, made.power) == (100, [(minute(2), Decimal(7))])


def test_the_stop_is_believed_within_rounding() -> None:
    made = register(1100.7)
    assert made.settle(minute(2), Decimal(1100), Decimal(1000)) == (Decimal(100), None)


def test_a_stop_below_the_start_is_never_negative() -> None:
    made = register(1100)
    assert made.settle(minute(2), Decimal(0), Decimal(1000)) == (Decimal(100), Flag.METER_RESET)


def test_the_limit_grows_with_power_and_time() -> None:
    assert plausible_wh(Decimal(22), timedelta(0)) == Decimal(27500)
    assert plausible_wh(Decimal(22), timedelta(hours=1)) == Decimal(55000)


def test_the_curve_ends_where_the_bill_ends() -> None:
    made = register(1100, 1200, 1300)
    assert made.until(minute(2.5), Decimal(150)) == [
        (START, 0),
        (minute(1), 100),
        (minute(2.5), Decimal(150)),
    ]
