"""The raw ASGI app behind the OCPP port: a handshake is refused in readable HTTP, or a station's socket opens."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from app.domain.errors import NotFound
from app.kit import logs
from app.kit.protocols import FRAMES
from app.services.intake.intake import Line, Unanswered
from app.services.stations import Entry
from app.store.database.errors import StoreUnavailable
from ocpp_bridge import handshake
from ocpp_bridge.context import BridgeContext
from ocpp_bridge.handshake import Limits, Pace, Refusal
from ocpp_bridge.server.connection import Connection, Wire

MOST_HANDSHAKES = 256
"""Handshakes under way at the same time; more are told to come back."""
NO_COMMON_VERSION = 1002

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_log = logs.get("ocpp.server")


def ocpp_app(context: BridgeContext) -> App:
    """The ASGI app: WebSocket upgrades on /ocpp/{station id}; any other request gets a readable refusal."""
    door = _Door(context)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await door.knock(scope, receive, send)
        elif scope["type"] == "http":
            known = handshake.station_id(scope["raw_path"]) is not None
            await _answer_http(send, handshake.NO_UPGRADE if known else handshake.UNKNOWN_PATH)

    return app


class _Door:
    """Lets stations in, one handshake at a time each, few enough at once."""

    def __init__(self, context: BridgeContext) -> None:
        self._context = context
        self._limits = Limits(context.clock)
        self._under_way = 0

    async def knock(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        name = handshake.station_id(scope["raw_path"])
        if name is None:
            await _refuse(send, handshake.UNKNOWN_PATH)
            return
        verdict = await self._verdict(scope, name)
        if isinstance(verdict, Refusal):
            _log.info("a station was refused", station=name, status=verdict.status, reason=verdict.text)
            await _refuse(send, verdict)
            return
        await self._open(name, scope, receive, send, adopting=verdict is Entry.ADOPTION)

    async def _verdict(self, scope: Scope, name: str) -> Entry | Refusal:
        if self._under_way >= MOST_HANDSHAKES:
            return handshake.BUSY
        self._under_way += 1
        try:
            return await self._judge(scope, name)
        except StoreUnavailable:
            return handshake.NO_STORE
        finally:
            self._under_way -= 1

    async def _judge(self, scope: Scope, name: str) -> Entry | Refusal:
        live = self._context.live
        address = scope["client"][0] if scope.get("client") else ""
        pace = self._limits.pace(address, name)
        if pace is Pace.REFUSE:
            self._note(scope, name, address, "too many attempts")
            return handshake.TOO_MANY
        if live.flapping(name):
            self._note(scope, name, address, "two devices with one name")
            return handshake.TOO_MANY
        password, in_order = handshake.basic_password(scope["headers"], name)
        entry = await self._context.stations.admit(name, password) if in_order else Entry.WRONG_PASSWORD
        if entry is Entry.WELCOME:
            self._limits.succeeded(address, name)
            return entry
        if entry is Entry.ADOPTION and live.get(name) is None:
            return entry
        self._note(scope, name, address, entry)
        if entry in (Entry.UNKNOWN, Entry.PENDING, Entry.REJECTED):
            return handshake.UNKNOWN_STATION
        self._limits.failed(address, name)
        return await self._wrong(pace)

    def _note(self, scope: Scope, name: str, address: str, reason: str) -> None:
        """For the operator, who sees in the inbox who was refused and why."""
        self._context.inbox.refused(
            name,
            address=address,
            subprotocols=scope["subprotocols"],
            credentials=handshake.credentials(scope["headers"], name),
            reason=reason,
        )

    async def _wrong(self, pace: Pace) -> Refusal:
        if pace is Pace.NORMAL:
            return handshake.UNAUTHORIZED
        self._limits.slow += 1
        try:
            await asyncio.sleep(self._limits.SLOW_SECONDS)
        finally:
            self._limits.slow -= 1
        return handshake.TOO_MANY

    async def _open(self, name: str, scope: Scope, receive: Receive, send: Send, *, adopting: bool) -> None:
        version = handshake.common_version(scope["subprotocols"])
        if version is None:
            await send({"type": "websocket.accept"})
            await send(
                {"type": "websocket.close", "code": NO_COMMON_VERSION, "reason": "no common subprotocol"}
            )
            return
        try:
            line = await self._context.intake.connect(name, version.removeprefix("ocpp"))
        except (StoreUnavailable, Unanswered):
            await _refuse(send, handshake.NO_STORE)
            return
        except NotFound:
            await _refuse(send, handshake.UNKNOWN_STATION)
            return
        try:
            await send({"type": "websocket.accept", "subprotocol": version})
            wire: Wire = scope["extensions"][FRAMES]
            connection = Connection(self._context, line, wire, receive, send, adopting=adopting)
            await self._serve(connection, line)
        except OSError:
            await self._farewell(line)  # the station was gone before it was let in

    async def _serve(self, connection: Connection, line: Line) -> None:
        """A station counts as live until its leaving is committed: whoever waits for all to leave waits for that."""
        live = self._context.live
        live.join(connection)
        try:
            await connection.run()
        finally:
            try:
                await self._farewell(line)
            finally:
                live.leave(connection)

    async def _farewell(self, line: Line) -> None:
        try:
            await self._context.intake.disconnect(line)
        except (StoreUnavailable, Unanswered, NotFound) as error:
            _log.warning("a lost socket was not noted", station=line.station_id, reason=str(error))


async def _refuse(send: Send, refusal: Refusal) -> None:
    """Denies a WebSocket upgrade with an HTTP answer (ASGI extension websocket.http.response)."""
    await _say(send, refusal, "websocket.http.response")


async def _answer_http(send: Send, refusal: Refusal) -> None:
    await _say(send, refusal, "http.response")


async def _say(send: Send, refusal: Refusal, kind: str) -> None:
    body = refusal.text.encode() + b"\n"
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        *refusal.headers,
    ]
    await send({"type": f"{kind}.start", "status": refusal.status, "headers": headers})
    await send({"type": f"{kind}.body", "body": body})
