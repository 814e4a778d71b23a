"""Reasons: which component applied, why those before it did not, what was free, and the letter to the driver."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from app.domain.pricing import Explanation, Period, as_text, explain, price
from app.domain.tariffs import Tariff

BERLIN = ZoneInfo("Europe/Berlin")
Make = Callable[..., Tariff]
Session = Callable[..., tuple[Period, ...]]


def reasons(tariff: Tariff, periods: tuple[Period, ...], *, expired: bool = False) -> Explanation:
    cost = price(periods, [tariff], BERLIN, reservation_expired=expired)
    return explain(cost, [tariff], BERLIN, reservation_expired=expired)


@pytest.mark.parametrize(
    ("when", "why"),
    [
        ({"clock": "20:00..06:00"}, "holds from 20:00 to 06:00; it was 11:00"),
        ({"clock": "..10:00"}, "holds from 00:00 to 10:00; it was 11:00"),
        ({"days": "SATURDAY SUNDAY"}, "holds on SATURDAY, SUNDAY; it was MONDAY"),
        ({"dates": "2026-03-03.."}, "holds from 2026-03-03 on; it was 2026-03-02"),
        ({"dates": "..2026-03-02"}, "holds before 2026-03-02; it was 2026-03-02"),
        ({"kwh": "30.."}, "holds from 30 kWh used so far on; it was 0"),
        ({"seconds": "7200.."}, "holds from 7200 s since the start on; it was 0"),
        ({"kw": "11.."}, "holds from 11 kW on; it was 10"),
        ({"kw": "..10"}, "holds below 10 kW; it was 10"),
        ({"amperes": "..16"}, "needs a figure in A, and none is known"),
        ({"reserved": "RESERVATION"}, "is for reserved time only"),
        ({"clock": "12:00..", "kw": "11.."},
         "holds from 12:00 to 24:00; it was 11:00; holds from 11 kW on; it was 10"),
    ],
)  # fmt: skip
def test_why_an_element_did_not_apply(
    tariff_of: Make, session_of: Session, when: dict[str, str], why: str
) -> None:
    tariff = tariff_of({"asks": ["ENERGY 0.2", "FLAT 1"], "when": when}, "PARKING_TIME 1", "ENERGY 0.5")
    periods = session_of("2026-03-02 10:00:00: 20 kWh, 1 h charging, 10 kW most", ends="2026-03-02 11:00:00")
    (line,) = reasons(tariff, periods).lines[:1]
    assert (line.line.element, line.line.unit_price) == (2, Decimal("0.5"))
    assert [(each.element, each.why) for each in line.passed_over] == [
        (0, why),
        (1, "names no price for ENERGY"),
    ]


def test_what_was_free_and_why(tariff_of: Make, session_of: Session) -> None:
    tariff = tariff_of({"asks": ["ENERGY 0.3"], "when": {"kwh": "5.."}}, "PARKING_TIME 2")
    periods = session_of("2026-03-02 10:00:00: 20 kWh, 1 h charging", ends="2026-03-02 11:00:00")
    explanation = reasons(tariff, periods)
    (energy, *times) = explanation.unpriced
    assert (energy.dimension, energy.measured, energy.start) == ("ENERGY", 5, periods[0].start)
    assert energy.passed_over[0].why == "holds from 5 kWh used so far on; it was 0"
    assert [(each.dimension, each.measured) for each in times] == [("TIME", 900), ("TIME", 2700)]
    assert explanation.lines[0].line.billed == 15
    assert explanation.lines[0].start == periods[0].start + timedelta(minutes=15)


def test_reserved_time_names_what_sessions_pay(tariff_of: Make, session_of: Session) -> None:
    tariff = tariff_of(
        "TIME 9",
        {"asks": ["TIME 5"], "when": {"reserved": "RESERVATION_EXPIRES"}},
        {"asks": ["TIME 2"], "when": {"reserved": "RESERVATION"}},
    )
    periods = session_of("2026-03-02 10:00:00: 0.5 h reserved", ends="2026-03-02 10:30:00")
    (used,) = reasons(tariff, periods).lines
    assert [each.why for each in used.passed_over] == [
        "is for sessions, not for reserved time",
        "is for reservations that expired",
    ]
    (expired,) = reasons(tariff, periods, expired=True).lines
    assert (expired.line.element, len(expired.passed_over)) == (1, 1)


def test_steps_and_limits_say_what_they_do(tariff_of: Make, session_of: Session) -> None:
    periods = session_of("2026-03-02 10:00:00: 1.2 kWh, 1 h charging", ends="2026-03-02 11:00:00")
    low = reasons(tariff_of("ENERGY 0.5 step 500", min_price="5"), periods).lines
    assert [each.why for each in low[1:]] == [
        "ENERGY is billed in whole steps of 500, once per session",
        "raised to min_price",
    ]
    high = reasons(tariff_of("ENERGY 5", max_price="1"), periods).lines
    assert high[-1].why == "lowered to max_price"


def test_the_choices_of_the_house_are_named(tariff_of: Make, session_of: Session) -> None:
    periods = session_of("2026-03-02 10:00:00: 1 kWh, 1 h charging", ends="2026-03-02 11:00:00")
    policies = reasons(tariff_of("ENERGY 0.5"), periods).policies
    assert [each.name for each in policies] == [f"A{number}" for number in range(1, 22)]


def test_the_letter_to_the_driver(tariff_of: Make, session_of: Session) -> None:
    tariff = tariff_of(
        {"asks": ["ENERGY 0.25 vat 21 step 500"], "when": {"clock": "..12:00"}},
        {"asks": ["ENERGY 0.5 vat 21 step 500", "PARKING_TIME 6 vat 21 step 60"]},
        "FLAT 0.35 vat 21",
        min_price="12 / 14",
    )
    periods = session_of(
        "2026-03-02 10:00:00: 20.2 kWh, 2 h charging",
        "2026-03-02 12:00:00: 0.5083 h parking",
        ends="2026-03-02 12:30:30",
    )
    assert as_text(reasons(tariff, periods), "Session 7") == (
        "Session 7\n"
        "from 2026-03-02 11:00:00 to 2026-03-02 13:30:30 (Europe/Berlin)\n"
        "20.2 kWh in 2 h 30 min 30 s\n"
        "\n"
        "11:00:00-12:00:00 fee = 0.35 EUR (0.4235 with VAT), 21 % VAT\n"
        "11:00:00-12:00:00 energy: 10.1 kWh at 0.25 per kWh = 2.525 EUR (3.0553 with VAT), 21 % VAT\n"
        "12:00:00-13:00:00 energy: 10.1 kWh at 0.5 per kWh = 5.05 EUR (6.1105 with VAT), 21 % VAT\n"
        "    price 1 of the tariff was not used: it holds from 00:00 to 12:00; it was 12:00\n"
        "13:00:00-13:30:30 parking time: 30 min 30 s at 6 per h = 3.05 EUR (3.6905 with VAT), 21 % VAT\n"
        "Rounded up to whole steps of 500 Wh: 0.3 kWh more of energy = 0.15 EUR (0.1815 with VAT), 21 % VAT\n"
        "Rounded up to whole steps of 60 s: 0 min 30 s more of parking time = 0.05 EUR (0.0605 with VAT),"
        " 21 % VAT\n"
        "Limit of the tariff: raised to min_price = 0.825 EUR (0.4782 with VAT)\n"
        "11:00:00-12:00:00 charging time: 1 h 00 min 00 s free of charge\n"
        "12:00:00-13:00:00 charging time: 1 h 00 min 00 s free of charge\n"
        "\n"
        "Total: 12.00 EUR (14.00 with VAT)\n"
    )


def test_of_two_versions_of_a_tariff_the_one_of_the_session_gives_the_reasons(
    tariff_of: Make, session_of: Session
) -> None:
    old = tariff_of("ENERGY 0.2", end_date_time=datetime(2026, 3, 1, tzinfo=UTC))
    new = tariff_of(
        {"asks": ["ENERGY 0.9"], "when": {"kwh": "100.."}},
        "ENERGY 0.4",
        start_date_time=datetime(2026, 3, 1, tzinfo=UTC),
    )
    periods = session_of("2026-03-02 10:00:00: 1 kWh", ends="2026-03-02 11:00:00", tariff_id="T")
    cost = price(periods, [old, new], BERLIN)
    (line,) = explain(cost, [old, new], BERLIN).lines
    assert line.line.unit_price == Decimal("0.4")
    assert [each.element for each in line.passed_over] == [0]
