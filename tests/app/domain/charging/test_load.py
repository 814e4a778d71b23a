"""Power at a moment, from what meters said last."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from app.domain.charging.load import STALE_AFTER, power_now, power_of
from app.domain.charging.registers import Register
from app.domain.metering import Reading

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def metered(*readings: tuple[int, Reading]) -> Register:
    register = Register(START, Decimal(0), Decimal(22))
    for minute, reading in readings:
        register.add(START + minute * MINUTE, reading)
    return register


def test_it_is_what_the_meter_said_last():
    register = metered((1, Reading(power_kw=Decimal(11))), (2, Reading(power_kw=Decimal("7.4"))))
    assert power_of(register, START + 3 * MINUTE) == Decimal("7.4")


def test_a_meter_of_energy_alone_tells_it_by_its_last_two_readings():
    register = metered((10, Reading(register_wh=Decimal(1000))), (20, Reading(register_wh=Decimal(3000))))
    assert power_of(register, START + 21 * MINUTE) == Decimal(12)


def test_a_meter_that_fell_silent_says_nothing_of_now():
    told = metered((1, Reading(power_kw=Decimal(11), register_wh=Decimal(100))))
    assert power_of(told, START + MINUTE + STALE_AFTER) == 0
    assert power_of(metered(), START) == 0


def test_all_of_them_are_a_sum_in_whole_watts():
    each = metered((1, Reading(power_kw=Decimal("3.33333"))))
    assert power_now([each, each], START + 2 * MINUTE) == Decimal("6.667")
