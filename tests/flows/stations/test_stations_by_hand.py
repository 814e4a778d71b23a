"""An operator at the terminal lets a station in, watches it come, and asks things of it."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import websockets

from app.cli import main, progress, station_calls
from tests.flows.house import ADMIN_TOKEN, House, until
from tests.flows.site import fresh, give_own_token
from tests.flows.station import PASSWORD, ago, connected, socket_of

SETTINGS = {"HeartbeatInterval": ("60", False), "SupportedFeatureProfiles": ("Core", True)}

Type = Callable[..., Coroutine[Any, Any, tuple[int, str]]]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A program that sets stations up."""
    folder = tmp_path / "house"
    folder.mkdir()
    house = House(f"sqlite+aiosqlite:///{folder / 'voltbridge.db'}", folder, COMMISSIONING="1")
    house.secrets.add(PASSWORD)
    house.start()
    await house.admin.open()
    yield house
    await house.admin.close()
    house.end()
    house.check_log()


@pytest.fixture
def terminal(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Type:
    """Types a command; gives the exit code and what was printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VOLTBRIDGE_HTTP_PORT", house.url.rpartition(":")[2])
    monkeypatch.setenv("VOLTBRIDGE_ADMIN_TOKEN", ADMIN_TOKEN)
    monkeypatch.setattr(progress, "PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", 30.0)

    def typed() -> tuple[int, str]:
        try:
            main()
        except SystemExit as ended:
            if isinstance(ended.code, str):
                return 1, capsys.readouterr().out + ended.code
            return int(ended.code or 0), capsys.readouterr().out
        raise AssertionError("a command ends by an exit")

    async def type_(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["voltbridge", "station", *words])
        return await asyncio.to_thread(typed)

    return type_


@pytest.mark.timeout(180)
async def test_a_new_station_is_let_in_and_watched(house: House, terminal: Type) -> None:
    name = f"NEW{fresh()}"
    assert await terminal("accept", name) == (1, f"voltbridge: there is no station {name}")
    with pytest.raises(websockets.InvalidStatus):
        async with socket_of(house, name, None):
            pass
    code, shown = await terminal("inbox")
    assert code == 0
    assert (name in shown, "127.0.0.1" in shown, "ocpp1.6" in shown) == (True, True, True)
    watching = asyncio.create_task(terminal("accept", name, "--adopt-minutes", "2"))

    async def open_door() -> bool:
        return bool((await house.admin.get(f"stations/{name}"))["adopt_until"])

    await until(open_door)
    async with connected(house, name, None) as station:
        station.configuration = dict(SETTINGS)
        assert (await station.boot()).status == "Pending"
        house.secrets.add((await station.told("ChangeConfiguration"))["value"])
        await station.told("TriggerMessage")
        assert (await station.boot()).status == "Accepted"
        await station.status(1, "Available")
        code, shown = await asyncio.wait_for(watching, 60)
    assert code == 0, shown
    house.check_secrets(shown, "the terminal")
    assert f"type this URL into the charger: {house.ocpp_url}/ocpp/{name}" in shown
    assert f"by itself: {house.ocpp_url}/ocpp\n" in shown
    said = shown[shown.index("by itself") :].splitlines()[1:]
    assert (said[0], said[-1]) == ("connected, OCPP 1.6", f"{name} is ready")
    for line in (
        "booted: Nordlader Dual 22, firmware 1.0",
        "password set; it is needed from now on",
        "set up: HeartbeatInterval 60 -> 300",
        "status: connector 1 Available",
    ):
        assert line in said, shown


@pytest.mark.timeout(180)
async def test_what_is_asked_of_a_station_by_hand(
    house: House, terminal: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, tag = f"CS{fresh()}", f"TAG{fresh()}"
    code, shown = await terminal("add", name, "--password", PASSWORD)
    assert (code, f"/ocpp/{name}" in shown) == (0, True)
    assert "known already" in (await terminal("add", name))[1]
    assert "not connected" in (await terminal("reset", name))[1]
    assert "was never asked" in (await terminal("settings", name))[1]
    await give_own_token(house, tag)
    async with connected(house, name) as station:
        station.configuration = dict(SETTINGS)
        station.refuses = {("HeartbeatInterval", "1")}
        assert (await terminal("settings", name, "HeartbeatInterval=120"))[
            1
        ] == "HeartbeatInterval=120  accepted\n"
        assert await terminal("settings", name, "HeartbeatInterval=1") == (
            1,
            "HeartbeatInterval=1  rejected\n",
        )
        assert "expected KEY=VALUE" in (await terminal("settings", name, "HeartbeatInterval"))[1]
        code, shown = await terminal("settings", name, "--refresh")
        assert code == 0
        assert [line.split() for line in shown.splitlines()[1:3]] == [
            ["HeartbeatInterval", "120", "no"],
            ["SupportedFeatureProfiles", "Core", "yes"],
        ]
        assert await terminal("unlock", name, "1") == (0, "Unlocked\n")
        station.says["UnlockConnector"] = "UnlockFailed"
        assert await terminal("unlock", name, "1") == (1, "UnlockFailed\n")
        assert "NotImplemented" in (await terminal("reset", name, "--hard"))[1]

        assert await terminal("start", name, "1", tag) == (0, "ACCEPTED\n")
        assert "nothing is charging" in (await terminal("stop", name))[1]
        number = await station.start_charging(tag, ago(minutes=1))
        assert "nothing is charging at connector 2" in (await terminal("stop", name, "2"))[1]
        assert await terminal("stop", name) == (0, "ACCEPTED\n")
        assert (await station.told("RemoteStopTransaction"))["transaction_id"] == number
        await station.end(number, ago(), 500, tag)

        code, shown = await terminal("frames", name, "--limit", "4")
        lines = shown.splitlines()
        assert (code, len(lines)) == (0, 4)
        assert "<- StopTransaction [2," in lines[2]
        assert "-> StopTransaction [3," in lines[3]

        loop, pauses = asyncio.get_running_loop(), iter(range(2))

        def pause(_seconds: float) -> None:
            if next(pauses, None) is None:
                raise KeyboardInterrupt
            asyncio.run_coroutine_threadsafe(station.authorize(tag), loop).result(20)

        monkeypatch.setattr(station_calls, "time", SimpleNamespace(sleep=pause))
        code, shown = await terminal("frames", name, "--limit", "1", "--follow")
        assert code == 0
        assert [line.split()[1:3] for line in shown.splitlines()[1:]] == 2 * [
            ["<-", "Authorize"],
            ["->", "Authorize"],
        ]

    assert "nothing to change" in (await terminal("change", name))[1]
    assert await terminal("change", name, "--uid-order", "reversed") == (0, f"{name} is changed\n")
    assert (await house.admin.get(f"stations/{name}"))["uid_order"] == "reversed"
    assert "uid_order" in (await terminal("change", name, "--uid-order", "sideways"))[1]
    assert await terminal("remove", name, "--yes") == (0, f"{name} is gone\n")
    code, shown = await terminal("watch", name)
    assert (code, name in shown) == (1, True)
    assert json.loads((await terminal("list", "--json"))[1]) == []
