"""The list load: a few keep-alive connections that ask for the same page again and again, each waiting its turn.

Run by `python -m bench.lists` as a process of its own; prints one JSON document.
"""

import argparse
import asyncio
import sys
import time
from array import array
from typing import Any
from urllib.parse import urlsplit

import httptools
import orjson
import uvloop

from bench import processes
from bench.load import percentile


class Asker(asyncio.Protocol):
    """One connection: sends the request as soon as the last answer is whole."""

    def __init__(self, request: bytes) -> None:
        self.times = array("d")
        self.errors = 0
        self.sizes: set[int] = set()
        self.headers: dict[str, str] = {}
        self.stopping = False
        self._request = request
        self._size = 0
        self._since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode().lower()] = value.decode()

    def on_body(self, body: bytes) -> None:
        self._size += len(body)

    def on_message_complete(self) -> None:
        self.times.append(time.perf_counter() - self._since)
        self.errors += self._parser.get_status_code() != 200
        self.sizes.add(self._size)
        if not self.stopping:
            self._ask()

    def _ask(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._size = 0
        self._since = time.perf_counter()
        self._transport.write(self._request)


async def measure(asked: dict[str, Any], seconds: float, warmup: float, connections: int) -> dict[str, Any]:
    """Ask for `warmup` seconds, then for as long as is measured."""
    url = urlsplit(asked["url"])
    head = [f"GET {url.path}?{url.query} HTTP/1.1", f"Host: {url.netloc}"]
    head += [f"{name}: {value}" for name, value in asked["headers"].items()]
    request = ("\r\n".join(head) + "\r\n\r\n").encode()
    loop = asyncio.get_running_loop()
    askers = [
        (await loop.create_connection(lambda: Asker(request), url.hostname, url.port))[1]
        for _ in range(connections)
    ]
    await asyncio.sleep(warmup)
    for asker in askers:
        asker.times = array("d")
    before = {name: processes.cpu_seconds(pid) for name, pid in asked["pids"].items()}
    own, machine, began = processes.own_cpu_seconds(), processes.busy_seconds(), time.perf_counter()
    await asyncio.sleep(seconds)
    wall = time.perf_counter() - began
    times = sorted(took for asker in askers for took in asker.times)
    used = {name: processes.cpu_seconds(pid) - before[name] for name, pid in asked["pids"].items()}
    own, machine = processes.own_cpu_seconds() - own, processes.busy_seconds() - machine
    for asker in askers:
        asker.stopping = True
    return {
        "pages": len(times),
        "seconds": wall,
        "cpu_seconds": used,
        "p50_ms": (percentile(times, 0.50) or 0) * 1000,
        "p99_ms": (percentile(times, 0.99) or 0) * 1000,
        "bytes": max(size for asker in askers for size in asker.sizes),
        "errors": sum(asker.errors for asker in askers),
        "headers": askers[0].headers,
        "load_cpu_share": own / wall,
        "others_cores": max(0.0, (machine - own - sum(used.values())) / wall),
    }


def main() -> None:
    """Measure as the arguments say; the URL, headers and process ids come as JSON on stdin."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--warmup", type=float, default=1)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--core", type=int)
    arguments = parser.parse_args()
    processes.stay_on(arguments.core)
    asked = orjson.loads(sys.stdin.read())
    measured = uvloop.run(measure(asked, arguments.seconds, arguments.warmup, arguments.connections))
    sys.stdout.buffer.write(orjson.dumps(measured) + b"\n")


if __name__ == "__main__":
    main()
