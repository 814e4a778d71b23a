"""Restrictions hold at the moment, by the site's clock, and periods are cut where they begin or end."""

from collections.abc import Callable
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from app.domain.pricing import Cost, Period, price
from app.domain.tariffs import Price, Tariff

BERLIN = ZoneInfo("Europe/Berlin")

Make = Callable[..., Tariff]
Session = Callable[..., tuple[Period, ...]]


def night(low: str, when: dict[str, str], high: str = "ENERGY 2") -> list[object]:
    return [{"asks": [low], "when": when}, high]


def starts(cost: Cost) -> list[str]:
    return [period.start.strftime("%d %H:%M") for period in cost.periods]


@pytest.mark.parametrize(
    ("window", "cheap_hours"),
    [
        ("10:00..12:00", "2"),
        ("11:00..", "9"),
        ("..11:00", "1"),
        ("11:00..10:30", "9.5"),
        ("23:00..11:00", "1"),
        ("12:00..12:00", "10"),
        ("00:00..00:00", "10"),
        ("13:00..00:00", "7"),
        ("20:00..21:00", "0"),
    ],
)
def test_a_window_holds_from_its_start_until_before_its_end(
    tariff_of: Make, session_of: Session, window: str, cheap_hours: str
) -> None:
    """From 10:00 to 20:00 a kWh an hour, at 1 inside the window and at 2 outside."""
    periods = session_of("2026-03-02 10:00:00: 10 kWh, 10 h charging", ends="2026-03-02 20:00:00")
    cost = price(periods, [tariff_of(*night("ENERGY 1", {"clock": window}))], ZoneInfo("UTC"))
    assert cost.total_cost.excl_vat == 20 - Decimal(cheap_hours)


def test_the_clock_is_the_sites_own(tariff_of: Make, session_of: Session) -> None:
    periods = session_of("2026-07-01 18:00:00: 4 kWh, 4 h charging", ends="2026-07-01 22:00:00")
    tariff = tariff_of(*night("ENERGY 1", {"clock": "22:00..06:00"}))
    assert starts(price(periods, [tariff], BERLIN)) == ["01 18:00", "01 20:00"]
    assert starts(price(periods, [tariff], ZoneInfo("America/New_York"))) == ["01 18:00"]


def test_a_repeated_hour_is_in_its_window_twice(tariff_of: Make, session_of: Session) -> None:
    """On 25 October 2026 Berlin's clock goes from 03:00 back to 02:00 at 01:00 UTC."""
    periods = session_of("2026-10-24 23:00:00: 5 kWh, 5 h charging", ends="2026-10-25 04:00:00")
    cost = price(periods, [tariff_of(*night("ENERGY 1", {"clock": "02:00..03:00"}))], BERLIN)
    assert cost.total_cost.excl_vat == 2 * 1 + 3 * 2
    halves = price(periods, [tariff_of(*night("ENERGY 1", {"clock": "02:30..03:00"}))], BERLIN)
    assert starts(halves) == ["24 23:00", "25 00:30", "25 01:00", "25 01:30", "25 02:00"]
    assert halves.total_cost.excl_vat == 1 + 4 * 2


def test_a_skipped_hour_is_in_no_window(tariff_of: Make, session_of: Session) -> None:
    """On 29 March 2026 Berlin's clock goes from 02:00 on to 03:00 at 01:00 UTC."""
    periods = session_of("2026-03-28 23:00:00: 4 kWh, 4 h charging", ends="2026-03-29 03:00:00")
    skipped = price(periods, [tariff_of(*night("ENERGY 1", {"clock": "02:00..03:00"}))], BERLIN)
    assert skipped.total_cost.excl_vat == 4 * 2
    shortened = price(periods, [tariff_of(*night("ENERGY 1", {"clock": "01:30..03:30"}))], BERLIN)
    assert starts(shortened) == ["28 23:00", "29 00:30", "29 01:30"]


def test_durations_count_real_time_over_a_clock_change(tariff_of: Make, session_of: Session) -> None:
    periods = session_of("2026-10-24 23:00:00: 4 kWh, 4 h charging", ends="2026-10-25 03:00:00")
    cost = price(periods, [tariff_of(*night("ENERGY 1", {"seconds": "..7200"}))], BERLIN)
    assert cost.total_cost.excl_vat == 2 + 2 * 2


def test_dates_and_times_mean_each_day_within_the_dates(tariff_of: Make, session_of: Session) -> None:
    periods = session_of("2026-03-01 00:00:00: 96 kWh, 96 h charging", ends="2026-03-05 00:00:00")
    tariff = tariff_of(*night("ENERGY 1", {"dates": "2026-03-02..2026-03-04", "clock": "08:00..10:00"}))
    cost = price(periods, [tariff], ZoneInfo("UTC"))
    assert cost.total_cost.excl_vat == 96 * 2 - 4
    assert starts(cost) == ["01 00:00", "02 08:00", "02 10:00", "03 08:00", "03 10:00"]


