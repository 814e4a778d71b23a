"""Sessions and tariffs that cannot be meant: a clear word that names the field, whatever the nonsense."""

import json
from typing import Any

import httpx
import pytest

PERIODS = ("cdr", "charging_periods")
VOLUME = (*PERIODS, 0, "dimensions", 0, "volume")
COMPONENT = ("tariff", "elements", 0, "price_components", 0)
LIMITS = ("tariff", "elements", 0, "restrictions")

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


def altered(question: dict[str, Any], path: tuple[Any, ...], value: Any) -> bytes:
    """The question with one value put in, as JSON; NaN and infinities as Python writes them."""
    target: Any = question
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return json.dumps(question).encode()


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ((*PERIODS, 0, "dimensions", 1, "volume"), -1, "cdr.charging_periods[0].TIME"),
        (VOLUME, 1e30, "cdr.charging_periods[0].dimensions[0].volume"),
        (VOLUME, 10**9, "cdr.charging_periods[0].ENERGY"),
        (VOLUME, 10**400, "cdr.charging_periods[0].dimensions[0].volume"),
        (VOLUME, "5", "cdr.charging_periods[0].dimensions[0].volume"),
        (VOLUME, True, "cdr.charging_periods[0].dimensions[0].volume"),
        (VOLUME, 1e-30, "cdr.charging_periods[0].ENERGY"),
        ((*PERIODS, 0, "dimensions"), [], "cdr.charging_periods[0].dimensions"),
        ((*PERIODS, 0, "dimensions", 0, "type"), "GOLD", "cdr.charging_periods[0].dimensions[0].type"),
        ((*PERIODS, 1, "start_date_time"), "2026-06-01T09:00:00Z",
         "cdr.charging_periods[1].start_date_time"),
        ((*PERIODS, 1, "start_date_time"), "2026-06-01T13:00:00Z",
         "cdr.charging_periods[1].start_date_time"),
        ((*PERIODS, 0, "start_date_time"), "2026-06-01T11:30:00Z",
         "cdr.charging_periods[1].start_date_time"),
        ((*PERIODS, 1, "dimensions", 0, "volume"), 1.5, "cdr.charging_periods[1].PARKING_TIME"),
        (("cdr", "start_date_time"), "0001-01-01T00:00:00Z", "cdr.end_date_time"),
        (("cdr", "end_date_time"), "9999-12-31T23:59:59Z", "cdr.end_date_time"),
        (("cdr", "currency"), "XXQ", "cdr.currency"),
        (("cdr", "currency"), "eur", "cdr.currency"),
        (("location_time_zone",), "../etc/passwd", "location_time_zone"),
        (("location_time_zone",), "", "location_time_zone"),
        (("location_time_zone",), "x" * 100_000, "location_time_zone"),
        (("tariff", "elements"), [], "tariff.elements"),
        (("tariff", "elements", 0, "price_components"), [], "tariff.elements[0].price_components"),
        ((*COMPONENT, "price"), 1e20, "tariff.elements[0].price_components[0].price"),
        ((*COMPONENT, "price"), 0.123456, "tariff.elements[0].price_components[0].price"),
        ((*COMPONENT, "step_size"), -1, "tariff.elements[0].price_components[0].step_size"),
        ((*COMPONENT, "step_size"), 1.5, "tariff.elements[0].price_components[0].step_size"),
        ((*COMPONENT, "step_size"), 2**40, "tariff.elements[0].price_components[0].step_size"),
        ((*COMPONENT, "vat"), -1, "tariff.elements[0].price_components[0].vat"),
        (LIMITS, {"start_time": "25:00"}, "tariff.elements[0].restrictions.start_time"),
        (LIMITS, {"start_date": "2026-02-30"}, "tariff.elements[0].restrictions.start_date"),
        (LIMITS, {"min_kwh": -1}, "tariff.elements[0].restrictions.min_kwh"),
        (LIMITS, {"day_of_week": ["FUNDAY"]}, "tariff.elements[0].restrictions.day_of_week[0]"),
    ],
)  # fmt: skip
async def test_nonsense_is_refused_by_its_field(
    api: httpx.AsyncClient, question: dict[str, Any], path: tuple[Any, ...], value: Any, field: str
) -> None:
    refused = await api.post("/pricing/quote", content=altered(question, path, value))
    assert (refused.status_code, refused.json()["field"]) == (422, field), refused.text
    assert "Value error" not in refused.text
    assert len(refused.content) < 2000


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), float("-inf")])
async def test_what_is_no_number_in_json_is_named_too(
    api: httpx.AsyncClient, question: dict[str, Any], odd: float
) -> None:
    refused = await api.post("/pricing/quote", content=altered(question, VOLUME, odd))
    assert refused.status_code == 400
    assert refused.json()["field"] == "cdr.charging_periods[0].dimensions[0].volume"
    refused = await api.post("/pricing/quote", content=altered(question, (*COMPONENT, "price"), odd))
    assert refused.json()["field"] == "tariff.elements[0].price_components[0].price"


async def test_too_many_periods(api: httpx.AsyncClient, question: dict[str, Any]) -> None:
    question["cdr"]["charging_periods"] *= 5001
    refused = await api.post("/pricing/quote", json=question)
    assert (refused.status_code, refused.json()["field"]) == (422, "cdr.charging_periods")
