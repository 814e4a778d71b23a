"""The push load: stations that change their status, and partners that are told, in one process with one clock.

Run by `python -m bench.pushes` as a process of its own; prints one JSON document.
"""

import argparse
import asyncio
import gc
import sys
import time
from array import array
from collections import Counter, deque
from typing import Any

import orjson
import uvloop

from bench import processes
from bench.load import Load, percentile
from bench.partner import Partner
from bench.station import Station

_STATUSES = {b"Available": "AVAILABLE", b"Charging": "CHARGING", b"Unavailable": "INOPERATIVE"}
_PATIENCE = 30.0
_SETTLED = 1.0


class Changing(Load):
    """Stations that say a new status each time, at a steady rate or as fast as they are answered."""

    def __init__(self, url: str, stations: int, password: str, partners: int) -> None:
        super().__init__(url, stations, password, seed=1)
        self.partners = [Partner(number, self._told) for number in range(partners)]
        self.now_is: dict[str, str] = {}
        """What each station said last and was acknowledged or is under way, by EVSE."""
        self.seen: dict[tuple[int, str], str] = {}
        self.changes = self.pushes = self.doubled = self.whole = 0
        self._under_way: dict[tuple[int, str], deque[tuple[str, float]]] = {}
        self._bodies: dict[tuple[int, str], bytes] = {}
        self._turn: Counter[int] = Counter()
        self._closed_loop = False

    async def register(self, invitations: list[dict[str, str]]) -> None:
        """Every partner registers and is told of all locations first."""
        for partner, invited in zip(self.partners, invitations, strict=True):
            await partner.register(invited["versions_url"], invited["token_a"])
        deadline = time.perf_counter() + _PATIENCE
        while self.whole < len(self.partners) * len(self.stations) and time.perf_counter() < deadline:
            await asyncio.sleep(0.1)
        await asyncio.sleep(_SETTLED)

    async def steadily(self, rate: float, seconds: float) -> None:
        """So many changes a second, by one station after the other."""
        for station in self.stations:
            station._answered = self._answered
        began = time.perf_counter()
        for number in range(round(rate * seconds)):
            wait = began + number / rate - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            self._change(self.stations[number % len(self.stations)])

    async def storm(self, seconds: float) -> None:
        """Every station says its next status as soon as the last one is answered."""
        self._closed_loop = True
        for station in self.stations:
            station._answered = self._answered
            self._change(station)
        await asyncio.sleep(seconds)
        self._closed_loop = False

    async def until_told(self) -> int:
        """Wait until every partner knows the last status of every EVSE; how many it was never told."""
        deadline = time.perf_counter() + _PATIENCE
        while self._untold() and time.perf_counter() < deadline:
            await asyncio.sleep(0.01)
        return self._untold()

    def _untold(self) -> int:
        numbers = range(len(self.partners))
        return sum(self.seen.get((n, evse)) != said for evse, said in self.now_is.items() for n in numbers)

    def _change(self, station: Station) -> None:
        turn = self._turn[station.number] = (self._turn[station.number] + 1) % len(_STATUSES)
        word, told = list(_STATUSES.items())[turn]
        evse = f"E{station.number}"
        self.now_is[evse] = told
        for partner in self.partners:
            waiting = self._under_way.setdefault((partner.number, evse), deque())
            waiting.append((told, time.perf_counter()))
        self.changes += 1
        station.tell(word)

    def _answered(self, station: Station, _action: str, _took: float, good: bool) -> None:
        if not good:
            self.errors["StatusNotification"] += 1
        if self._closed_loop:
            self._change(station)

    def _told(self, partner: Partner, method: str, path: str, body: bytes, at: float) -> None:
        if method != "PATCH":
            self.whole += 1
            return
        key = (partner.number, path.rsplit("/", 1)[1])
        self.pushes += 1
        if self._bodies.get(key) == body:
            self.doubled += 1
        self._bodies[key] = body
        status = self.seen[key] = orjson.loads(body)["status"]
        waiting = self._under_way.get(key)
        # The newest change to this status is the one told; older ones were overtaken by it.
        while waiting and any(said == status for said, _ in waiting):
            said, since = waiting.popleft()
            if said == status and not any(later == status for later, _ in waiting):
                self.times.append(at - since)


async def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Register, connect, change, wait until everything is told."""
    asked = orjson.loads(sys.stdin.read())
    load = Changing(arguments.url, arguments.stations, arguments.password, len(asked["invitations"]))
    await load.connect()
    await load.register(asked["invitations"])
    load.times, load.pushes = array("d"), 0
    pids: dict[str, int] = asked["pids"]
    before = {name: processes.cpu_seconds(pid) for name, pid in pids.items()}
    own, machine, began = processes.own_cpu_seconds(), processes.busy_seconds(), time.perf_counter()
    if arguments.rate:
        await load.steadily(arguments.rate, arguments.seconds)
    else:
        await load.storm(arguments.seconds)
    untold = await load.until_told()
    wall = time.perf_counter() - began
    own, machine = processes.own_cpu_seconds() - own, processes.busy_seconds() - machine
    used = {name: processes.cpu_seconds(pid) - before[name] for name, pid in pids.items()}
    await load.finish()
    for partner in load.partners:
        partner.close()
    times = sorted(load.times)
    return {
        "changes": load.changes,
        "pushes": load.pushes,
        "seconds": wall,
        "cpu_seconds": used,
        "p50_ms": (percentile(times, 0.50) or 0) * 1000,
        "p99_ms": (percentile(times, 0.99) or 0) * 1000,
        "untold": untold,
        "doubled": load.doubled,
        "errors": dict(load.errors),
        "load_cpu_share": own / wall,
        "others_cores": max(0.0, (machine - own - sum(used.values())) / wall),
    }


def main() -> None:
    """Measure as the arguments say; invitations and process ids come as JSON on stdin."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--stations", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rate", type=float, default=0, help="changes a second; 0: as fast as answered")
    parser.add_argument("--password", default="bench-password")
    parser.add_argument("--core", type=int)
    arguments = parser.parse_args()
    processes.stay_on(arguments.core)
    gc.freeze()
    gc.disable()
    sys.stdout.buffer.write(orjson.dumps(uvloop.run(measure(arguments))) + b"\n")


if __name__ == "__main__":
    main()
