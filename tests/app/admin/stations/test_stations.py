"""Stations over the admin API: set up, let in, called, forgotten; their wire log."""

from typing import Any

import httpx
import pytest

from app.domain.commands import Outcome, OutcomeKind
from app.domain.stations import Admission, BootReport, SetUp, StatusReport
from app.domain.status import ConnectorStatus
from app.store import commands

# Refused before anything is written: alike on both databases.
ON_ONE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


async def test_a_station_with_nothing_told(api: httpx.AsyncClient) -> None:
    created = await api.put("/stations/CP 9".replace(" ", "-"))
    assert created.status_code == 201
    body = created.json()
    assert (body["id"], body["state"], body["online"], body["location_id"]) == (
        "CP-9",
        "accepted",
        False,
        None,
    )
    assert (body["connectors"], body["last_seen"]) == ([], None)
    assert body["url"] == "ws://127.0.0.1:9000/ocpp/CP-9"
    assert (await api.put("/stations/CP-9", json={})).status_code == 200
    assert (await api.get("/stations/CP-9")).json()["state"] == "accepted"


async def test_a_station_with_its_connectors(
    api: httpx.AsyncClient, house: Any, site: dict[str, Any]
) -> None:
    line = await house.intake.connect("CP1", "1.6")
    await house.heard(line, BootReport(vendor="Acme", model="One", firmware_version="1.2"))
    await house.heard(
        line,
        StatusReport(
            evse=1, connector=1, status=ConnectorStatus.FAULTED, error_code="GroundFailure", info="wet"
        ),
    )
    await house.heard(line, StatusReport(evse=0, connector=0, status=ConnectorStatus.AVAILABLE))
    await house.heard(line, StatusReport(evse=3, connector=1, status=ConnectorStatus.AVAILABLE))
    body = (await api.get("/stations/CP1")).json()
    assert (body["online"], body["ocpp_version"], body["location_id"]) == (True, "1.6", "LOC1")
    assert body["boot"]["vendor"] == "Acme"
    first, second, third = body["connectors"]
    assert first["evse_uid"] == "E1"
    assert (first["status"], first["error_code"], first["info"]) == ("Faulted", "GroundFailure", "wet")
    assert first["status_at"].endswith("Z")
    assert (second["evse_uid"], second["status"]) == ("E2", None)
    assert (third["evse"], third["evse_uid"]) == (3, None)
    assert body["whole"]["status"] == "Available"
    # What a GET gave may be put again.
    again = await api.put("/stations/CP1", json=body)
    assert again.status_code == 200, again.text
    assert again.json()["connectors"] == body["connectors"]


async def test_lists_by_state_and_location(api: httpx.AsyncClient, house: Any, site: dict[str, Any]) -> None:
    await house.intake.report("STRANGER", SetUp(state=Admission.PENDING))
    assert [each["id"] for each in (await api.get("/stations")).json()] == ["CP1", "STRANGER"]
    assert [each["id"] for each in (await api.get("/stations?state=pending")).json()] == ["STRANGER"]
    assert [each["id"] for each in (await api.get("/stations?location=LOC1")).json()] == ["CP1"]
    assert (await api.get("/stations?state=lost")).status_code == 422


async def test_a_password_is_never_told(api: httpx.AsyncClient, house: Any) -> None:
    put = await api.put("/stations/CP1", json={"security_profile": 1, "password": "correct horse"})
    assert put.json()["has_password"] is True
    for answer in (put, await api.get("/stations/CP1"), await api.get("/stations")):
        assert "horse" not in answer.text
        assert "sha256" not in answer.text


@ON_ONE
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"location_id": "LOC9"}, "location_id"),
        ({"connectors": [{"evse": 1, "evse_uid": "E1", "connector_id": "1"}]}, "location_id"),
        ({"location_id": "LOC1", "connectors": [{"evse": 1, "evse_uid": "E9", "connector_id": "1"}]},
         "connectors[0].evse_uid"),
        ({"location_id": "LOC1", "connectors": [{"evse": 1, "evse_uid": "E1", "connector_id": "7"}]},
         "connectors[0].connector_id"),
        ({"location_id": "LOC1", "connectors": [{"evse": 1, "evse_uid": "E1", "connector_id": "1"}]},
         "connectors[0].connector_id"),
        ({"location_id": "LOC1", "connectors": [{"evse": 0, "evse_uid": "E1", "connector_id": "1"}]},
         "connectors[0].evse"),
        ({"location_id": "LOC1", "connectors": [{"evse": 1, "connector_id": "1"}]}, "connectors[0].evse_uid"),
        ({"security_profile": 4}, "security_profile"),
        ({"security_profile": "1"}, "security_profile"),
        ({"password": ""}, "password"),
        ({"pasword": "x"}, "pasword"),
        ({"security_profile": 0, "password": "x"}, "body"),
    ],
)  # fmt: skip
async def test_what_cannot_be_is_named(
    api: httpx.AsyncClient, site: dict[str, Any], body: dict[str, Any], field: str
) -> None:
    refused = await api.put("/stations/CP2", json=body)
    assert (refused.status_code, refused.json()["field"]) == (422, field), refused.text
    assert (await api.get("/stations/CP2")).status_code == 404


