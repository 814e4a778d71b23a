"""The crowd: thousands of stations in one process. Run by `python -m bench.crowd`; prints one JSON document."""

import argparse
import asyncio
import base64
import gc
import itertools
import sys
import time
from array import array
from typing import Any

import orjson
import psutil
import uvloop
from picows import ws_connect

from bench import mix, processes
from bench.load import percentile
from bench.station import Station

_PATIENCE = 60.0
_CONNECTING_AT_ONCE = 64
_SETTLING_SECONDS = 2.0


class Crowd:
    """Stations that boot and report one status when they connect, and then only what they are told to."""

    def __init__(self, url: str, password: str, stations: int) -> None:
        self._url = url
        self._password = password
        self._waited: dict[str, asyncio.Future[None]] = {}
        stamp = mix.Stamp()
        self.stations = [Station(number, stamp, self._answered) for number in range(1, stations + 1)]
        self.times = array("d")
        self.errors = 0
        self._free: list[Station] = []
        self._steady = False

    async def arrive(self, stations: list[Station]) -> float:
        """Connect, boot and report; the seconds until the last of them was answered."""
        began = time.perf_counter()
        few = asyncio.Semaphore(_CONNECTING_AT_ONCE)

        async def one(station: Station) -> None:
            async with few:
                await ws_connect(
                    lambda: station, f"{self._url}/{station.id}", extra_headers=self._headers(station)
                )
                for kind in ("BootNotification", "StatusNotification"):
                    self._waited[station.id] = asyncio.get_running_loop().create_future()
                    station.say(kind)
                    await asyncio.wait_for(self._waited[station.id], _PATIENCE)

        await asyncio.gather(*(one(station) for station in stations))
        return time.perf_counter() - began

    async def steadily(self, rate: float, seconds: float) -> None:
        """So many messages a second in all, whoever is free next; answers are timed."""
        self._steady = True
        self._free = list(self.stations)
        kinds = itertools.cycle(mix.drawn(1))
        began = time.perf_counter()
        for number in itertools.count():
            due = began + number / rate
            if due - began > seconds:
                break
            if (pause := due - time.perf_counter()) > 0:
                await asyncio.sleep(pause)
            if self._free:
                self._free.pop(0).say(next(kinds))
        async with asyncio.timeout(_PATIENCE):
            while any(station.waiting for station in self.stations):
                await asyncio.sleep(0.01)

    def leave(self, stations: list[Station]) -> None:
        """Hang up."""
        for station in stations:
            station.close()

    def _headers(self, station: Station) -> list[tuple[str, str]]:
        pair = base64.b64encode(f"{station.id}:{self._password}".encode()).decode()
        return [("Sec-WebSocket-Protocol", "ocpp1.6"), ("Authorization", f"Basic {pair}")]

    def _answered(self, station: Station, _action: str, took: float, good: bool) -> None:
        self.errors += not good
        if self._steady:
            self.times.append(took)
            self._free.append(station)
        else:
            self._waited[station.id].set_result(None)


async def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Everyone arrives and idles; some come back in a storm; all of them talk steadily."""
    pids = {name: int(pid) for name, pid in (each.split("=") for each in arguments.pid)}
    app = psutil.Process(pids["app"])
    crowd = Crowd(arguments.url, arguments.password, arguments.stations)
    warm, rest = crowd.stations[:100], crowd.stations[100:]
    await crowd.arrive(warm)
    await asyncio.sleep(_SETTLING_SECONDS)
    before = app.memory_info().rss
    await crowd.arrive(rest)
    await asyncio.sleep(_SETTLING_SECONDS)
    idle = (app.memory_info().rss - before) / len(rest) / 1024
    again = crowd.stations[: arguments.storm]
    crowd.leave(again)
    await asyncio.sleep(_SETTLING_SECONDS)
    used = sum(processes.cpu_seconds(pid) for pid in pids.values())
    machine, own = processes.busy_seconds(), processes.own_cpu_seconds()
    seconds = await crowd.arrive(again)
    storm_cpu = sum(processes.cpu_seconds(pid) for pid in pids.values()) - used
    await asyncio.sleep(_SETTLING_SECONDS)
    began = time.perf_counter()
    await crowd.steadily(arguments.rate, arguments.seconds)
    talked = time.perf_counter() - began
    used = sum(processes.cpu_seconds(pid) for pid in pids.values()) - used
    machine, own = processes.busy_seconds() - machine, processes.own_cpu_seconds() - own
    times = sorted(crowd.times)
    crowd.leave(crowd.stations)
    await asyncio.sleep(0.5)
    return {
        "idle_kib": idle,
        "storm_rate": len(again) / seconds,
        "storm_cpu_ms": storm_cpu / len(again) * 1000,
        "p50_ms": (percentile(times, 0.50) or 0) * 1000,
        "p99_ms": (percentile(times, 0.99) or 0) * 1000,
        "rate": len(times) / talked,
        "errors": crowd.errors,
        "others_cores": max(0.0, (machine - own - used) / (seconds + _SETTLING_SECONDS + talked)),
    }


def main() -> None:
    """Measure as the arguments say and print the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--stations", type=int, required=True)
    parser.add_argument("--storm", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--core", type=int)
    parser.add_argument("--pid", action="append", default=[], help="name=pid, may be repeated")
    arguments = parser.parse_args()
    processes.stay_on(arguments.core)
    gc.disable()
    sys.stdout.buffer.write(orjson.dumps(uvloop.run(measure(arguments))) + b"\n")


if __name__ == "__main__":
    main()
