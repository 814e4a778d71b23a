"""A small OCPP-J client: one call at a time towards the server, whose own calls are answered meanwhile."""

import asyncio
import base64
import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import websockets

ANSWER_SECONDS = 30.0

Handler = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]


class CallFailed(Exception):
    """The server answered with an error, or not in time."""


class Gone(Exception):
    """The connection is lost; what was asked may or may not have been heard."""


class NotSupported(Exception):
    """A handler's way to say that the station cannot do this; `str()` is the OCPP-J error code."""


class Client:
    """One connection. `run` reads until it ends; `call` asks the server."""

    def __init__(self, socket: Any, handler: Handler) -> None:
        self._socket = socket
        self._handler = handler
        self._turn = asyncio.Lock()
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}

    @classmethod
    async def open(cls, url: str, station_id: str, password: str | None, handler: Handler) -> "Client":
        """Connects as a station. Raises OSError or websockets' exceptions."""
        headers = {}
        if password is not None:
            pair = base64.b64encode(f"{station_id}:{password}".encode()).decode()
            headers["Authorization"] = f"Basic {pair}"
        socket = await websockets.connect(
            f"{url.rstrip('/')}/{station_id}",
            subprotocols=[websockets.Subprotocol("ocpp1.6")],
            additional_headers=headers,
            max_size=2**20,
            compression=None,
        )
        return cls(socket, handler)

    async def call(
        self, action: str, payload: dict[str, Any], message_id: str | None = None
    ) -> dict[str, Any]:
        """The server's answer. Raises CallFailed (error or timeout) or Gone."""
        async with self._turn:
            message_id = message_id or str(uuid.uuid4())
            answer = asyncio.get_running_loop().create_future()
            self._waiting[message_id] = answer
            try:
                await self._send([2, message_id, action, payload])
                async with asyncio.timeout(ANSWER_SECONDS):
                    result: dict[str, Any] = await answer
                    return result
            except TimeoutError:
                raise CallFailed("no answer") from None
            finally:
                self._waiting.pop(message_id, None)

    async def run(self) -> None:
        """Reads frames until the connection ends; then every open question fails with Gone."""
        try:
            async for text in self._socket:
                await self._heed(json.loads(text))
        except websockets.ConnectionClosed:
            pass
        finally:
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(Gone())

    async def close(self) -> None:
        """Says goodbye."""
        await self._socket.close()

    async def _heed(self, frame: list[Any]) -> None:
        if frame[0] == 2:
            await self._answer(frame[1], frame[2], frame[3])
            return
        answer = self._waiting.get(frame[1])
        if answer is None or answer.done():
            return
        if frame[0] == 3:
            answer.set_result(frame[2])
        else:
            answer.set_exception(CallFailed(f"{frame[2]}: {frame[3]}"))

    async def _answer(self, message_id: str, action: str, payload: dict[str, Any]) -> None:
        try:
            result = await self._handler(action, payload)
        except NotSupported as refusal:
            await self._send([4, message_id, str(refusal), "", {}])
        else:
            await self._send([3, message_id, result])

    async def _send(self, frame: list[Any]) -> None:
        try:
            await self._socket.send(json.dumps(frame, separators=(",", ":")))
        except websockets.ConnectionClosed:
            raise Gone from None
