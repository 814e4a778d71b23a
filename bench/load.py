"""The load: all stations in one process, each sending its next call as soon as the last one is answered.

Run as a process of its own (`python -m bench.load`); prints one JSON document.
"""

import argparse
import asyncio
import base64
import gc
import itertools
import sys
import time
from array import array
from collections import Counter
from typing import Any

import orjson
import uvloop
from picows import ws_connect

from bench import mix, processes
from bench.station import Station

_PATIENCE = 30.0
_CONNECTING_AT_ONCE = 16


class Load:
    """Stations under closed-loop load, and what is measured of them between `begin` and `end`."""

    def __init__(self, url: str, stations: int, password: str, seed: int) -> None:
        self._url = url
        self._password = password
        self._kinds = itertools.cycle(mix.drawn(seed))
        stamp = mix.Stamp()
        self.stations = [Station(number, stamp, self._first) for number in range(1, stations + 1)]
        self.errors: Counter[str] = Counter()
        self.times = array("d")
        self._measuring = False
        self._stopping = False
        self._said: dict[str, asyncio.Future[bool]] = {}

    async def connect(self) -> None:
        """Open every socket, boot, and report the connector."""
        few = asyncio.Semaphore(_CONNECTING_AT_ONCE)

        async def one(station: Station) -> None:
            async with few:
                await ws_connect(
                    lambda: station, f"{self._url}/{station.id}", extra_headers=self._headers(station)
                )
                for kind in ("BootNotification", "StatusNotification"):
                    self._said[station.id] = asyncio.get_running_loop().create_future()
                    station.say(kind)
                    if not await asyncio.wait_for(self._said[station.id], _PATIENCE):
                        raise RuntimeError(f"{station.id}: {kind} was refused")

        await asyncio.gather(*(one(station) for station in self.stations))

    def start(self) -> None:
        """Every station begins to talk."""
        for station in self.stations:
            station._answered = self._next
            station.say(next(self._kinds))

    def begin(self) -> None:
        """From now on answers count."""
        self._measuring = True

    def end(self) -> None:
        """Answers do not count any more."""
        self._measuring = False

    async def finish(self) -> int:
        """Let every call be answered and hang up; how many never were."""
        self._stopping = True
        deadline = time.perf_counter() + _PATIENCE
        while any(s.waiting and s.alive for s in self.stations) and time.perf_counter() < deadline:
            await asyncio.sleep(0.02)
        unanswered = sum(1 for station in self.stations if station.waiting)
        for station in self.stations:
            station.close()
        await asyncio.sleep(0.2)
        return unanswered

    def _headers(self, station: Station) -> list[tuple[str, str]]:
        pair = base64.b64encode(f"{station.id}:{self._password}".encode()).decode()
        return [("Sec-WebSocket-Protocol", "ocpp1.6"), ("Authorization", f"Basic {pair}")]

    def _first(self, station: Station, _action: str, _took: float, good: bool) -> None:
        self._said[station.id].set_result(good)

    def _next(self, station: Station, action: str, took: float, good: bool) -> None:
        if not good:
            self.errors[action] += 1
        elif self._measuring:
            self.times.append(took)
        if not self._stopping:
            station.say(next(self._kinds))


def percentile(ordered: list[float], share: float) -> float | None:
    """The value that this share of an ordered list does not exceed."""
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))] if ordered else None


async def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """One run: connect, warm up, measure, let everything be answered."""
    pids = {name: int(pid) for name, pid in (each.split("=") for each in arguments.pid)}
    load = Load(arguments.url, arguments.stations, arguments.password, arguments.seed)
    await load.connect()
    load.start()
    await asyncio.sleep(arguments.warmup)
    before = {name: processes.cpu_seconds(pid) for name, pid in pids.items()}
    own, machine, began = processes.own_cpu_seconds(), processes.busy_seconds(), time.perf_counter()
    load.begin()
    await asyncio.sleep(arguments.seconds)
    load.end()
    wall = time.perf_counter() - began
    own, machine = processes.own_cpu_seconds() - own, processes.busy_seconds() - machine
    used = {name: processes.cpu_seconds(pid) - before[name] for name, pid in pids.items()}
    unanswered = await load.finish()
    times = sorted(load.times)
    return {
        "messages": len(times),
        "seconds": wall,
        "cpu_seconds": used,
        "p50_ms": (percentile(times, 0.50) or 0) * 1000,
        "p99_ms": (percentile(times, 0.99) or 0) * 1000,
        "load_cpu_share": own / wall,
        "others_cores": max(0.0, (machine - own - sum(used.values())) / wall),
        "errors": dict(load.errors),
        "unanswered": unanswered,
        "acknowledged": {station.id: station.acknowledged for station in load.stations},
        "stopped": {station.id: station.stopped for station in load.stations},
    }


def main() -> None:
    """Measure as the arguments say and print the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True, help="ws://host:port/path, the station's id is added")
    parser.add_argument("--stations", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--warmup", type=float, default=2)
    parser.add_argument("--password", default="bench-password")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--core", type=int)
    parser.add_argument("--pid", action="append", default=[], help="name=pid, may be repeated")
    arguments = parser.parse_args()
    processes.stay_on(arguments.core)
    gc.freeze()
    gc.disable()
    sys.stdout.buffer.write(orjson.dumps(uvloop.run(measure(arguments))) + b"\n")


if __name__ == "__main__":
    main()
