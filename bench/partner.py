"""An eMSP that costs next to nothing: it registers by the real handshake and takes whatever it is told."""

import asyncio
import base64
import secrets
import time
from collections.abc import Callable
from typing import Any

import httptools
import httpx
import orjson

_TAKEN = b'{"status_code":1000,"timestamp":"2026-01-01T00:00:00Z"}'
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"

Told = Callable[["Partner", str, str, bytes, float], None]
"""Called with the partner, method, path, body and the time (perf_counter) of every push."""


class Partner:
    """A platform with one eMSP party that takes locations; `told` hears of every push, at once."""

    def __init__(self, number: int, told: Told) -> None:
        self.number = number
        self.token = ""
        """The token that works at the house, once registered."""
        self._told = told
        self._own_token = secrets.token_urlsafe(24)
        self._base = ""
        self._server: asyncio.Server | None = None

    async def register(self, versions_url: str, token_a: str) -> None:
        """Listen, then POST our credentials; the house calls back while that request is open."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0)
        self._base = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        async with httpx.AsyncClient(headers=authorization(token_a)) as client:
            versions = (await client.get(versions_url)).json()["data"]
            url = next(each["url"] for each in versions if each["version"] == "2.2.1")
            endpoints = (await client.get(url)).json()["data"]["endpoints"]
            credentials = next(each["url"] for each in endpoints if each["identifier"] == "credentials")
            answer = (await client.post(credentials, json=self._credentials())).json()
        if answer["status_code"] != 1000:
            raise RuntimeError(f"the handshake failed: {answer}")
        self.token = answer["data"]["token"]

    def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    def answer(self, method: str, path: str, body: bytes) -> bytes:
        """What we say to a request."""
        if method == "GET":
            return orjson.dumps({"status_code": 1000, "timestamp": _STAMP, "data": self._shown(path)})
        self._told(self, method, path, body, time.perf_counter())
        return _TAKEN

    def _shown(self, path: str) -> Any:
        if path == "/versions":
            return [{"version": "2.2.1", "url": f"{self._base}/2.2.1"}]
        offered = [("credentials", "SENDER"), ("credentials", "RECEIVER"), ("locations", "RECEIVER")]
        endpoints = [
            {"identifier": module, "role": role, "url": f"{self._base}/2.2.1/{module}"}
            for module, role in offered
        ]
        return {"version": "2.2.1", "endpoints": endpoints}

    def _credentials(self) -> dict[str, Any]:
        role = {
            "role": "EMSP",
            "country_code": "DE",
            "party_id": f"B{self.number:02d}",
            "business_details": {"name": "Bench"},
        }
        return {"token": self._own_token, "url": f"{self._base}/versions", "roles": [role]}


_STAMP = "2026-01-01T00:00:00Z"


class _Connection(asyncio.Protocol):
    """One keep-alive connection of the house to us."""

    def __init__(self, partner: Partner) -> None:
        self._partner = partner
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._url = self._body = b""

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        method = self._parser.get_method().decode()
        answer = self._partner.answer(method, self._url.decode(), self._body)
        self._transport.write(_HEAD % (len(answer), answer))


def authorization(token: str) -> dict[str, str]:
    """The header under which this token is presented."""
    return {"Authorization": "Token " + base64.b64encode(token.encode()).decode()}
