"""Stations are let in, given a password, and set as our profile says: once, step by step, whatever comes between."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import websockets

from tests.flows.house import House, until
from tests.flows.site import fresh
from tests.flows.station import PASSWORD, Station, connected, socket_of, wire

FACTORY = {
    "ConnectionTimeOut": ("90", False),
    "HeartbeatInterval": ("60", False),
    "MeterValueSampleInterval": ("900", False),
    "MeterValuesSampledData": ("Voltage", False),
    "SupportedFeatureProfiles": ("Core,RemoteTrigger", True),
    "TransactionMessageAttempts": ("3", False),
    "WebSocketPingInterval": ("0", True),
}
METER = "Voltage,Energy.Active.Import.Register,Power.Active.Import"


@pytest.fixture
async def eager(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """A program that sets stations up."""
    house = House(database_url, tmp_path, COMMISSIONING="1")
    house.secrets.add(PASSWORD)
    house.start()
    await house.admin.open()
    yield house
    await house.admin.close()
    house.end()
    house.check_log()


async def put(house: House, prefix: str = "CS") -> str:
    station_id = f"{prefix}{fresh()}"
    await house.admin.put(f"stations/{station_id}", {"password": PASSWORD})
    return station_id


async def commissioned(house: House, station_id: str, stage: str = "done") -> Any:
    """How commissioning ended, as soon as it has."""

    async def ended() -> Any:
        shown = (await house.admin.get(f"stations/{station_id}"))["commissioning"]
        return shown if shown is not None and shown["stage"] == stage else None

    return await until(ended, 20)


def changes(station: Station) -> list[tuple[str, str]]:
    return [(given["key"], given["value"]) for name, given in station.heard if name == "ChangeConfiguration"]


def asked(station: Station) -> int:
    return sum(name == "GetConfiguration" for name, _ in station.heard)


def outcomes(shown: Any) -> dict[str, str]:
    return {each["key"]: each["outcome"] for each in shown["keys"]}


async def test_only_what_differs_is_changed_once_per_firmware(eager: House) -> None:
    station_id, other_id = await put(eager), await put(eager)
    async with connected(eager, station_id) as station, connected(eager, other_id) as other:
        station.configuration = dict(FACTORY)
        station.refuses = {("MeterValuesSampledData", f"{METER},SoC")}
        station.needs_reboot = {"TransactionMessageAttempts"}
        other.route_map.pop("GetConfiguration")
        await station.boot()
        await other.boot()
        shown = await commissioned(eager, station_id)
        assert outcomes(shown) == {
            "HeartbeatInterval": "changed",
            "MeterValueSampleInterval": "fits",
            "MeterValuesSampledData": "changed",
            "TransactionMessageAttempts": "reboot_required",
            "WebSocketPingInterval": "readonly",
        }
        assert shown["waits_for_reboot"] == ["TransactionMessageAttempts"]
        assert changes(station) == [
            ("HeartbeatInterval", "300"),
            ("MeterValuesSampledData", f"{METER},SoC"),
            ("MeterValuesSampledData", METER),
            ("TransactionMessageAttempts", "20"),
        ]
        body = await eager.admin.get(f"stations/{station_id}")
        assert (body["connection_timeout"], body["triggers"]) == (90, True)
        settings = await eager.admin.get(f"stations/{station_id}/settings")
        told = {each["key"]: (each["value"], each["readonly"]) for each in settings["settings"]}
        assert told == FACTORY | station.configuration
        assert settings["read_at"] is not None
        # A station that does not know the call is left alone.
        await commissioned(eager, other_id, "not_supported")
        assert changes(other) == []

        # The same firmware again: nothing. Another firmware: what the update took back is set again.
        before = asked(station)
        await station.boot()
        assert (await eager.admin.get(f"stations/{station_id}"))["commissioning"]["waits_for_reboot"] == []
        await asyncio.sleep(3.5)
        assert asked(station) == before
        station.firmware = "2.0"
        station.configuration["HeartbeatInterval"] = ("30", False)
        await station.boot()
        await until(lambda: changes(station).count(("HeartbeatInterval", "300")) == 2, 15)
        assert changes(station).count(("TransactionMessageAttempts", "20")) == 1


async def test_a_station_that_goes_away_in_the_middle_is_seen_to_when_it_is_back(eager: House) -> None:
    station_id = await put(eager)
    async with connected(eager, station_id) as station:
        station.configuration = dict(FACTORY)
        station.pauses["ChangeConfiguration"] = 30
        await station.boot()
        assert (await station.told("ChangeConfiguration"))["key"] == "HeartbeatInterval"
    # What was lost in the middle may have been done: here it was not.
    await until_offline(eager, station_id)
    assert (await eager.restart()) > 0
    async with connected(eager, station_id) as station:
        station.configuration = dict(FACTORY)
        await station.boot()
        shown = await commissioned(eager, station_id)
        assert changes(station)[0] == ("HeartbeatInterval", "300")
        assert set(outcomes(shown).values()) == {"changed", "fits", "readonly"}
        assert len(changes(station)) == 3


async def until_offline(house: House, station_id: str) -> None:
    async def gone() -> bool:
        return not (await house.admin.get(f"stations/{station_id}"))["online"]

    await until(gone)


async def test_a_factory_fresh_station_is_adopted_and_set_up(eager: House) -> None:
    station_id = f"NEW{fresh()}"
    for _ in range(2):
        with pytest.raises(websockets.InvalidStatus):
            async with socket_of(eager, station_id, None):
                pass
    with pytest.raises(websockets.InvalidStatus):
        async with socket_of(eager, station_id, "guess-7c41", subprotocols=["ocpp2.0.1", "ocpp1.6"]):
            pass
    (waiting,) = await eager.admin.get("stations", state="pending")
    refused = waiting["refused"]
    assert (refused["times"], refused["address"], refused["credentials"], refused["reason"]) == (
        3,
        "127.0.0.1",
        "password",
        "pending",
    )
    assert refused["subprotocols"] == ["ocpp2.0.1", "ocpp1.6"]
    assert waiting["url"] == f"{eager.ocpp_url}/ocpp/{station_id}"
    assert waiting["url_without_id"] == f"{eager.ocpp_url}/ocpp"

    accepted = await eager.admin.post(f"stations/{station_id}/accept", {"adopt_minutes": 5})
    assert "password" not in accepted
    async with connected(eager, station_id, None) as station:
        station.configuration = dict(FACTORY)
        assert (await station.boot()).status == "Pending"
        given = await station.told("ChangeConfiguration")
        assert given["key"] == "AuthorizationKey"
        eager.secrets.add(given["value"])
        assert (await station.told("TriggerMessage"))["requested_message"] == "BootNotification"
        assert (await station.boot()).status == "Accepted"
        await commissioned(eager, station_id)
        settings = await eager.admin.get(f"stations/{station_id}/settings", refresh=1)
        told = {each["key"]: each["value"] for each in settings["settings"]}
        assert (told["AuthorizationKey"], told["HeartbeatInterval"]) == ("***", "300")
    with pytest.raises(websockets.InvalidStatus) as refusal:
        async with socket_of(eager, station_id, None):
            pass
    assert refusal.value.response.status_code == 401
    body = await eager.admin.get(f"stations/{station_id}")
    assert (body["refused"]["reason"], body["refused"]["times"]) == ("no password", 4)
    async with wire(eager, station_id, given["value"]) as again:
        assert await again.alive()


async def test_settings_are_changed_by_hand_with_the_stations_own_answers(eager: House) -> None:
    station_id = await put(eager)
    refused = await eager.admin.ask("PATCH", f"stations/{station_id}/settings", json={"HeartbeatInterval": 5})
    assert refused.status_code == 409
    async with connected(eager, station_id) as station:
        station.configuration = dict(FACTORY)
        station.refuses = {("ConnectionTimeOut", "-1")}
        station.needs_reboot = {"VendorMode"}
        wanted = {"ConnectionTimeOut": -1, "VendorMode": True, "HeartbeatInterval": "45"}
        changed = await eager.admin.ask("PATCH", f"stations/{station_id}/settings", json=wanted)
        assert changed.status_code == 200, changed.text
        assert [(each["key"], each["value"], each["answer"]) for each in changed.json()["changes"]] == [
            ("ConnectionTimeOut", "-1", "rejected"),
            ("VendorMode", "true", "reboot_required"),
            ("HeartbeatInterval", "45", "accepted"),
        ]
        assert changes(station) == [
            ("ConnectionTimeOut", "-1"), ("VendorMode", "true"), ("HeartbeatInterval", "45"),
        ]  # fmt: skip
        for body in ({}, {"AuthorizationKey": "x" * 16}, {"A": None}, {"k" * 51: "1"}, {"A": "v" * 501}):
            answer = await eager.admin.ask("PATCH", f"stations/{station_id}/settings", json=body)
            assert answer.status_code == 422, body
        assert len(changes(station)) == 3
