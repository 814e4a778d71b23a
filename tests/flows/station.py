"""Stations that are not of this house: the `ocpp` library's charge point, and bare sockets for odd frames."""

import asyncio
import base64
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import websockets
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from websockets.asyncio.client import ClientConnection

from tests.flows.house import House, until

PASSWORD = "stations-password-91b2"
LARGEST = 16 * 2**20


def ago(**duration: float) -> datetime:
    """A moment before now, on a whole second."""
    return (datetime.now(UTC) - timedelta(**duration)).replace(microsecond=0)


def stamp(at: datetime) -> str:
    """A time as stations write it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def sample(at: datetime, *values: dict[str, Any] | int | str) -> dict[str, Any]:
    """A meter value of OCPP; a bare number is the energy register in Wh."""
    full = [value if isinstance(value, dict) else {"value": str(value)} for value in values]
    return {"timestamp": stamp(at), "sampledValue": full}


class Station(ChargePoint):  # type: ignore[misc]  # the library has no types
    """A charge point of the `ocpp` library; it checks our answers and calls against the official schemas."""

    def __init__(self, station_id: str, socket: ClientConnection) -> None:
        super().__init__(station_id, socket, response_timeout=15)
        self.socket = socket
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.says: dict[str, str] = {}
        """What it answers to our calls, by action, where that is not the friendly answer."""
        self.pauses: dict[str, float] = {}
        """Seconds before it answers, by action."""
        self.configuration: dict[str, tuple[str, bool]] = {}
        """Its settings with their read-only flags, by key."""
        self.refuses: set[tuple[str, str]] = set()
        """Changes of settings that it rejects: key and value."""
        self.needs_reboot: set[str] = set()
        """Settings that count from the next boot on."""
        self.firmware = "1.0"

    async def boot(self) -> Any:
        return await self.say(
            call.BootNotification(
                "Dual 22",
                "Nordlader",
                charge_point_serial_number="NL-0001",
                meter_serial_number="M-1",
                firmware_version=self.firmware,
            )
        )

    async def authorize(self, tag: str) -> str:
        return str((await self.say(call.Authorize(tag))).id_tag_info["status"])

    async def status(self, connector: int, status: str, at: datetime | None = None, **more: Any) -> None:
        error = more.pop("error_code", "NoError")
        given = None if at is None else stamp(at)
        await self.say(call.StatusNotification(connector, error, status, timestamp=given, **more))

    async def begin(self, tag: str, at: datetime, wh: int = 0, connector: int = 1) -> Any:
        """StartTransaction; the whole answer."""
        return await self.say(call.StartTransaction(connector, tag, wh, stamp(at)))

    async def start_charging(self, tag: str, at: datetime, wh: int = 0, connector: int = 1) -> int:
        """StartTransaction of a driver who is let in; the number."""
        answer = await self.begin(tag, at, wh, connector)
        assert answer.id_tag_info["status"] == "Accepted", answer
        return int(answer.transaction_id)

    async def meter(self, number: int | None, *samples: dict[str, Any], connector: int = 1) -> None:
        await self.say(call.MeterValues(connector, list(samples), number))

    async def end(self, number: int, at: datetime, wh: int, tag: str | None = None, **more: Any) -> Any:
        """StopTransaction; the whole answer."""
        return await self.say(
            call.StopTransaction(
                meter_stop=wh, timestamp=stamp(at), transaction_id=number, id_tag=tag, **more
            )
        )

    async def say(self, payload: Any) -> Any:
        """A call that must be answered by a result."""
        return await self.call(payload, suppress=False)

    @on("RemoteStartTransaction")  # type: ignore[untyped-decorator]
    async def on_remote_start(self, **given: Any) -> Any:
        return call_result.RemoteStartTransaction(await self._said("RemoteStartTransaction", given))

    @on("RemoteStopTransaction")  # type: ignore[untyped-decorator]
    async def on_remote_stop(self, **given: Any) -> Any:
        return call_result.RemoteStopTransaction(await self._said("RemoteStopTransaction", given))

    @on("UnlockConnector")  # type: ignore[untyped-decorator]
    async def on_unlock(self, **given: Any) -> Any:
        return call_result.UnlockConnector(await self._said("UnlockConnector", given, "Unlocked"))

    @on("ReserveNow")  # type: ignore[untyped-decorator]
    async def on_reserve(self, **given: Any) -> Any:
        return call_result.ReserveNow(await self._said("ReserveNow", given))

    @on("CancelReservation")  # type: ignore[untyped-decorator]
    async def on_cancel(self, **given: Any) -> Any:
        return call_result.CancelReservation(await self._said("CancelReservation", given))

    async def _said(self, action: str, given: dict[str, Any], friendly: str = "Accepted") -> str:
        self.heard.append((action, given))
        await asyncio.sleep(self.pauses.get(action, 0))
        return self.says.get(action, friendly)

    async def told(self, action: str) -> dict[str, Any]:
        """The last call of this kind that it got, as soon as there is one."""
        found = await until(lambda: [given for name, given in self.heard if name == action])
        return dict(found[-1])

    @on("ChangeConfiguration")  # type: ignore[untyped-decorator]
    async def on_change_configuration(self, **given: Any) -> Any:
        key, value = given["key"], given["value"]
        answer = await self._said("ChangeConfiguration", given)
        if (key, value) in self.refuses:
            answer = "Rejected"
        elif answer == "Accepted":
            self.configuration[key] = (value, False)
            answer = "RebootRequired" if key in self.needs_reboot else answer
        return call_result.ChangeConfiguration(status=answer)

    @on("GetConfiguration")  # type: ignore[untyped-decorator]
    async def on_get_configuration(self, **given: Any) -> Any:
        self.heard.append(("GetConfiguration", given))
        wanted = given.get("key") or list(self.configuration)
        known = [key for key in wanted if key in self.configuration]
        return call_result.GetConfiguration(
            configuration_key=[
                {"key": key, "value": self.configuration[key][0], "readonly": self.configuration[key][1]}
                for key in known
            ],
            unknown_key=[key for key in wanted if key not in self.configuration] or ["Colour"],
        )

    @on("TriggerMessage")  # type: ignore[untyped-decorator]
    async def on_trigger(self, **given: Any) -> Any:
        return call_result.TriggerMessage(status=await self._said("TriggerMessage", given))


class Wire:
    """A bare socket: sends any frame, and gives the answers by message id."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._numbers = itertools.count(1)

    async def send(self, frame: str | bytes) -> None:
        await self.socket.send(frame)

    async def ask(self, frame: str | bytes, seconds: float = 15.0) -> Any:
        """Send a frame; the next frame that comes."""
        await self.socket.send(frame)
        async with asyncio.timeout(seconds):
            return json.loads(await self.socket.recv())

    async def call(self, action: str, payload: Any, message_id: str | None = None) -> Any:
        """A call with any payload: the payload of its answer, or the whole error frame."""
        message_id = message_id or f"w{next(self._numbers)}"
        answer = await self.ask(json.dumps([2, message_id, action, payload]))
        assert answer[1] == message_id, answer
        return answer[2] if answer[0] == 3 else answer

    async def alive(self) -> bool:
        """Whether the house still answers on this socket."""
        return "currentTime" in await self.call("Heartbeat", {})


