"""Partners' records checked over HTTP: the verdict, what explains it, and what does not fit together."""

from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def question(tariff: dict[str, Any]) -> dict[str, Any]:
    """Two hours around 18:00 in Amsterdam; energy doubles then. The partner read the clock in UTC."""
    night = {
        "price_components": [{"type": "ENERGY", "price": 0.5, "vat": 21, "step_size": 1}],
        "restrictions": {"start_time": "18:00"},
    }
    tariff["elements"].insert(0, night)
    return {
        "location_time_zone": "Europe/Amsterdam",
        "cdr": {
            "start_date_time": "2026-06-01T15:00:00Z",
            "end_date_time": "2026-06-01T19:00:00Z",
            "currency": "EUR",
            "tariffs": [tariff | {"id": "T"}],
            "charging_periods": [
                {
                    "start_date_time": "2026-06-01T15:00:00Z",
                    "dimensions": [{"type": "ENERGY", "volume": 40}, {"type": "TIME", "volume": 4}],
                }
            ],
            "total_cost": {"excl_vat": 12.5, "incl_vat": 15.125},
            "total_energy": 40,
            "total_time": 4,
        },
    }


async def test_the_likely_cause_is_named(api: httpx.AsyncClient, question: dict[str, Any]) -> None:
    answer = await api.post("/cdrs/verify", json=question)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["outcome"], body["words"]) == (
        "differs",
        "windows and days were held against UTC instead of local time",
    )
    assert body["difference"] == {"excl_vat": -5, "incl_vat": -6.05}
    assert body["causes"][0]["name"] == "utc"
    assert body["causes"][0]["exact"] is True
    assert body["right"]["total_cost"] == {"excl_vat": 17.5, "incl_vat": 21.175}
    assert [each["kind"] for each in body["checks"]] == ["uncut_periods"]


async def test_a_right_one_agrees_and_a_credit_too(api: httpx.AsyncClient, question: dict[str, Any]) -> None:
    question["cdr"]["total_cost"] = {"excl_vat": 17.5, "incl_vat": 21.175}
    assert (await api.post("/cdrs/verify", json=question)).json()["outcome"] == "agrees"
    question["cdr"] |= {"total_cost": {"excl_vat": -17.5, "incl_vat": -21.175}, "credit": True}
    assert (await api.post("/cdrs/verify", json=question)).json()["outcome"] == "agrees"


async def test_by_another_tariff(
    api: httpx.AsyncClient, question: dict[str, Any], tariff: dict[str, Any]
) -> None:
    question["tariff"] = {"currency": "EUR", "elements": tariff["elements"][1:]}
    question["cdr"]["total_cost"] = {"excl_vat": 10, "incl_vat": 12.1}
    assert (await api.post("/cdrs/verify", json=question)).json()["outcome"] == "agrees"


async def test_without_a_tariff_there_is_no_price(api: httpx.AsyncClient, question: dict[str, Any]) -> None:
    del question["cdr"]["tariffs"]
    question["cdr"]["total_energy"] = 40_000
    body = (await api.post("/cdrs/verify", json=question)).json()
    assert body["outcome"] == "unpriceable"
    assert [(each["kind"], each["field"]) for each in body["checks"]] == [("wh_for_kwh", "cdr.total_energy")]
    assert "right" not in body


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("location_time_zone",), "Mars", "location_time_zone"),
        (("cdr",), None, "cdr"),
        (("cdr", "total_cost"), None, "cdr.total_cost"),
        (("cdr", "tariffs"), 7, "cdr.tariffs"),
        (("cdr", "tariffs", 0, "currency"), "XXQ", "cdr.tariffs[0].currency"),
        (("cdr", "currency"), "euro", "cdr.currency"),
        (("cdr", "currency"), "XXQ", "cdr.currency"),
    ],
)
async def test_what_cannot_be_read(
    api: httpx.AsyncClient, question: dict[str, Any], path: tuple[Any, ...], value: Any, field: str
) -> None:
    target: Any = question
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    refused = await api.post("/cdrs/verify", json=question)
    assert (refused.status_code, refused.json().get("field")) == (422, field), refused.text
