"""Finished sessions worked by hand: every sum must come out to the last of four decimals."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.domain.pricing import Cost, Period, price
from app.domain.tariffs import Price, Tariff

CASES = [
    pytest.param(case, id=f"{path.stem}: {case['title']}")
    for path in sorted((Path(__file__).parent / "cases").glob("*.json"))
    for case in json.loads(path.read_text("utf-8"))
]
SUMS = {
    "total": "total_cost",
    "fee": "total_fixed_cost",
    "energy": "total_energy_cost",
    "charging": "total_time_cost",
    "parking": "total_parking_cost",
    "reservation": "total_reservation_cost",
}
MEASURED = {"kwh": "total_energy", "hours": "total_time", "parked": "total_parking_time"}


def test_no_case_was_lost() -> None:
    assert len(CASES) >= 52


@pytest.mark.parametrize("case", CASES)
def test_case(
    case: dict[str, Any],
    tariff_of: Callable[..., Tariff],
    session_of: Callable[..., tuple[Period, ...]],
    money: Callable[[str | None], Price | None],
) -> None:
    tariff = tariff_of(
        *case["tariff"],
        currency=case["currency"],
        min_price=case.get("minimum"),
        max_price=case.get("maximum"),
    )
    cost = price(
        session_of(*case["session"], ends=case["ends"]),
        [tariff],
        ZoneInfo(case["zone"]),
        reservation_expired=case.get("nobody_came", False),
        currency=case["currency"],
    )
    for word, field in SUMS.items():
        expected = money(case["costs"].get(word))
        given: Price | None = getattr(cost, field)
        assert (given or Price(excl_vat=Decimal(0))) == (expected or Price(excl_vat=Decimal(0))), field
    for word, number in case["measured"].items():
        assert getattr(cost, MEASURED[word]) == Decimal(number), word
    assert ("parked" in case["measured"]) == (cost.total_parking_time is not None)
    assert_lines_add_up(cost)


def assert_lines_add_up(cost: Cost) -> None:
    assert sum(line.cost.excl_vat for line in cost.lines) == cost.total_cost.excl_vat
    if cost.total_cost.incl_vat is not None:
        assert sum(line.cost.incl_vat or 0 for line in cost.lines) == cost.total_cost.incl_vat
