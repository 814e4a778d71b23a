"""A party that is measured against: the least that speaks HTTP, so that what it costs is the house's cost."""

import asyncio
from collections.abc import Callable
from typing import Any

import httptools
import orjson

STAMP = "2026-01-01T00:00:00Z"
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"


def success(data: Any = None) -> bytes:
    """An OCPI success, as it goes over the wire."""
    envelope = {"status_code": 1000, "timestamp": STAMP} | ({} if data is None else {"data": data})
    body = orjson.dumps(envelope)
    return _HEAD % (len(body), body)


class Connection(asyncio.Protocol):
    """One keep-alive connection; `answered` gives the answer to a method and URL, None to say nothing."""

    def __init__(self, answered: Callable[[bytes, bytes], bytes | None]) -> None:
        self._answered = answered
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._url = b""

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_message_complete(self) -> None:
        found = self._answered(self._parser.get_method(), self._url)
        if found is not None:
            self._transport.write(found)