def test_days_begin_at_local_midnight(tariff_of: Make, session_of: Session) -> None:
    periods = session_of("2026-03-01 20:00:00: 6 kWh, 6 h charging", ends="2026-03-02 02:00:00")
    cost = price(periods, [tariff_of(*night("ENERGY 1", {"days": "MONDAY TUESDAY"}))], BERLIN)
    assert starts(cost) == ["01 20:00", "01 23:00"]
    dated = price(periods, [tariff_of(*night("ENERGY 1", {"dates": "2026-03-02.."}))], BERLIN)
    assert starts(dated) == ["01 20:00", "01 23:00"]
    ended = price(periods, [tariff_of(*night("ENERGY 1", {"dates": "..2026-03-02"}))], BERLIN)
    assert ended.total_cost.excl_vat == 3 + 3 * 2


def test_a_night_window_and_a_day_are_both_needed(tariff_of: Make, session_of: Session) -> None:
    """A window over midnight is not carried into the next day: Saturday 02:00 is no Friday."""
    tariff = tariff_of(*night("ENERGY 1", {"clock": "22:00..06:00", "days": "FRIDAY"}))
    periods = session_of("2026-03-06 21:00:00: 6 kWh, 6 h charging", ends="2026-03-07 03:00:00")
    assert price(periods, [tariff], ZoneInfo("UTC")).total_cost.excl_vat == 2 * 1 + 4 * 2


def test_energy_thresholds_cut_where_the_meter_reaches_them(tariff_of: Make, session_of: Session) -> None:
    tariff = tariff_of(
        {"asks": ["ENERGY 0.5", "TIME 1"], "when": {"kwh": "..5"}},
        {"asks": ["ENERGY 0.1", "TIME 6"], "when": {"kwh": "5.."}},
    )
    periods = session_of(
        "2026-03-02 10:00:00: 2 kWh, 1 h charging",
        "2026-03-02 11:00:00: 12 kWh, 1 h charging",
        ends="2026-03-02 12:00:00",
    )
    cost = price(periods, [tariff], ZoneInfo("UTC"))
    assert starts(cost) == ["02 10:00", "02 11:00", "02 11:15"]
    assert [period.energy_wh for period in cost.periods] == [2000, 3000, 9000]
    assert cost.total_energy_cost == Price(excl_vat=Decimal("3.4"))
    assert cost.total_time_cost == Price(excl_vat=Decimal("5.75"))


def test_a_threshold_inside_a_jump_of_the_meter_is_met_too(tariff_of: Make, session_of: Session) -> None:
    periods = session_of("2026-03-02 10:00:00: 10 kWh", ends="2026-03-02 10:00:00")
    cost = price(periods, [tariff_of(*night("ENERGY 1", {"kwh": "..4"}))], ZoneInfo("UTC"))
    assert cost.total_cost.excl_vat == 4 + 6 * 2


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ("16 A least, 16 A most", 1),
        ("32 A least, 32 A most", 2),
        ("16 A most", 1),
        ("32 A most", 2),
        ("40 A least", 2),
        ("10 A least, 40 A most", 2),
        ("3 kW mean", 3),
    ],
)
def test_current_is_held_against_the_peak_and_unknown_matches_nothing(
    tariff_of: Make, session_of: Session, figures: str, expected: int
) -> None:
    tariff = tariff_of(
        {"asks": ["ENERGY 1"], "when": {"amperes": "..32"}},
        {"asks": ["ENERGY 2"], "when": {"amperes": "32.."}},
        "ENERGY 3",
    )
    periods = session_of(f"2026-03-02 10:00:00: 1 kWh, 1 h charging, {figures}", ends="2026-03-02 11:00:00")
    assert price(periods, [tariff], ZoneInfo("UTC")).total_cost.excl_vat == expected


@pytest.mark.parametrize(
    ("figures", "expected"),
    [("5 kW most", 10), ("11 kW least, 22 kW most", 20), ("30 kW mean", 20), ("10 kWh", 10)],
)
def test_power_is_the_mean_where_no_figure_is_given(
    tariff_of: Make, session_of: Session, figures: str, expected: int
) -> None:
    tariff = tariff_of(*night("ENERGY 1", {"kw": "..11"}))
    line = f"2026-03-02 10:00:00: 1 h charging, {'10 kWh, ' if 'kWh' not in figures else ''}{figures}"
    cost = price(session_of(line, ends="2026-03-02 11:00:00"), [tariff], ZoneInfo("UTC"))
    assert cost.total_cost.excl_vat == expected


def test_nothing_matches_and_nothing_is_asked(tariff_of: Make, session_of: Session) -> None:
    tariff = tariff_of({"asks": ["ENERGY 1 vat 21"], "when": {"clock": "08:00..09:00"}})
    periods = session_of("2026-03-02 10:00:00: 10 kWh, 1 h charging", ends="2026-03-02 11:00:00")
    cost = price(periods, [tariff], ZoneInfo("UTC"))
    assert (cost.total_cost.excl_vat, cost.total_cost.incl_vat) == (0, 0)
    assert (cost.total_energy_cost, cost.lines) == (None, ())
