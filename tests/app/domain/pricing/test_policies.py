"""Where the specification leaves room: one test for each choice that docs/pricing.md names."""

from collections.abc import Callable
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from app.domain.pricing import Cost, LineKind, Period, price
from app.domain.tariffs import Price, Tariff

UTC = ZoneInfo("UTC")
Make = Callable[..., Tariff]
Session = Callable[..., tuple[Period, ...]]


def amount(excl: str, incl: str | None = None) -> Price:
    return Price(excl_vat=Decimal(excl), incl_vat=None if incl is None else Decimal(incl))


def steps(cost: Cost) -> list[tuple[str, Decimal]]:
    return [(str(line.dimension), line.billed) for line in cost.lines if line.kind is LineKind.STEP]


def test_a1_parking_is_rounded_even_if_charging_came_last(tariff_of: Make, session_of: Session) -> None:
    periods = session_of(
        "2026-03-02 10:00:00: 0.1167 h parking",
        "2026-03-02 10:07:00: 1 kWh, 0.2167 h charging",
        ends="2026-03-02 10:20:00",
    )
    cost = price(periods, [tariff_of("TIME 6 step 600", "PARKING_TIME 6 step 600")], UTC)
    assert steps(cost) == [("PARKING_TIME", 180)]
    assert cost.total_cost == amount("2.3")


def test_a2_of_two_fees_the_first_to_become_active_is_due(tariff_of: Make, session_of: Session) -> None:
    tariff = tariff_of(
        {"asks": ["FLAT 9"], "when": {"clock": "12:00..00:00"}},
        {"asks": ["FLAT 1"], "when": {"clock": "00:00..12:00"}},
    )
    periods = session_of("2026-03-02 11:00:00: 2 kWh, 2 h charging", ends="2026-03-02 13:00:00")
    assert price(periods, [tariff], UTC).total_cost == amount("1")


def test_a2_a_fee_that_becomes_active_later_is_still_due(tariff_of: Make, session_of: Session) -> None:
    tariff = tariff_of({"asks": ["FLAT 9"], "when": {"seconds": "3600.."}})
    long = session_of("2026-03-02 11:00:00: 2 kWh, 2 h charging", ends="2026-03-02 13:00:00")
    short = session_of("2026-03-02 11:00:00: 2 kWh, 1 h charging", ends="2026-03-02 12:00:00")
    assert price(long, [tariff], UTC).total_fixed_cost == amount("9")
    assert price(short, [tariff], UTC).total_fixed_cost is None


def test_a6_a_step_of_nothing_rounds_nothing(tariff_of: Make, session_of: Session) -> None:
    periods = session_of("2026-03-02 11:00:00: 0.0004 kWh, 0.01 h charging", ends="2026-03-02 11:00:36")
    cost = price(periods, [tariff_of("ENERGY 100 step 0", "TIME 100 step 0")], UTC)
    assert cost.total_cost == amount("1.04")


def test_a7_whole_steps_stay(tariff_of: Make, session_of: Session) -> None:
    """Ten minutes travel as 0.1667 h, which is 600.12 s: still two steps of 300."""
    periods = session_of("2026-03-02 11:00:00: 20 kWh, 0.1667 h charging", ends="2026-03-02 11:10:00")
    cost = price(periods, [tariff_of("ENERGY 0.25 step 500", "TIME 6 step 300")], UTC)
    assert steps(cost) == []
    assert cost.total_cost == amount("6")


def test_parts_of_a_second_do_not_cost_a_step(tariff_of: Make, session_of: Session) -> None:
    periods = session_of("2026-03-02 11:00:00: 1 kWh, 0.0833 h charging", ends="2026-03-02 11:05:00.400")
    assert steps(price(periods, [tariff_of("TIME 36 step 300")], UTC)) == []


def test_a8_unpriced_energy_is_no_part_of_the_steps(tariff_of: Make, session_of: Session) -> None:
    tariff = tariff_of({"asks": ["ENERGY 1 step 1000"], "when": {"seconds": "3600.."}})
    periods = session_of(
        "2026-03-02 10:00:00: 0.6 kWh, 1 h charging",
        "2026-03-02 11:00:00: 1.3 kWh, 1 h charging",
        ends="2026-03-02 12:00:00",
    )
    assert price(periods, [tariff], UTC).total_energy_cost == amount("2")


def test_a8_a_component_with_price_nothing_counts_as_priced(tariff_of: Make, session_of: Session) -> None:
    tariff = tariff_of({"asks": ["ENERGY 0 step 1000"], "when": {"seconds": "..3600"}}, "ENERGY 1 step 1000")
    periods = session_of(
        "2026-03-02 10:00:00: 0.6 kWh, 1 h charging",
        "2026-03-02 11:00:00: 1.3 kWh, 1 h charging",
        ends="2026-03-02 12:00:00",
    )
    assert price(periods, [tariff], UTC).total_energy_cost == amount("1.4")


