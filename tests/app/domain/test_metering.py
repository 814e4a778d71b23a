"""Meter values: units, defaults, phases, signed values and nonsense."""

from decimal import Decimal
from typing import Any

import pytest

from app.domain.metering import Reading, SampledValue, number, read


def value(text: str, **fields: Any) -> SampledValue:
    return SampledValue(value=text, **fields)


def test_what_is_left_out_means_energy_in_wh() -> None:
    assert read([value("1234")]) == Reading(register_wh=Decimal(1234))


def test_kilo_units_become_exact_wh() -> None:
    assert read([value("1.2345", unit="kWh")]).register_wh == Decimal("1234.5")
    assert read([value("7400", measurand="Power.Active.Import", unit="W")]).power_kw == Decimal("7.4")


def test_one_phase_of_three_is_not_the_total() -> None:
    assert read([value("100", phase="L1")]).register_wh is None
    assert read([value("100", phase=f"L{n}") for n in (1, 2, 3)]).register_wh == 300
    assert read([value("100", phase=f"L{n}-N") for n in (1, 2, 3)]).register_wh == 300


def test_a_total_wins_over_its_phases() -> None:
    phases = [value("100", phase=f"L{n}") for n in (1, 2, 3)]
    assert read([*phases, value("301")]).register_wh == 301


def test_current_and_power_of_the_phases_in_use_add_up() -> None:
    values = [value("16", measurand="Current.Import", unit="A", phase=f"L{n}") for n in (1, 2)]
    assert read(values).current_a == 32


def test_signed_values_and_other_places_are_not_read() -> None:
    assert read([value("999", signed=True), value("999", location="Inlet")]) == Reading()
    assert read([value("55", measurand="SoC", unit="Percent", location="EV")]).soc == 55


@pytest.mark.parametrize("text", ["", "NaN", "inf", "-inf", "1e400", "abc", "1" * 30, "0x10"])
def test_nonsense_is_no_number(text: str) -> None:
    assert number(text) is None


def test_endless_places_are_cut() -> None:
    assert number("1.23456789012345") == Decimal("1.234568")
    assert number("1e-9") == 0
    assert number(" 12.5 ") == Decimal("12.5")
