"""What a station told and what is changed there by hand; changing a station in part; how long a start is awaited."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.domain.commands import Outcome, OutcomeKind
from app.domain.stations import Learned
from app.store.remote import RemoteCommandRow

TOLD = {
    "configurationKey": [
        {"key": "HeartbeatInterval", "value": "60", "readonly": False},
        {"key": "NumberOfConnectors", "value": "2", "readonly": True},
    ],
    "unknownKey": ["Colour"],
}


def answers(action: str, payload: Any) -> Any:
    return TOLD if action == "GetConfiguration" else {"status": "Accepted"}


async def test_nothing_was_told_yet(api: httpx.AsyncClient, site: dict[str, Any]) -> None:
    assert (await api.get("/stations/CP1/settings")).json() == {
        "read_at": None, "settings": [], "unknown": [], "waits_for_reboot": [],
    }  # fmt: skip
    assert (await api.get("/stations/CP9/settings")).status_code == 404
    assert (await api.get("/stations/CP1/settings?refresh=1")).status_code == 409


async def test_what_was_told_and_changed_stays_known(
    api: httpx.AsyncClient, house: Any, site: dict[str, Any]
) -> None:
    house.gateway.connected.add("CP1")
    house.gateway.answers = answers
    shown = (await api.get("/stations/CP1/settings?refresh=1")).json()
    assert shown["settings"] == TOLD["configurationKey"]
    assert "Colour" in shown["unknown"]
    assert shown["read_at"] == "2026-11-20T12:00:00Z"
    changed = await api.patch("/stations/CP1/settings", json={"HeartbeatInterval": 300})
    assert changed.json()["changes"] == [{"key": "HeartbeatInterval", "value": "300", "answer": "accepted"}]
    house.gateway.connected.clear()
    kept = (await api.get("/stations/CP1/settings")).json()["settings"]
    assert [(each["key"], each["value"]) for each in kept] == [
        ("HeartbeatInterval", "300"),
        ("NumberOfConnectors", "2"),
    ]
    assert (await api.delete("/stations/CP1")).status_code == 204
    assert (await api.put("/stations/CP1", json={})).status_code == 201
    assert (await api.get("/stations/CP1/settings")).json()["read_at"] is None


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome(kind=OutcomeKind.TIMEOUT), "unanswered"),
        (Outcome(kind=OutcomeKind.ERROR, response={"code": "NotImplemented"}), "not supported"),
    ],
)
async def test_a_station_that_tells_nothing(
    api: httpx.AsyncClient, house: Any, site: dict[str, Any], outcome: Outcome, said: str
) -> None:
    house.gateway.connected.add("CP1")
    house.gateway.outcome = outcome
    refused = await api.get("/stations/CP1/settings?refresh=1")
    assert (refused.status_code, said in refused.json()["detail"]) == (409, True)
    changed = (await api.patch("/stations/CP1/settings", json={"A": "1"})).json()
    assert changed["changes"][0]["answer"] == said.replace(" ", "_")
    assert changed["settings"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"": "1"}, "body"),
        ({"A": None}, "A"),
        ({"A": {"b": 1}}, "A"),
        ({"A": "v" * 501}, "A"),
        ({"authorizationkey": "0123456789abcdef"}, "authorizationkey"),
        ({f"K{number}": "1" for number in range(21)}, "body"),
        ({"A": "\u0007"}, "A"),
    ],
)
async def test_changes_that_cannot_be(
    api: httpx.AsyncClient, house: Any, site: dict[str, Any], body: dict[str, Any], field: str
) -> None:
    house.gateway.connected.add("CP1")
    refused = await api.patch("/stations/CP1/settings", json=body)
    assert (refused.status_code, refused.json()["field"]) == (422, field)
    assert house.gateway.calls == []


async def test_a_station_is_changed_in_part(api: httpx.AsyncClient, site: dict[str, Any], house: Any) -> None:
    before = (await api.get("/stations/CP1")).json()
    changed = await api.patch("/stations/CP1", json={"uid_order": "reversed", "password": "hush"})
    assert changed.status_code == 200, changed.text
    after = changed.json()
    assert (after["uid_order"], after["has_password"]) == ("reversed", True)
    assert (after["location_id"], after["connectors"]) == (before["location_id"], before["connectors"])
    moved = await api.patch("/stations/CP1", json={"connectors": before["connectors"][:1]})
    assert (len(moved.json()["connectors"]), moved.json()["uid_order"]) == (1, "reversed")
    for body, status in (({"uid_order": "sideways"}, 422), ({"location_id": "LOC9"}, 422), ({"x": 1}, 422)):
        assert (await api.patch("/stations/CP1", json=body)).status_code == status
    assert (await api.patch("/stations/CP9", json={})).status_code == 404
    # Put without it: the setting is as at the beginning.
    assert (await api.put("/stations/CP1", json=site)).json()["uid_order"] == "as_read"


async def test_changing_does_not_let_in(api: httpx.AsyncClient, house: Any) -> None:
    assert str(await house.context().stations.admit("NEW", None)) == "unknown"
    changed = await api.patch("/stations/NEW", json={"security_profile": 0})
    assert (changed.json()["state"], changed.json()["security_profile"]) == ("pending", 0)
    refused = await api.patch("/stations/NEW", json={"password": "hush"})
    assert (refused.status_code, refused.json()["field"]) == (422, "password")


async def test_how_a_waiting_station_came_is_shown(api: httpx.AsyncClient, house: Any) -> None:
    await house.context().stations.admit("NEW", None)
    house.inbox.refused(
        "NEW", address="10.0.0.7", subprotocols=["ocpp1.6"], credentials="none", reason="pending"
    )
    (shown,) = (await api.get("/stations?state=pending")).json()
    assert shown["refused"] == {
        "times": 1, "first_at": "2026-11-20T12:00:00Z", "last_at": "2026-11-20T12:00:00Z",
        "address": "10.0.0.7", "subprotocols": ["ocpp1.6"], "credentials": "none", "reason": "pending",
    }  # fmt: skip
    assert (shown["url"], shown["url_without_id"]) == (
        "ws://127.0.0.1:9000/ocpp/NEW",
        "ws://127.0.0.1:9000/ocpp",
    )
    # What was shown may be put, and lets the station in.
    assert (await api.put("/stations/NEW", json=shown)).json()["state"] == "accepted"


@pytest.mark.parametrize(("told", "seconds"), [(None, 180), (90, 150)])
async def test_a_start_is_awaited_as_long_as_the_station_waits_for_a_plug(
    api: httpx.AsyncClient, house: Any, site: dict[str, Any], told: int | None, seconds: int
) -> None:
    house.gateway.connected.add("CP1")
    await house.intake.report("CP1", Learned(connection_timeout=told))
    house.gateway.answers = lambda _action, _payload: {"status": "Accepted"}
    house.gateway.check = _any_call
    started = await api.post("/stations/CP1/start", json={"connector": 1, "token": "CARD1"})
    assert started.json()["result"] == "ACCEPTED"
    async with house.store.reading() as session:
        due = (await session.execute(select(RemoteCommandRow.start_due_at))).scalar_one()
    assert due - house.clock.now() == timedelta(seconds=seconds)


async def _any_call(_station_id: str, _action: str, _payload: Any) -> None:
    """Every call may be sent."""