def basic(station_id: str, password: str) -> dict[str, str]:
    """The Authorization header of a station."""
    return {"Authorization": "Basic " + base64.b64encode(f"{station_id}:{password}".encode()).decode()}


@asynccontextmanager
async def socket_of(
    house: House, station_id: str, password: str | None = PASSWORD, *, path: str = "", **more: Any
) -> AsyncIterator[ClientConnection]:
    """An open socket of a station; `path` in place of the right one."""
    options = {"subprotocols": ["ocpp1.6"], "max_size": LARGEST, "proxy": None, "open_timeout": 20} | more
    headers = {} if password is None else basic(station_id, password)
    async with websockets.connect(
        house.ocpp_url + (path or f"/ocpp/{station_id}"), additional_headers=headers, **options
    ) as socket:
        yield socket


@asynccontextmanager
async def wire(
    house: House, station_id: str, password: str | None = PASSWORD, **more: Any
) -> AsyncIterator[Wire]:
    """A station's bare socket."""
    async with socket_of(house, station_id, password, **more) as socket:
        yield Wire(socket)


@asynccontextmanager
async def connected(house: House, station_id: str, password: str | None = PASSWORD) -> AsyncIterator[Station]:
    """A station of the `ocpp` library, connected; it is gone at the end, without a word if the house is gone."""
    async with socket_of(house, station_id, password) as socket:
        station = Station(station_id, socket)
        running = asyncio.create_task(station.start())
        try:
            yield station
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError, websockets.ConnectionClosed):
                await running
