"""Transactions and sessions over the admin API, and closing by hand."""

from typing import Any

import httpx
import pytest

from app.domain.stations import StatusReport
from app.domain.status import ConnectorStatus


async def test_a_transaction_from_start_to_stop(
    api: httpx.AsyncClient, house: Any, site: dict[str, Any]
) -> None:
    line = await house.intake.connect("CP1", "1.6")
    number = await house.charge(line, wh=10_500)
    (found,) = (await api.get("/transactions")).json()
    assert found == (await api.get(f"/transactions/{found['ref']}")).json()
    expected = {
        "station": "CP1",
        "ocpp_transaction_id": number,
        "id_tag": "CARD1",
        "connector": 1,
        "started_at": "2026-11-20T12:00:00Z",
        "stopped_at": "2026-11-20T13:00:00Z",
        "meter_start": 1000,
        "meter_stop": 11500,
        "stop_reason": "Local",
        "energy_wh": 10500,
        "interruptions": [],
        "flags": [],
    }
    assert found | expected == found
    session = (await api.get(f"/sessions/{found['session_id']}")).json()
    assert (session["status"], session["kwh"], session["total_cost"]["excl_vat"]) == (
        "COMPLETED",
        10.5,
        2.625,
    )
    assert session["location_id"] == "LOC1"


async def test_one_under_way_and_closed_by_hand(
    api: httpx.AsyncClient, house: Any, site: dict[str, Any]
) -> None:
    line = await house.intake.connect("CP1", "1.6")
    number = await house.charge(line, wh=10_000, stop=False)
    await house.heard(line, StatusReport(evse=1, connector=1, status=ConnectorStatus.SUSPENDED_EV))
    (found,) = (await api.get("/transactions?active=true")).json()
    assert (found["stopped_at"], found["energy_wh"]) == (None, 5000)
    assert found["interruptions"] == [{"from": "2026-11-20T13:00:00Z", "to": None, "cause": "SuspendedEV"}]
    closed = (await api.post(f"/transactions/{found['ref']}/close")).json()
    assert closed["flags"] == ["closed_by_hand"]
    assert (closed["energy_wh"], closed["ocpp_transaction_id"]) == (5000, number)
    assert closed["stopped_at"] is not None
    assert (await api.post(f"/transactions/{found['ref']}/close")).status_code == 409
    assert (await api.get("/transactions?active=true")).json() == []
    assert [each["total_energy"] for each in (await api.get("/cdrs?state=issued")).json()] == [5]


async def test_transactions_are_found_newest_first(
    api: httpx.AsyncClient, house: Any, site: dict[str, Any]
) -> None:
    await api.put("/stations/CP2", json={})
    first = await house.charge(await house.intake.connect("CP1", "1.6"))
    second = await house.charge(await house.intake.connect("CP2", "1.6"), tag="OTHER")
    third = await house.charge(await house.intake.connect("CP1", "1.6"), stop=False)

    async def numbers(query: str) -> list[int]:
        return [each["ocpp_transaction_id"] for each in (await api.get(f"/transactions?{query}")).json()]

    assert await numbers("") == [third, second, first]
    assert await numbers("limit=1&offset=1") == [second]
    assert await numbers("station=CP1") == [third, first]
    assert await numbers("id_tag=OTHER") == [second]
    assert await numbers("active=false&station=CP1") == [first]
    assert await numbers("station=NOWHERE") == []
    assert (await api.get("/transactions?active=maybe")).status_code == 422


async def test_sessions_newest_first(api: httpx.AsyncClient, house: Any, site: dict[str, Any]) -> None:
    line = await house.intake.connect("CP1", "1.6")
    await house.charge(line)
    await house.charge(line, stop=False)
    listed = await api.get("/sessions")
    assert ([each["status"] for each in listed.json()], listed.headers["x-total-count"]) == (
        ["ACTIVE", "COMPLETED"],
        "2",
    )
    assert [each["status"] for each in (await api.get("/sessions?status=COMPLETED")).json()] == ["COMPLETED"]
    assert (await api.get("/sessions?status=DONE")).status_code == 422


@pytest.mark.parametrize("station", ["CP2"])
async def test_a_session_without_a_location_is_kept(api: httpx.AsyncClient, house: Any, station: str) -> None:
    await api.put(f"/stations/{station}", json={})
    await house.charge(await house.intake.connect(station, "1.6"))
    (session,) = (await api.get("/sessions")).json()
    assert (session["location_id"], session["kwh"]) == ("#NA", 10)
    assert "total_cost" not in session
