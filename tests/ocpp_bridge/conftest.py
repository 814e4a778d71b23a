"""A bridge over real sockets with doubles of the core behind it, and raw clients in front of it."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import websockets

from app.domain.stations import (
    Acknowledged,
    AuthorizeReport,
    BootAnswer,
    BootReport,
    Heartbeat,
    TimeAnswer,
    Unreadable,
)
from app.domain.tokens import Authorization, Verdict
from app.domain.transactions import StartAnswer, StopAnswer, TransactionEnded, TransactionStarted
from app.kit.clock import SystemClock
from app.kit.listeners import _config, _Server, open_listener
from app.services.intake.intake import Call, Line
from app.services.stations import Entry
from ocpp_bridge.context import BridgeContext
from ocpp_bridge.live import LiveStations
from ocpp_bridge.server import ocpp_app

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class IntakeDouble:
    """Keeps what it is given and answers at once, or only when told to."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.records: list[Any] = []
        self.lines: list[Line] = []
        self.gone: list[Line] = []
        self.held: list[Call] | None = None
        self.failing: Exception | None = None
        self.connecting: Exception | None = None

    async def connect(self, station_id: str, version: str) -> Line:
        if self.connecting is not None:
            raise self.connecting
        line = Line(station_id, version, len(self.lines) + 1)
        self.lines.append(line)
        return line

    async def disconnect(self, line: Line) -> None:
        self.gone.append(line)

    def take(self, call: Call) -> None:
        self.calls.append(call)
        if self.failing is not None:
            asyncio.get_running_loop().call_soon(call.done, call, self.failing)
        elif self.held is not None:
            self.held.append(call)
        else:
            asyncio.get_running_loop().call_soon(self.settle, call)

    def settle(self, call: Call) -> None:
        """The call's effect is committed, or could not be decided."""
        try:
            call.answer = call.reply(self.answer(call.report))
        except Exception as failure:  # noqa: BLE001 - the connection is told of whatever went wrong
            call.done(call, failure)
        else:
            call.done(call, None)

    def release(self) -> None:
        """Answer everything that was held back, and hold nothing back any more."""
        held, self.held = self.held or [], None
        for call in held:
            self.settle(call)

    def record(self, frame: Any) -> None:
        self.records.append(frame)

    @property
    def reports(self) -> list[Any]:
        return [call.report for call in self.calls]

    def answer(self, report: Any) -> Any:
        if isinstance(report, BootReport):
            return BootAnswer(status="Accepted", now=NOW, interval=300)
        if isinstance(report, Heartbeat):
            return TimeAnswer(now=NOW)
        if isinstance(report, AuthorizeReport):
            return Authorization(verdict=Verdict.ACCEPTED)
        if isinstance(report, TransactionStarted) or (
            isinstance(report, Unreadable) and report.action == "StartTransaction"
        ):
            return StartAnswer(transaction_id=4711, authorization=Authorization(verdict=Verdict.ACCEPTED))
        if isinstance(report, TransactionEnded):
            return StopAnswer()
        return Acknowledged()


class StationsDouble:
    """Lets everybody in unless told otherwise; keeps the passwords it saw."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.passwords: dict[str, bytes] = {}
        self.seen: list[tuple[str, bytes | None]] = []
        self.offered: list[str] = []
        self.settled: list[bool] = []
        self.failing: Exception | None = None

    async def admit(self, station_id: str, password: bytes | None) -> Entry:
        if self.failing is not None:
            raise self.failing
        self.seen.append((station_id, password))
        if station_id in self.passwords:
            right = self.passwords[station_id] == password
            return Entry.WELCOME if right else Entry.WRONG_PASSWORD
        return self.entries.get(station_id, Entry.WELCOME)

    async def offer_password(self, station_id: str) -> str:
        self.offered.append(station_id)
        return "00112233445566778899aabbccddeeff00112233"

    async def settle_adoption(self, _station_id: str, *, taken: bool) -> None:
        self.settled.append(taken)


class InboxDouble:
    """Keeps what it is told of refusals."""

    def __init__(self) -> None:
        self.refusals: list[tuple[str, dict[str, Any]]] = []

    def refused(self, station_id: str, **how: Any) -> None:
        self.refusals.append((station_id, how))


class Wire:
    """One raw WebSocket of a station: JSON frames in and out."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket

    async def send(self, frame: Any) -> None:
        await self.socket.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))

    async def receive(self) -> Any:
        return json.loads(await asyncio.wait_for(self.socket.recv(), 30))

    async def ask(self, frame: Any) -> Any:
        await self.send(frame)
        return await self.receive()

    async def alive(self) -> bool:
        """Whether the connection still answers, and answers nothing else first."""
        return (await self.ask([2, "alive", "Heartbeat", {}]))[:2] == [3, "alive"]

    async def closed(self) -> int:
        """Waits for the end and gives the close code."""
        await asyncio.wait_for(self.socket.wait_closed(), 30)
        return int(self.socket.close_code)


class Bridge:
    """A running bridge: its address, its doubles, its context."""

    def __init__(
        self,
        port: int,
        context: BridgeContext,
        intake: IntakeDouble,
        stations: StationsDouble,
        inbox: InboxDouble,
    ) -> None:
        self.url = f"ws://127.0.0.1:{port}/ocpp/"
        self.port = port
        self.context = context
        self.intake = intake
        self.stations = stations
        self.inbox = inbox

    @asynccontextmanager
    async def station(
        self, path: str = "CS1", *, password: str | None = None, **options: Any
    ) -> AsyncIterator[Wire]:
        """An open socket; closed at the end of the block."""
        headers = {"Authorization": basic(path, password)} if password is not None else {}
        settings: dict[str, Any] = {"subprotocols": ["ocpp1.6"], "max_size": None, "compression": None}
        settings |= {"additional_headers": headers} | options
        async with websockets.connect(self.url + path, **settings) as socket:
            yield Wire(socket)


def basic(user: str, password: str | bytes) -> str:
    """The value of an Authorization header."""
    secret = password if isinstance(password, bytes) else password.encode()
    return "Basic " + base64.b64encode(user.encode() + b":" + secret).decode()


@pytest.fixture
def basic_header() -> Callable[[str, str | bytes], str]:
    return basic


@pytest.fixture
async def bridge() -> AsyncIterator[Bridge]:
    """A bridge on a free port."""
    intake, stations, inbox, clock = IntakeDouble(), StationsDouble(), InboxDouble(), SystemClock()
    live = LiveStations(clock)
    context = BridgeContext(intake=intake, stations=stations, live=live, clock=clock, inbox=inbox)  # type: ignore[arg-type]
    async with serving(context) as port:
        yield Bridge(port, context, intake, stations, inbox)


@asynccontextmanager
async def serving(context: BridgeContext) -> AsyncIterator[int]:
    """The OCPP listener of the house with this bridge behind it."""
    listener = open_listener("127.0.0.1", 0, variable="VOLTBRIDGE_OCPP_PORT")
    server = _Server(_config(ocpp_app(context)))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.005)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task
        listener.close()


@pytest.fixture
def serve() -> Callable[[BridgeContext], Any]:
    """The OCPP listener for a context of the test's own."""
    return serving
