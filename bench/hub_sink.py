"""The receiver behind a relay (`python -m bench.hub_sink PORT`): versions, details and credentials, and OK to all else."""

import asyncio
import sys
from typing import Any

import httptools
import orjson
import uvloop

STAMP = "2026-01-01T00:00:00Z"
_OK = b'{"status_code":1000,"timestamp":"2026-01-01T00:00:00Z"}'
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
_TAKEN = _HEAD % (len(_OK), _OK)


class Sink(asyncio.Protocol):
    """One keep-alive connection."""

    base = ""

    def __init__(self) -> None:
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
        if self._parser.get_method() == b"GET":
            body = orjson.dumps({"status_code": 1000, "timestamp": STAMP, "data": self._shown()})
            self._transport.write(_HEAD % (len(body), body))
        else:
            self._transport.write(_TAKEN)

    def _shown(self) -> Any:
        if self._url == b"/versions":
            return [{"version": "2.2.1", "url": f"{self.base}/2.2.1"}]
        offered = [("credentials", "SENDER"), ("locations", "RECEIVER"), ("locations", "SENDER")]
        endpoints = [
            {"identifier": module, "role": role, "url": f"{self.base}/2.2.1/{module}"}
            for module, role in offered
        ]
        return {"version": "2.2.1", "endpoints": endpoints}


async def _serve(port: int) -> None:
    Sink.base = f"http://127.0.0.1:{port}"
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
