"""Visits made up: what the car draws in each of the three forms, the bill, and how the cost grows."""

import copy
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def question() -> dict[str, Any]:
    """Two hours at 11 kW, then two of parking; energy is dearer from 18:00 on."""
    return {
        "tariff": {
            "currency": "EUR",
            "elements": [
                {
                    "price_components": [{"type": "ENERGY", "price": 0.5, "vat": 20, "step_size": 1}],
                    "restrictions": {"start_time": "18:00", "end_time": "22:00"},
                },
                {"price_components": [{"type": "ENERGY", "price": 0.25, "vat": 20, "step_size": 1}]},
                {"price_components": [{"type": "PARKING_TIME", "price": 6, "vat": 20, "step_size": 1}]},
            ],
        },
        "location_time_zone": "Europe/Amsterdam",
        "visit": {
            "arrival": "2026-06-01T15:00:00Z",
            "departure": "2026-06-01T19:00:00Z",
            "kwh": 22,
            "kw": 11,
        },
    }


POWER = [
    {"at": "2026-06-01T15:00:00Z", "kw": 11, "amperes": 48},
    {"at": "2026-06-01T17:00:00Z", "kw": 0},
]
ENERGY = [{"at": "2026-06-01T15:00:00Z", "kwh": 0}, {"at": "2026-06-01T17:00:00Z", "kwh": 22}]


@pytest.mark.parametrize("draw", [{"kwh": 22, "kw": 11}, {"power": POWER}, {"energy": ENERGY}])
async def test_the_same_visit_in_each_form(
    api: httpx.AsyncClient, question: dict[str, Any], draw: dict[str, Any]
) -> None:
    del question["visit"]["kwh"], question["visit"]["kw"]
    question["visit"] |= draw
    answer = await api.post("/pricing/simulate", json=question)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["total_cost"] == {"excl_vat": 20.25, "incl_vat": 24.3}
    assert body["total_energy_cost"]["excl_vat"] == 11 * 0.25 + 11 * 0.5
    assert body["total_parking_cost"]["excl_vat"] == 12
    assert (body["total_energy"], body["total_time"], body["total_parking_time"]) == (22, 4, 2)
    assert len(body["lines"]) == 3
    grown = body["cost_over_time"]
    assert len(grown) == 61
    assert grown[0] == {"at": "2026-06-01T15:00:00Z", "kwh": 0, "total_cost": {"excl_vat": 0, "incl_vat": 0}}
    assert grown[15]["total_cost"]["excl_vat"] == 2.75
    assert grown[30] == {
        "at": "2026-06-01T17:00:00Z", "kwh": 22, "total_cost": {"excl_vat": 8.25, "incl_vat": 9.9},
    }  # fmt: skip
    assert grown[-1] == {"at": "2026-06-01T19:00:00Z", "kwh": 22, "total_cost": body["total_cost"]}


async def test_a_car_that_leaves_early_takes_less(api: httpx.AsyncClient, question: dict[str, Any]) -> None:
    question["visit"] |= {"departure": "2026-06-01T15:30:00Z", "every_seconds": 600}
    body = (await api.post("/pricing/simulate", json=question)).json()
    assert (body["total_energy"], body["total_cost"]["excl_vat"]) == (5.5, 1.375)
    assert [each["kwh"] for each in body["cost_over_time"]] == [0, 1.8333, 3.6667, 5.5]
    assert "total_parking_time" not in body


async def test_power_that_changes_meets_bounds_on_power(
    api: httpx.AsyncClient, question: dict[str, Any]
) -> None:
    question["tariff"]["elements"] = [
        {
            "price_components": [{"type": "TIME", "price": 4, "step_size": 1}],
            "restrictions": {"min_power": 20},
        },
        {"price_components": [{"type": "TIME", "price": 1, "step_size": 1}]},
    ]
    question["visit"] = {
        "arrival": "2026-06-01T15:00:00Z",
        "departure": "2026-06-01T17:00:00Z",
        "power": [{"at": "2026-06-01T15:30:00Z", "kw": 50}, {"at": "2026-06-01T16:00:00Z", "kw": 10}],
    }
    body = (await api.post("/pricing/simulate", json=question)).json()
    assert body["total_cost"]["excl_vat"] == 0.5 * 4 + 1
    assert (body["total_energy"], body["total_parking_time"]) == (35, 0.5)


async def test_a_visit_in_words(api: httpx.AsyncClient, question: dict[str, Any]) -> None:
    text = (await api.post("/pricing/simulate", json=question, headers={"Accept": "text/plain"})).text
    assert text.startswith("Simulated visit\nfrom 2026-06-01 17:00:00 to 2026-06-01 21:00:00")
    assert text.endswith("Total: 20.25 EUR (24.30 with VAT)\n")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"departure": "2026-06-01T14:00:00Z"}, "visit.departure"),
        ({"departure": "2036-06-01T14:00:00Z"}, "visit.departure"),
        ({"arrival": "now"}, "visit.arrival"),
        ({"kwh": -1}, "visit.kwh"),
        ({"kwh": 10**8}, "visit.kwh"),
        ({"kw": 0}, "visit.kw"),
        ({"kw": None}, "visit.kw"),
        ({"kwh": None}, "visit.kwh"),
        ({"kwh": None, "kw": None}, "visit"),
        ({"power": POWER}, "visit"),
        ({"every_seconds": 1}, "visit.every_seconds"),
        ({"every_seconds": 0}, "visit.every_seconds"),
        ({"kwh": None, "kw": None, "energy": ENERGY[::-1]}, "visit.energy[1].at"),
        ({"kwh": None, "kw": None, "energy": [ENERGY[0] | {"kwh": 1}]}, "visit.energy[0].kwh"),
        ({"kwh": None, "kw": None, "energy": [ENERGY[1], ENERGY[1] | {"kwh": 3}]}, "visit.energy[1].kwh"),
        ({"kwh": None, "kw": None, "power": [POWER[0] | {"at": "2026-06-01T14:00:00Z"}]},
         "visit.power[0].at"),
        ({"kwh": None, "kw": None, "power": [POWER[0] | {"at": "2026-06-01T20:00:00Z"}]},
         "visit.power[0].at"),
        ({"kwh": None, "kw": None, "power": [POWER[0] | {"kw": -3}]}, "visit.power[0].kw"),
        ({"kwh": None, "kw": None, "power": [POWER[0] | {"amperes": -3}]}, "visit.power[0].amperes"),
    ],
)  # fmt: skip
async def test_a_visit_that_makes_no_sense(
    api: httpx.AsyncClient, question: dict[str, Any], change: dict[str, Any], field: str
) -> None:
    asked = copy.deepcopy(question)
    asked["visit"] |= change
    refused = await api.post("/pricing/simulate", json=asked)
    assert (refused.status_code, refused.json().get("field")) == (422, field), refused.text
