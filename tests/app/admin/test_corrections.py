"""A wrong bill put right: a credit and a right record in one step, what changed, and who is told."""

from typing import Any

import httpx
import pytest

from app.domain.events import CdrIssued, SessionChanged


@pytest.fixture
def told(house: Any) -> list[Any]:
    """Every event that partners may hear of."""
    events: list[Any] = []

    def listen(new: Any) -> list[Any]:
        events.extend(new)
        return []

    house.store.subscribe(listen)
    return events


@pytest.fixture
async def record(house: Any, api: httpx.AsyncClient, site: Any) -> dict[str, Any]:
    """10 kWh at 0.25: 2.50 / 3.025."""
    await house.charge(await house.intake.connect("CP1", "1.6"))
    (found,) = (await api.get("/cdrs")).json()
    return found


async def test_the_energy_was_wrong(api: httpx.AsyncClient, record: dict[str, Any], told: list[Any]) -> None:
    answer = await api.post(f"/cdrs/{record['id']}/correct", json={"kwh": 8.5, "reason": "meter fault"})
    assert answer.status_code == 201, answer.text
    body = answer.json()
    credit, corrected = body["credit"], body["corrected"]
    assert (credit["id"], credit["credit"]) == (record["id"] + "-C", True)
    assert credit["credit_reference_id"] == record["id"]
    assert credit["total_cost"] == {"excl_vat": -2.5, "incl_vat": -3.025}
    assert credit["total_energy"] == record["total_energy"]
    assert corrected["id"] not in (record["id"], credit["id"])
    assert len(corrected["id"]) <= 36
    assert corrected["remark"] == f"corrects {record['id']}: meter fault"
    assert (corrected["state"], corrected["session_id"]) == ("issued", record["session_id"])
    assert corrected["total_cost"] == {"excl_vat": 2.125, "incl_vat": 2.5713}
    assert "credit" not in corrected
    difference = body["difference"]
    assert difference["total_cost"] == {
        "before": {"excl_vat": 2.5, "incl_vat": 3.025},
        "after": {"excl_vat": 2.125, "incl_vat": 2.5713},
        "change": {"excl_vat": -0.375, "incl_vat": -0.4537},
    }
    assert difference["total_energy"] == {"before": 10, "after": 8.5}
    (line,) = difference["lines"]
    assert (line["dimension"], line["billed"]) == ("ENERGY", {"before": 10, "after": 8.5})
    issued = [event.cdr_id for event in told if isinstance(event, CdrIssued)]
    assert issued == [credit["id"], corrected["id"]]
    session = (await api.get(f"/sessions/{record['session_id']}")).json()
    assert (session["kwh"], session["total_cost"]["excl_vat"]) == (8.5, 2.125)
    assert any(isinstance(event, SessionChanged) for event in told)
    assert (await api.get(f"/cdrs/{record['id']}")).json() == record


async def test_the_tariff_was_wrong(
    api: httpx.AsyncClient, record: dict[str, Any], tariff: dict[str, Any]
) -> None:
    tariff["elements"][0]["price_components"][0]["price"] = 0.3
    assert (await api.put("/tariffs/T2", json=tariff)).status_code == 201
    path = f"/cdrs/{record['id']}/correct"
    body = (await api.post(path, json={"tariff": "T2", "reason": "wrong price"})).json()
    assert body["corrected"]["total_cost"]["excl_vat"] == 3
    assert [(each["tariff_id"], each["billed"]) for each in body["difference"]["lines"]] == [
        ("T1", {"before": 10, "after": 0}),
        ("T2", {"before": 0, "after": 10}),
    ]
    assert "total_energy" not in body["difference"]


async def test_a_corrected_record_can_be_corrected_again(
    api: httpx.AsyncClient, record: dict[str, Any]
) -> None:
    first = await api.post(f"/cdrs/{record['id']}/correct", json={"kwh": 8, "reason": "once"})
    again = first.json()["corrected"]["id"]
    second = await api.post(f"/cdrs/{again}/correct", json={"kwh": 7, "reason": "twice"})
    assert second.status_code == 201
    assert second.json()["corrected"]["total_cost"]["excl_vat"] == 1.75
    total = sum(each["total_cost"]["excl_vat"] for each in (await api.get("/cdrs")).json())
    assert total == 1.75


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"reason": "nothing said"}, 422, "kwh"),
        ({"kwh": 8}, 422, "reason"),
        ({"kwh": -1, "reason": "x"}, 422, "kwh"),
        ({"tariff": "NONE", "reason": "x"}, 422, "tariff"),
        ({"kwh": 10, "reason": "the same"}, 409, None),
    ],
)
async def test_a_correction_that_makes_no_sense_changes_nothing(
    api: httpx.AsyncClient, record: dict[str, Any], body: dict[str, Any], status: int, field: str | None
) -> None:
    refused = await api.post(f"/cdrs/{record['id']}/correct", json=body)
    assert (refused.status_code, refused.json().get("field")) == (status, field), refused.text
    assert (await api.get("/cdrs")).json() == [record]


async def test_only_what_was_issued_and_not_taken_back(
    api: httpx.AsyncClient, record: dict[str, Any]
) -> None:
    body = {"kwh": 8, "reason": "x"}
    assert (await api.post("/cdrs/NOBODY/correct", json=body)).status_code == 404
    credit = (await api.post(f"/cdrs/{record['id']}/credit")).json()["id"]
    assert (await api.post(f"/cdrs/{record['id']}/correct", json=body)).status_code == 409
    assert (await api.post(f"/cdrs/{credit}/correct", json=body)).status_code == 409
