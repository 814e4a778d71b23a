"""Quotes: a session priced without being stored."""

import copy
from typing import Any

import httpx
import pytest

# Nothing is stored, so one database is enough.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def question(tariff: dict[str, Any]) -> dict[str, Any]:
    return {
        "tariff": tariff,
        "location_time_zone": "Europe/Amsterdam",
        "cdr": {
            "start_date_time": "2026-06-01T10:00:00Z",
            "end_date_time": "2026-06-01T12:00:00Z",
            "currency": "EUR",
            "charging_periods": [
                {
                    "start_date_time": "2026-06-01T10:00:00Z",
                    "dimensions": [{"type": "ENERGY", "volume": 20.5}, {"type": "TIME", "volume": 1}],
                },
                {
                    "start_date_time": "2026-06-01T11:00:00Z",
                    "dimensions": [{"type": "PARKING_TIME", "volume": 1}],
                },
            ],
        },
    }


async def test_a_quote(api: httpx.AsyncClient, question: dict[str, Any]) -> None:
    components = question["tariff"]["elements"][0]["price_components"]
    components += [
        {"type": "PARKING_TIME", "price": 3, "vat": 21, "step_size": 60},
        {"type": "FLAT", "price": 0.5, "vat": 21, "step_size": 1},
    ]
    answer = await api.post("/pricing/quote", json=question)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["currency"] == "EUR"
    assert body["total_cost"] == {"excl_vat": 8.625, "incl_vat": 10.4363}
    assert body["total_energy_cost"]["excl_vat"] == 5.125
    assert body["total_parking_cost"]["excl_vat"] == 3
    assert body["total_fixed_cost"]["excl_vat"] == 0.5
    assert "total_time_cost" not in body
    assert (body["total_energy"], body["total_time"], body["total_parking_time"]) == (20.5, 2, 1)
    assert [each["start_date_time"] for each in body["charging_periods"]] == [
        "2026-06-01T10:00:00Z",
        "2026-06-01T11:00:00Z",
    ]
    assert sum(line["cost"]["excl_vat"] for line in body["lines"]) == pytest.approx(8.625)
    assert {line["dimension"] for line in body["lines"]} == {"ENERGY", "PARKING_TIME", "FLAT"}
    assert (await api.get("/tariffs")).json() == []


async def test_of_several_tariffs_a_period_names_its_own(
    api: httpx.AsyncClient, question: dict[str, Any]
) -> None:
    other = copy.deepcopy(question["tariff"])
    other["elements"][0]["price_components"][0]["price"] = 1
    question["tariffs"] = [question.pop("tariff") | {"id": "A"}, other | {"id": "B"}]
    for period in question["cdr"]["charging_periods"]:
        period["tariff_id"] = "B"
    answer = await api.post("/pricing/quote", json=question)
    assert answer.json()["total_cost"]["excl_vat"] == 20.5


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("location_time_zone",), "Mars/Olympus", "location_time_zone"),
        (("location_time_zone",), None, "location_time_zone"),
        (("tariff",), None, "tariff"),
        (("tariff",), 5, "tariff"),
        (("tariffs",), [], "tariff"),
        (("tariff", "currency"), "XXQ", "tariff.currency"),
        (("cdr",), None, "cdr"),
        (("tariff", "elements"), "none", "tariff.elements"),
        (("cdr", "currency"), "USD", "cdr.currency"),
        (("cdr", "charging_periods"), [], "cdr.charging_periods"),
        (("cdr", "end_date_time"), "2026-06-01T09:00:00Z", "cdr.end_date_time"),
        (("cdr", "end_date_time"), "2036-06-01T09:00:00Z", "cdr.end_date_time"),
        (("cdr", "start_date_time"), "now", "cdr.start_date_time"),
        (("cdr", "profile_type"), "SLOW", "cdr.profile_type"),
        (("cdr", "reservation_expired"), "no", "cdr.reservation_expired"),
        (("cdr", "charging_periods", 1, "dimensions", 0, "volume"), 2,
         "cdr.charging_periods[1].PARKING_TIME"),
        (("cdr", "charging_periods", 0, "dimensions", 0, "volume"), -1, "cdr.charging_periods[0].ENERGY"),
        (("cdr", "charging_periods", 0, "dimensions", 1, "type"), "ENERGY",
         "cdr.charging_periods[0].dimensions"),
    ],
)  # fmt: skip
async def test_a_question_that_makes_no_sense(
    api: httpx.AsyncClient, question: dict[str, Any], path: tuple[Any, ...], value: Any, field: str | None
) -> None:
    target: Any = question
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    refused = await api.post("/pricing/quote", json=question)
    assert (refused.status_code, refused.json().get("field")) == (422, field), refused.text