@ON_ONE
@pytest.mark.parametrize("second", [{"evse": 1, "evse_uid": "E2"}, {"evse": 2, "evse_uid": "e1"}])
async def test_a_connector_named_twice(
    api: httpx.AsyncClient, site: dict[str, Any], second: dict[str, Any]
) -> None:
    links = [{"evse": 1, "evse_uid": "E1", "connector_id": "1"}, second | {"connector_id": "1"}]
    refused = await api.put("/stations/CP1", json={"location_id": "LOC1", "connectors": links})
    assert refused.status_code == 422
    assert len((await api.get("/stations/CP1")).json()["connectors"]) == 2


async def test_ids_are_kept_as_the_location_spells_them(api: httpx.AsyncClient, site: dict[str, Any]) -> None:
    links = [{"evse": 1, "evse_uid": "e1", "connector_id": "1"}]
    put = await api.put("/stations/CP1", json={"location_id": "loc1", "connectors": links})
    assert put.status_code == 200
    assert (put.json()["location_id"], put.json()["connectors"][0]["evse_uid"]) == ("LOC1", "E1")


@ON_ONE
@pytest.mark.parametrize("station_id", ["x" * 49, "caf%C3%A9", "a%20b"])
async def test_an_id_that_no_station_can_have(api: httpx.AsyncClient, station_id: str) -> None:
    refused = await api.put(f"/stations/{station_id}", json={})
    assert (refused.status_code, refused.json()["field"]) == (422, "id")


async def test_accepting_a_stranger(api: httpx.AsyncClient, house: Any) -> None:
    await house.intake.report("NEW", SetUp(state=Admission.PENDING, security_profile=1))
    accepted = await api.post("/stations/NEW/accept")
    assert accepted.status_code == 200
    body = accepted.json()
    assert body["url"] == "ws://127.0.0.1:9000/ocpp/NEW"
    assert len(body["password"]) == 40
    assert (await api.get("/stations/NEW")).json()["state"] == "accepted"
    # It has a password now; nobody is shown it again.
    assert "password" not in (await api.post("/stations/NEW/accept", json={})).json()


async def test_adopting_a_stranger(api: httpx.AsyncClient, house: Any) -> None:
    await house.intake.report("NEW", SetUp(state=Admission.PENDING))
    body = (await api.post("/stations/NEW/accept", json={"adopt_minutes": 15})).json()
    assert "password" not in body
    assert body["adopt_until"] == "2026-11-20T12:15:00Z"
    for minutes in (0, -1, 100_000, "15", 1.5):
        refused = await api.post("/stations/NEW/accept", json={"adopt_minutes": minutes})
        assert (refused.status_code, refused.json()["field"]) == (422, "adopt_minutes")


async def test_forgetting_a_station(api: httpx.AsyncClient, house: Any, site: dict[str, Any]) -> None:
    line = await house.intake.connect("CP1", "1.6")
    await house.heard(line, StatusReport(evse=1, connector=1, status=ConnectorStatus.AVAILABLE))
    assert (await api.delete("/stations/CP1")).status_code == 204
    assert (await api.get("/locations/LOC1")).json()["evses"][0]["status"] == "UNKNOWN"
    assert (await api.get("/stations/CP1")).status_code == 404
    assert house.hung_up == ["CP1"]
    with pytest.raises(Exception, match="CP1"):
        await house.heard(line, BootReport(vendor="Acme", model="One"))
    assert (await api.get("/stations")).json() == []
    assert (await api.put("/stations/CP1", json=site)).status_code == 201


async def test_a_station_that_charges_is_not_forgotten(
    api: httpx.AsyncClient, house: Any, site: dict[str, Any]
) -> None:
    await house.charge(await house.intake.connect("CP1", "1.6"), stop=False)
    assert (await api.delete("/stations/CP1")).status_code == 409
    assert (await api.get("/stations/CP1")).json()["state"] == "accepted"


