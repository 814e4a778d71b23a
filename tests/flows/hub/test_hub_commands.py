"""Commands and charging profiles through the hub: the result comes back by a URL of the hub, whatever happens between."""

import asyncio
import json
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest

from tests.conftest import until
from tests.flows.hub_party import NOW, Got, HubParty, ok
from tests.flows.hub_world import BASE, HUB, OURS, World, location, parties_of

TOKEN = {
    "country_code": "DE", "party_id": "EMS", "uid": "04AA", "type": "RFID", "contract_id": "DE-EMS-1",
    "issuer": "Elbe", "valid": True, "whitelist": "ALLOWED", "last_updated": NOW,
}  # fmt: skip
COMMANDS: dict[str, dict[str, Any]] = {
    "START_SESSION": {"token": TOKEN, "location_id": "LOC1"},
    "RESERVE_NOW": {"token": TOKEN, "location_id": "LOC1", "reservation_id": "R1", "expiry_date": NOW},
    "CANCEL_RESERVATION": {"reservation_id": "R1"},
    "STOP_SESSION": {"session_id": "S1"},
    "UNLOCK_CONNECTOR": {"location_id": "LOC1", "evse_uid": "E1", "connector_id": "1"},
}


def accepts(got: Got) -> Any:
    """A CPO that takes every command, and an eMSP that takes every result."""
    return ok({"result": "ACCEPTED", "timeout": 30})


async def result(cpo: HubParty, url: str, body: Any, **more: Any) -> Any:
    """The CPO tells how a command ended."""
    return await cpo.call("POST", url, body=body, **more)


async def came_back(emsp: HubParty, path: str) -> Got:
    """What arrived at the eMSP's own response_url."""
    await until(lambda: any(each.path == path for each in emsp.got))
    return next(each for each in emsp.got if each.path == path)


@pytest.mark.parametrize("command", COMMANDS)
async def test_a_command_and_its_result_pass_through_the_hub(world: World, command: str) -> None:
    world.cpo.answers = accepts
    original = f"{world.emsp.url}/odd/results/{command}?x=1"

    answer = await world.emsp.call(
        "POST",
        f"receiver/commands/{command}",
        to="NL-AAA",
        body=COMMANDS[command] | {"response_url": original},
    )

    assert answer.json()["data"] == {"result": "ACCEPTED", "timeout": 30}
    assert parties_of(answer) == ("DE-EMS", "NL-AAA")
    (got,) = world.cpo.got
    assert (got.path, got.to, got.sender) == (f"{BASE}/receiver/commands/{command}", "NL-AAA", "DE-EMS")
    url = got.body["response_url"]
    assert url.startswith(f"{world.house.base_url}/ocpi/hub/2.2.1/results/")
    assert len(url) <= 255
    assert got.body == COMMANDS[command] | {"response_url": url}

    told = await result(
        world.cpo, url, {"result": "ACCEPTED"}, to="DE-EMS", headers={"X-Correlation-ID": "c-9"}
    )
    assert told.json()["status_code"] == 1000
    back = await came_back(world.emsp, f"/odd/results/{command}")
    assert (back.query, back.body, back.to, back.sender) == (
        "x=1",
        {"result": "ACCEPTED"},
        "DE-EMS",
        "NL-AAA",
    )
    assert back.headers["x-correlation-id"] == "c-9"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_a_charging_profile_and_its_result_pass_through_the_hub(world: World, method: str) -> None:
    world.cpo.answers = accepts
    original = f"{world.emsp.url}/profiles/7"
    query = "" if method == "PUT" else "?" + urlencode({"duration": 600, "response_url": original})
    body = (
        {"charging_profile": {"charging_rate_unit": "A"}, "response_url": original}
        if method == "PUT"
        else None
    )

    await world.emsp.call(method, f"receiver/chargingprofiles/S1{query}", to="NL-AAA", body=body)

    (got,) = world.cpo.got
    url = got.body["response_url"] if body else parse_qs(got.query)["response_url"][0]
    assert url.startswith(world.house.base_url)
    if method != "PUT":
        assert parse_qs(got.query)["duration"] == ["600"]
    await result(world.cpo, url, {"result": "ACCEPTED"})
    assert (await came_back(world.emsp, "/profiles/7")).body == {"result": "ACCEPTED"}