def test_a9_a_sum_without_vat_rates_has_no_gross_amount(tariff_of: Make, session_of: Session) -> None:
    """In the total a component without VAT enters as it is; its own sum does not get a gross amount."""
    periods = session_of("2026-03-02 10:00:00: 10 kWh, 1 h charging", ends="2026-03-02 11:00:00")
    cost = price(periods, [tariff_of("ENERGY 1 vat 20", "FLAT 0.5")], UTC)
    assert cost.total_cost == amount("10.5", "12.5")
    assert cost.total_fixed_cost == amount("0.5")
    assert cost.total_energy_cost == amount("10", "12")


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"max_price": "8"}, amount("8", "9.6")),
        ({"max_price": "8 / 9"}, amount("8", "9")),
        ({"max_price": "20 / 11"}, amount("10", "11")),
        ({"min_price": "15"}, amount("15", "18")),
        ({"min_price": "5 / 13"}, amount("10", "13")),
        ({"max_price": "10"}, amount("10", "12")),
    ],
)
def test_a10_limits_bind_each_side_and_scale_a_side_without_limit(
    tariff_of: Make, session_of: Session, limits: dict[str, str], expected: Price
) -> None:
    periods = session_of("2026-03-02 10:00:00: 10 kWh, 1 h charging", ends="2026-03-02 11:00:00")
    cost = price(periods, [tariff_of("ENERGY 1 vat 20", **limits)], UTC)
    assert cost.total_cost == expected
    assert cost.total_energy_cost == amount("10", "12")
    last = cost.lines[-1]
    assert (last.kind is LineKind.LIMIT) == (expected != amount("10", "12"))


def test_a10_a_minimum_on_nothing_has_no_proportion(tariff_of: Make, session_of: Session) -> None:
    periods = session_of("2026-03-02 10:00:00: 0 kWh, 1 h charging", ends="2026-03-02 11:00:00")
    assert price(periods, [tariff_of("ENERGY 1 vat 20", min_price="2")], UTC).total_cost == amount("2", "2")


def test_a11_a_minimum_does_not_bind_an_expired_reservation(tariff_of: Make, session_of: Session) -> None:
    reserved = {"asks": ["TIME 1 vat 20"], "when": {"reserved": "RESERVATION"}}
    tariff = tariff_of(reserved, "ENERGY 1 vat 20", min_price="5 / 6")
    periods = session_of("2026-03-02 10:00:00: 1 h reserved", ends="2026-03-02 11:00:00")
    assert price(periods, [tariff], UTC, reservation_expired=True).total_cost == amount("1", "1.2")


def test_a12_durations_and_total_time_begin_with_charging(tariff_of: Make, session_of: Session) -> None:
    tariff = tariff_of(
        {"asks": ["FLAT 3"], "when": {"reserved": "RESERVATION"}},
        {"asks": ["TIME 6"], "when": {"seconds": "3600.."}},
    )
    periods = session_of(
        "2026-03-02 10:00:00: 0.5 h reserved",
        "2026-03-02 10:30:00: 1 kWh, 1.5 h charging",
        ends="2026-03-02 12:00:00",
    )
    cost = price(periods, [tariff], UTC)
    assert cost.total_time == Decimal("1.5")
    assert (cost.total_time_cost, cost.total_reservation_cost) == (amount("3"), amount("3"))


def test_a14_the_fee_of_a_parking_element_belongs_to_parking(tariff_of: Make, session_of: Session) -> None:
    tariff = tariff_of({"asks": ["PARKING_TIME 1", "FLAT 5"]})
    periods = session_of("2026-03-02 10:00:00: 1 h parking", ends="2026-03-02 11:00:00")
    cost = price(periods, [tariff], UTC)
    assert (cost.total_parking_cost, cost.total_fixed_cost) == (amount("6"), None)


def test_a15_reserved_time_has_its_own_step(tariff_of: Make, session_of: Session) -> None:
    reserved = {"asks": ["TIME 6 step 600"], "when": {"reserved": "RESERVATION"}}
    periods = session_of(
        "2026-03-02 10:00:00: 0.1167 h reserved",
        "2026-03-02 10:07:00: 1 kWh, 0.05 h charging",
        ends="2026-03-02 10:10:00",
    )
    cost = price(periods, [tariff_of(reserved, "TIME 6 step 300")], UTC)
    assert (cost.total_reservation_cost, cost.total_time_cost) == (amount("1"), amount("0.5"))


def test_a17_a_change_of_tariffs_is_no_reason_for_a_step(tariff_of: Make, session_of: Session) -> None:
    first, second = tariff_of("ENERGY 1 step 1000", id="A"), tariff_of("ENERGY 2 step 1000", id="B")
    periods = (
        *session_of("2026-03-02 10:00:00: 1.4 kWh, 1 h charging", ends="2026-03-02 11:00:00", tariff_id="A"),
        *session_of("2026-03-02 11:00:00: 1.4 kWh, 1 h charging", ends="2026-03-02 12:00:00", tariff_id="B"),
    )
    cost = price(periods, [first, second], UTC)
    assert steps(cost) == [("ENERGY", Decimal("0.2"))]
    assert cost.total_cost == amount("4.6")


@pytest.mark.parametrize(("currency", "total"), [("JPY", "33.3333"), ("KWD", "33.3333")])
def test_a16_amounts_have_four_decimals_in_every_currency(
    tariff_of: Make, session_of: Session, currency: str, total: str
) -> None:
    periods = session_of("2026-03-02 10:00:00: 1 kWh, 0.3333 h charging", ends="2026-03-02 10:20:00")
    assert price(periods, [tariff_of("TIME 100", currency=currency)], UTC).total_cost == amount(total)


def test_idle_time_is_neither_charging_nor_parking(tariff_of: Make, session_of: Session) -> None:
    periods = session_of("2026-03-02 10:00:00: 1 kWh", ends="2026-03-02 11:00:00")
    cost = price(periods, [tariff_of("TIME 100", "PARKING_TIME 100", "ENERGY 1")], UTC)
    assert cost.total_cost == amount("1")
    assert (cost.total_time, cost.total_parking_time) == (1, None)