async def test_a_call_and_its_result(api: httpx.AsyncClient, house: Any, site: dict[str, Any]) -> None:
    house.gateway.connected.add("CP1")
    answer = await api.post("/stations/CP1/ocpp/Reset?timeout=7.5", json={"type": "Soft", "x": 1.5})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["outcome"], body["response"]) == ("result", {"status": "Accepted"})
    assert house.gateway.calls == [("CP1", "Reset", {"type": "Soft", "x": 1.5}, 7.5)]
    async with house.store.reading() as session:
        kept = await commands.get(session, body["message_id"])
    assert (kept.action, kept.outcome) == ("Reset", "result")
    # A call without fields needs no body.
    assert (await api.post("/stations/CP1/ocpp/ClearCache")).json()["outcome"] == "result"


async def test_a_call_that_ends_otherwise(api: httpx.AsyncClient, house: Any, site: dict[str, Any]) -> None:
    house.gateway.connected.add("CP1")
    fault = {"code": "NotSupported", "description": "", "details": {}}
    house.gateway.outcome = Outcome(kind=OutcomeKind.ERROR, response=fault)
    body = (await api.post("/stations/CP1/ocpp/ClearCache", json={})).json()
    assert (body["outcome"], body["response"]) == ("error", fault)
    house.gateway.outcome = Outcome(kind=OutcomeKind.TIMEOUT)
    body = (await api.post("/stations/CP1/ocpp/ClearCache", json={})).json()
    assert (body["outcome"], body["response"]) == ("timeout", None)
    house.gateway.outcome = Outcome(kind=OutcomeKind.NOT_CONNECTED)
    assert (await api.post("/stations/CP1/ocpp/ClearCache", json={})).status_code == 409


async def test_a_call_nobody_waits_for(api: httpx.AsyncClient, house: Any, site: dict[str, Any]) -> None:
    house.gateway.connected.add("CP1")
    answer = await api.post("/stations/CP1/ocpp/Reset?wait=0", json={"type": "Hard"})
    assert answer.status_code == 202
    assert answer.json().keys() == {"message_id"}
    async with house.store.reading() as session:
        assert (await commands.get(session, answer.json()["message_id"])).action == "Reset"


@ON_ONE
@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("CP1/ocpp/Reset", {"type": "Medium"}, 422),
        ("CP1/ocpp/Reset", ["Soft"], 422),
        ("CP1/ocpp/Reset?timeout=0", {"type": "Soft"}, 422),
        ("CP1/ocpp/Reset?timeout=121", {"type": "Soft"}, 422),
        ("CP1/ocpp/Reset?timeout=nan", {"type": "Soft"}, 422),
        ("CP1/ocpp/Reset?wait=perhaps", {"type": "Soft"}, 422),
        ("CP1/ocpp/Dance", {}, 404),
        ("CP8/ocpp/Reset", {"type": "Soft"}, 404),
        ("CP2/ocpp/Reset", {"type": "Soft"}, 409),
    ],
)
async def test_a_call_that_cannot_be_made(
    api: httpx.AsyncClient, house: Any, site: dict[str, Any], path: str, body: Any, status: int
) -> None:
    await api.put("/stations/CP2", json={})
    house.gateway.connected.add("CP1")
    assert (await api.post(f"/stations/{path}", json=body)).status_code == status
    assert house.gateway.calls == []


async def test_a_number_beyond_all_range(api: httpx.AsyncClient, house: Any, site: dict[str, Any]) -> None:
    house.gateway.connected.add("CP1")
    answer = await api.post("/stations/CP1/ocpp/Reset", content=b'{"type": "Soft", "x": 1e999}')
    assert answer.status_code == 422
    assert house.gateway.calls == []


async def test_the_wire_log(api: httpx.AsyncClient, house: Any, site: dict[str, Any]) -> None:
    assert (await api.get("/stations/CP1/frames")).json() == []
    line = await house.intake.connect("CP1", "1.6")
    for _ in range(3):
        await house.heard(line, BootReport(vendor="Acme", model="One"))
    everything = (await api.get("/stations/CP1/frames")).json()
    uncounted = await api.get("/stations/CP1/frames?count=false")
    assert (uncounted.json(), "x-total-count" in uncounted.headers) == (everything, False)
    assert [(each["direction"], each["kind"]) for each in everything] == [
        ("out", "answer"),
        ("in", "call"),
    ] * 3
    answer = await api.get("/stations/CP1/frames?limit=2&offset=1")
    assert (answer.json(), answer.headers["x-total-count"]) == (everything[1:3], "6")
    call, reply = everything[1], everything[2]
    assert (call["message_id"], call["action"]) == ("m", "X")
    assert call["text"] == '[2,"m","X",{"key":"AuthorizationKey","value":"***"}]'
    assert (reply["text"], reply["outcome"], reply["deviations"]) == ('[3,"m",{}]', "result", [])
