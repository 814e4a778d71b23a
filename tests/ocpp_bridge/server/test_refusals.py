"""The handshake: who is let in, what the others are told, and how fast they may try."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import websockets

from app.services.intake.intake import Unanswered
from app.services.stations import Entry
from app.store.database.errors import StoreUnavailable


async def refused(bridge: Any, path: str, **options: Any) -> websockets.Response:
    with pytest.raises(websockets.InvalidStatus) as refusal:
        async with bridge.station(path, **options):
            pass
    response: websockets.Response = refusal.value.response
    return response


@pytest.mark.parametrize(
    "path",
    ["CS1/", "/CS1", "/CS1//", "CS%31", "CS1?x=1"],
)
async def test_odd_spellings_of_the_path_are_tolerated(bridge: Any, path: str) -> None:
    async with bridge.station(path) as wire:
        assert await wire.alive()
        assert bridge.intake.lines[0].station_id == "CS1"


@pytest.mark.parametrize("name", ["NL:VBR*E1|a@b", "a.b-c_d=e+f", "x" * 48, "%7Bid%7D"])
async def test_ids_of_all_printable_characters(bridge: Any, name: str) -> None:
    async with bridge.station(name) as wire:
        assert await wire.alive()


@pytest.mark.parametrize(
    "path", ["", "CS1/extra", "x" * 49, "a%20b", "a%2Fb", "%FF", "a%00b", "..%2F", "%C3%A9"]
)
async def test_paths_that_name_no_station_are_not_found(bridge: Any, path: str) -> None:
    response = await refused(bridge, path)
    assert response.status_code == 404
    assert b"/ocpp/" in (response.body or b"")
    assert bridge.stations.seen == []


@pytest.mark.parametrize("entry", [Entry.UNKNOWN, Entry.PENDING, Entry.REJECTED])
async def test_stations_that_are_not_let_in_all_look_unknown(bridge: Any, entry: Entry) -> None:
    bridge.stations.entries["CS1"] = entry
    response = await refused(bridge, "CS1")
    assert (response.status_code, response.body) == (404, b"This station is not known here\n")
    assert bridge.intake.lines == []


async def test_wrong_credentials_are_told_how_to_do_it(
    bridge: Any, basic_header: Callable[[str, str], str]
) -> None:
    bridge.stations.passwords["CS1"] = b"right"
    wrong = [
        {},
        {"Authorization": basic_header("CS1", "wrong")},
        {"Authorization": basic_header("CS2", "right")},
        {"Authorization": "Bearer right"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic"},
    ]
    for headers in wrong:
        response = await refused(bridge, "CS1", additional_headers=headers)
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == 'Basic realm="OCPP"'
        assert response.body == b"Wrong station id or password\n"


async def test_colons_in_ids_and_passwords(bridge: Any) -> None:
    bridge.stations.passwords["NL:1"] = b"pass:word"
    async with bridge.station("NL:1", password="pass:word") as wire:
        assert await wire.alive()


async def test_a_password_of_bytes(bridge: Any, basic_header: Callable[[str, bytes], str]) -> None:
    key = bytes(range(240, 256))
    bridge.stations.passwords["CS1"] = key
    async with bridge.station("CS1", additional_headers={"Authorization": basic_header("CS1", key)}) as wire:
        assert await wire.alive()


@pytest.mark.parametrize("error", [StoreUnavailable("away"), Unanswered()])
async def test_without_a_store_stations_are_told_to_come_back(bridge: Any, error: Exception) -> None:
    if isinstance(error, StoreUnavailable):
        bridge.stations.failing = error
        assert (await refused(bridge, "CS1")).status_code == 503
    bridge.stations.failing = None
    bridge.intake.connecting = error
    response = await refused(bridge, "CS1")
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "30"


async def test_guessing_is_slowed_down_but_the_true_station_always_gets_in(
    bridge: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ocpp_bridge.handshake.Limits.SLOW_SECONDS", 0.2)
    bridge.stations.passwords["CS1"] = b"right"
    for _ in range(10):
        assert (await refused(bridge, "CS1", password="wrong")).status_code == 401
    began = asyncio.get_running_loop().time()
    assert (await refused(bridge, "CS1", password="wrong")).status_code == 429
    assert asyncio.get_running_loop().time() - began >= 0.2
    async with bridge.station("CS1", password="right") as wire:
        assert await wire.alive()


async def test_when_too_many_guess_at_once_a_stranger_is_refused_unseen(
    bridge: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ocpp_bridge.handshake.Limits.MOST_SLOW", 0)
    bridge.stations.passwords |= {"CS1": b"right", "CS2": b"right"}
    async with bridge.station("CS2", password="right"):
        pass
    for name in ("CS1", "CS2"):
        for _ in range(10):
            assert (await refused(bridge, name, password="wrong")).status_code == 401
    seen = len(bridge.stations.seen)
    response = await refused(bridge, "CS1", password="right")
    assert (response.status_code, response.headers["Retry-After"]) == (429, "60")
    assert len(bridge.stations.seen) == seen
    name, told = bridge.inbox.refusals[-1]
    assert (name, told["reason"], told["credentials"]) == ("CS1", "too many attempts", "password")
    # A station that got in from there before is looked at all the same.
    async with bridge.station("CS2", password="right") as wire:
        assert await wire.alive()


async def test_too_many_handshakes_at_once_are_told_to_come_back(
    bridge: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ocpp_bridge.server.app.MOST_HANDSHAKES", 0)
    assert (await refused(bridge, "CS1")).status_code == 503


@pytest.mark.parametrize("offered", [["ocpp2.0.1"], ["nonsense"], None])
async def test_without_a_common_version_the_handshake_completes_and_then_closes(
    bridge: Any, offered: list[str] | None
) -> None:
    async with bridge.station("CS1", subprotocols=offered) as wire:
        assert wire.socket.subprotocol is None
        assert await wire.closed() == 1002
    assert bridge.intake.lines == []


async def test_the_newest_common_version_wins(bridge: Any) -> None:
    async with bridge.station("CS1", subprotocols=["ocpp1.5", "ocpp2.1", "ocpp1.6"]) as wire:
        assert wire.socket.subprotocol == "ocpp1.6"
        assert bridge.intake.lines[0].version == "1.6"


@pytest.mark.parametrize(("path", "status"), [("/ocpp/CS1", b"400"), ("/elsewhere", b"404")])
async def test_a_plain_http_request_gets_a_readable_answer(bridge: Any, path: str, status: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", bridge.port)
    writer.write(f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
    answer = await asyncio.wait_for(reader.read(), 30)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b"Stations connect" in answer


async def test_a_broken_upgrade_is_a_bad_request(bridge: Any) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", bridge.port)
    writer.write(
        b"GET /ocpp/CS1 HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
        b"sec-websocket-version: 13\r\n\r\n"
    )
    answer = await asyncio.wait_for(reader.read(), 30)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 400")


async def test_the_operator_learns_how_a_refused_station_came(bridge: Any, basic_header: Any) -> None:
    bridge.stations.entries["CS1"] = Entry.PENDING
    bridge.stations.passwords["CS2"] = b"right"
    headers = (
        {},
        {"Authorization": basic_header("CS1", "hush")},
        {"Authorization": basic_header("OTHER", "hush")},
        {"Authorization": "Bearer hush"},
    )
    for given in headers:
        with pytest.raises(websockets.InvalidStatus):
            async with bridge.station(additional_headers=given):
                pass
    with pytest.raises(websockets.InvalidStatus):
        async with bridge.station("CS2", password="wrong", subprotocols=["ocpp2.0.1", "ocpp1.6"]):
            pass
    async with bridge.station("CS2", password="right") as wire:
        assert await wire.alive()
    assert [(name, how["credentials"], how["reason"]) for name, how in bridge.inbox.refusals] == [
        ("CS1", "none", "pending"),
        ("CS1", "password", "pending"),
        ("CS1", "password under another user name", "wrong password"),
        ("CS1", "unreadable", "wrong password"),
        ("CS2", "password", "wrong password"),
    ]
    last = bridge.inbox.refusals[-1][1]
    assert (last["address"], list(last["subprotocols"])) == ("127.0.0.1", ["ocpp2.0.1", "ocpp1.6"])
    assert "hush" not in str(bridge.inbox.refusals)
