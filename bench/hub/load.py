"""The load on a relay: one PATCH after the other over kept connections (`python -m bench.hub.load [CORE]`, stdin JSON)."""

import asyncio
import json
import sys
import time
from typing import Any

import httptools
import orjson
import uvloop

from bench import processes
from bench.load import percentile

_CONNECTIONS = 16


class Connection(asyncio.Protocol):
    """One connection; `ask` gives seconds until the answer, None for one that is not OCPI 1000."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._answered: asyncio.Future[float | None]
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._body = b""

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        good = b'"status_code":1000' in self._body
        self._answered.set_result(time.perf_counter() - self._began if good else None)

    async def ask(self, request: bytes) -> float | None:
        """One request."""
        self._answered = asyncio.get_running_loop().create_future()
        self._began = time.perf_counter()
        self._transport.write(request)
        return await self._answered


async def measure(asked: dict[str, Any]) -> dict[str, Any]:
    """Ask for so many seconds: as many at a time as `at_once` says, or so many a second as `rate` says."""
    host, _, path = asked["url"].removeprefix("http://").partition("/")
    body = asked["body"].encode()
    named = {"Host": host, "Content-Length": str(len(body)), **asked["headers"]}
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    request = f"PATCH /{path} HTTP/1.1\r\n{lines}\r\n".encode() + body
    address, _, port = host.partition(":")
    loop = asyncio.get_running_loop()
    count = asked["at_once"] or _CONNECTIONS
    free: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
    for _ in range(count):
        _, connection = await loop.create_connection(Connection, address, int(port))
        free.put_nowait(connection)
    times: list[float | None] = []
    pid = asked["pid"]
    before, began = processes.cpu_seconds(pid) if pid else 0.0, time.perf_counter()
    ends = began + asked["seconds"]

    async def one() -> None:
        connection = await free.get()
        times.append(await connection.ask(request))
        free.put_nowait(connection)

    async def steadily() -> None:
        while time.perf_counter() < ends:
            await one()

    if asked["rate"]:
        tasks = []
        while (now := time.perf_counter()) < ends:
            tasks.append(loop.create_task(one()))
            await asyncio.sleep(max(0.0, began + len(tasks) / asked["rate"] - now))
        await asyncio.gather(*tasks)
    else:
        await asyncio.gather(*(steadily() for _ in range(count)))
    seconds = time.perf_counter() - began
    used = processes.cpu_seconds(pid) - before if pid else 0.0
    good = sorted(each for each in times if each is not None)
    return {
        "requests": len(times),
        "errors": len(times) - len(good),
        "seconds": seconds,
        "cpu_seconds": used,
        "p50_ms": (percentile(good, 0.50) or 0) * 1000,
        "p99_ms": (percentile(good, 0.99) or 0) * 1000,
    }


def main() -> None:
    """Measure as standard input says and print the result."""
    processes.stay_on(int(sys.argv[1]) if len(sys.argv) > 1 else None)
    sys.stdout.buffer.write(orjson.dumps(uvloop.run(measure(json.load(sys.stdin)))) + b"\n")


if __name__ == "__main__":
    main()
