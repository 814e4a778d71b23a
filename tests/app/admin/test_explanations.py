"""Why a record costs what it costs: as JSON, as a letter to the driver, for quotes too."""

from decimal import Decimal
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from app.domain.cdrs import CdrState
from app.domain.tariffs import Price
from app.store import cdrs

TEXT = {"Accept": "text/plain"}


@pytest.fixture
async def record(house: Any, api: httpx.AsyncClient, site: Any, tariff: dict[str, Any]) -> dict[str, Any]:
    """An issued record: a fee, and energy by the second element."""
    tariff["elements"] = [
        {
            "price_components": [{"type": "ENERGY", "price": 0.1, "step_size": 1}],
            "restrictions": {"min_kwh": 500},
        },
        *tariff["elements"],
        {"price_components": [{"type": "FLAT", "price": 1, "vat": 21, "step_size": 1}]},
    ]
    assert (await api.put("/tariffs/T1", json=tariff)).status_code == 200
    await house.charge(await house.intake.connect("CP1", "1.6"))
    (found,) = (await api.get("/cdrs")).json()
    return found


async def test_each_line_has_its_reason(api: httpx.AsyncClient, record: dict[str, Any]) -> None:
    body = (await api.get(f"/cdrs/{record['id']}/explain")).json()
    assert (body["cdr_id"], body["credit"], body["asked_beyond"]) == (record["id"], False, None)
    assert body["total_cost"] == record["total_cost"] == {"excl_vat": 3.5, "incl_vat": 4.235}
    assert body["charging_periods"] == record["charging_periods"]
    assert sum(line["cost"]["excl_vat"] for line in body["lines"]) == 3.5
    energy = next(line for line in body["lines"] if line["dimension"] == "ENERGY")
    assert energy["element"] == 1
    (first,) = energy["passed_over"]
    assert first["element"] == 0
    assert first["why"].startswith("holds from 500 kWh used so far on; it was ")
    assert {each["dimension"] for each in body["unpriced"]} == {"TIME"}
    assert {each["name"] for each in body["policies"]} >= {"A1", "A13", "A21"}
    assert body["location_time_zone"] == "Europe/Amsterdam"


@pytest.mark.parametrize("how", [{"params": {"format": "text"}}, {"headers": TEXT}])
async def test_a_letter_to_the_driver(
    api: httpx.AsyncClient, record: dict[str, Any], how: dict[str, Any]
) -> None:
    letter = await api.get(f"/cdrs/{record['id']}/explain", **how)
    assert letter.headers["content-type"] == "text/plain; charset=utf-8"
    assert letter.text.startswith(f"Charging session {record['session_id']}, record {record['id']}\n")
    assert letter.text.endswith("Total: 3.50 EUR (4.235 with VAT)\n")


async def test_a_credit_is_explained_by_what_it_takes_back(
    api: httpx.AsyncClient, record: dict[str, Any]
) -> None:
    credit = (await api.post(f"/cdrs/{record['id']}/credit")).json()
    body = (await api.get(f"/cdrs/{credit['id']}/explain")).json()
    assert (body["credit"], body["asked_beyond"]) == (True, None)
    letter = await api.get(f"/cdrs/{credit['id']}/explain", headers=TEXT)
    assert "a credit, which takes back the following" in letter.text


async def test_a_record_that_asks_more_than_its_periods_come_to(
    house: Any, api: httpx.AsyncClient, record: dict[str, Any]
) -> None:
    async with house.store.unit_of_work(house.clock) as unit:
        found = await cdrs.get(unit.session, record["id"])
        odd = replace(
            found.record, id="ODD", total_cost=Price(excl_vat=Decimal("4.5"), incl_vat=Decimal("5.235"))
        )
        await cdrs.add(unit.session, odd, ref=None, state=CdrState.ISSUED, reason=None, now=unit.now())
    body = (await api.get("/cdrs/ODD/explain")).json()
    assert body["asked_beyond"] == {"excl_vat": 1, "incl_vat": 1}
    letter = await api.get("/cdrs/ODD/explain", headers=TEXT)
    assert letter.text.endswith("The record asks 1.0000 EUR more than its periods come to.\n")


async def test_without_a_tariff_there_is_nothing_to_explain(
    house: Any, api: httpx.AsyncClient, record: dict[str, Any]
) -> None:
    async with house.store.unit_of_work(house.clock) as unit:
        found = await cdrs.get(unit.session, record["id"])
        bare = replace(found.record, id="BARE", tariffs=(), total_cost=None)
        await cdrs.add(unit.session, bare, ref=None, state=CdrState.HELD, reason=None, now=unit.now())
    refused = await api.get("/cdrs/BARE/explain")
    assert (refused.status_code, "no tariff" in refused.json()["detail"]) == (409, True)
    assert (await api.get("/cdrs/NOBODY/explain")).status_code == 404
    assert (await api.get("/cdrs/BARE/explain?format=pdf")).status_code == 422


async def test_a_quote_as_text(api: httpx.AsyncClient, tariff: dict[str, Any]) -> None:
    question = {
        "tariff": tariff,
        "location_time_zone": "Europe/Amsterdam",
        "cdr": {
            "start_date_time": "2026-06-01T10:00:00Z",
            "end_date_time": "2026-06-01T11:00:00Z",
            "charging_periods": [
                {"start_date_time": "2026-06-01T10:00:00Z", "dimensions": [{"type": "ENERGY", "volume": 8}]}
            ],
        },
    }
    text = (await api.post("/pricing/quote", json=question, headers=TEXT)).text
    assert "12:00:00-13:00:00 energy: 8 kWh at 0.25 per kWh = 2.00 EUR (2.42 with VAT), 21 % VAT\n" in text
    body = (await api.post("/pricing/quote", json=question)).json()
    assert body["lines"][0]["why"].startswith("the first element")