async def test_commands_without_receiver_go_to_who_has_what_they_name(world: World) -> None:
    world.cpo2.answers = accepts
    await world.cpo2.call("PUT", "receiver/locations/BE/BBB/LOC1", to=HUB, body=location("BE-BBB"))
    session = {"id": "S1", "cdr_token": TOKEN}
    await world.cpo2.call("PUT", "receiver/sessions/BE/BBB/S1", to="DE-EMS", body=session)

    for command, fields in COMMANDS.items():
        body = fields | {"response_url": f"{world.emsp.url}/r"}
        answer = await world.emsp.call("POST", f"receiver/commands/{command}", body=body)
        assert answer.json()["status_code"] == 1000, (command, answer.text)
        assert parties_of(answer) == ("DE-EMS", "BE-BBB")

    assert len(world.cpo2.got) == len(COMMANDS)
    assert world.cpo.got == []
    body = COMMANDS["STOP_SESSION"] | {"response_url": f"{world.emsp2.url}/r"}
    stranger = await world.emsp2.call("POST", "receiver/commands/STOP_SESSION", body=body)
    assert stranger.json()["status_code"] == 4001


async def test_nobody_else_says_how_a_command_ended(world: World) -> None:
    world.cpo.answers = accepts
    body = COMMANDS["START_SESSION"] | {"response_url": f"{world.emsp.url}/r"}
    await world.emsp.call("POST", "receiver/commands/START_SESSION", to="NL-AAA", body=body)
    url = world.cpo.got[0].body["response_url"]

    for other in (world.cpo2, world.emsp, world.emsp2):
        assert (await result(other, url, {"result": "ACCEPTED"})).status_code == 404
    assert (await result(world.cpo, f"{url}x", {"result": "ACCEPTED"})).status_code == 404
    assert (await world.cpo.call("GET", url)).status_code == 404
    assert (await world.cpo.call("POST", url, raw=b"<html>")).status_code == 400
    await world.settled()
    assert world.emsp.got == []


async def test_a_result_waits_for_an_emsp_that_is_away(world: World) -> None:
    world.cpo.answers = accepts
    body = COMMANDS["START_SESSION"] | {"response_url": f"{world.emsp.url}/r"}
    await world.emsp.call("POST", "receiver/commands/START_SESSION", to="NL-AAA", body=body)
    await world.emsp.stop()

    told = await result(world.cpo, world.cpo.got[0].body["response_url"], {"result": "ACCEPTED"})
    await asyncio.sleep(0.3)
    await world.emsp.start()

    assert told.json()["status_code"] == 1000
    assert (await came_back(world.emsp, "/r")).body == {"result": "ACCEPTED"}


@pytest.mark.parametrize(
    "url", [None, 7, "ftp://example.org/r", "http://user@example.org/", "HUB", "http://exa mple.org/"]
)
async def test_a_command_without_a_usable_url_goes_nowhere(world: World, url: Any) -> None:
    given = f"{world.house.base_url}/ocpi/hub/2.2.1/results/x" if url == "HUB" else url

    answer = await world.emsp.call(
        "POST",
        "receiver/commands/STOP_SESSION",
        to="NL-AAA",
        body={"session_id": "S1", "response_url": given},
    )

    assert answer.json()["status_code"] == 2001
    assert world.cpo.got == []


async def test_a_command_to_our_own_cpo_is_carried_out_here(world: World) -> None:
    body = COMMANDS["START_SESSION"] | {"response_url": f"{world.emsp.url}/r"}

    answer = await world.emsp.call("POST", "receiver/commands/START_SESSION", to=OURS, body=body)
    stranger = await world.emsp2.call("POST", "receiver/commands/START_SESSION", to=OURS, body=body)

    assert answer.json()["status_code"] == 2003
    assert answer.json()["data"]["result"] == "REJECTED"
    assert parties_of(answer) == ("DE-EMS", OURS)
    assert stranger.json()["status_code"] == 4000
    assert json.loads(stranger.text).get("data") is None
