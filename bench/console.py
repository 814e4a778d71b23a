"""`python -m bench.console`: what people who look at the console cost the server, and how quick its list of stations is."""

import argparse
import asyncio
import json
import re
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import uuid4

import httpx
from rich import box
from rich.console import Console
from rich.table import Table
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from bench import house, processes

CONSOLE = Console(width=120)
TOKEN = "bench-admin-token-of-the-console"
CHUNK = 5000
SETTLING = 12.0
"""Seconds after which pages that were just opened have been sent whole."""
BUSY_SECONDS = 180.0
"""How long a session is waited for."""
AIM_PERCENT = 10.0
AIM_SECONDS = 1.0

LISTS: dict[str, dict[str, Any]] = {
    "first page": {},
    "last page": {"offset": -50},
    "part of a name": {"search": "bench0777"},
    "nothing found": {"search": "no such station"},
    "by status": {"status": "Charging"},
    "by model": {"model": "Demo"},
    "by location": {"location": "DEMO-UTR"},
    "sorted by last heard": {"sort": "-last_seen"},
    "sorted by model": {"sort": "model"},
}
_QUERY = re.compile(r"query: (\{[^}]*\})")


class Cost(NamedTuple):
    """CPU in per cent of one core, alone and with so many viewers, and what each viewer was sent per second."""

    alone: float
    watched: float
    viewers: int
    bytes_per_second: float


async def measured(serving: house.House, viewers: int, seconds: float) -> Cost:
    """The same demo, first with nobody looking, then with everybody."""
    await asyncio.sleep(SETTLING)
    alone = await _cpu(serving, seconds)
    async with httpx.AsyncClient(base_url=serving.base, timeout=30, trust_env=False) as client:
        signed = await client.post("/sign-in", data={"token": TOKEN}, headers={"origin": serving.base})
        cookie = signed.headers["set-cookie"].partition(";")[0]
        pages = await _pages(client)
        looking = [_Viewer(client, serving.base, cookie, pages[n % len(pages)]) for n in range(viewers)]
        for each in looking:
            await each.open()
        await asyncio.sleep(SETTLING)
        before = sum(each.received for each in looking)
        watched = await _cpu(serving, seconds)
        sent = sum(each.received for each in looking) - before
        for each in looking:
            await each.close()
    return Cost(alone, watched, viewers, sent / seconds / max(viewers, 1))


async def _cpu(serving: house.House, seconds: float) -> float:
    before = processes.cpu_seconds(serving.pid)
    await asyncio.sleep(seconds)
    return (processes.cpu_seconds(serving.pid) - before) / seconds * 100


async def _pages(client: httpx.AsyncClient) -> list[str]:
    """What people keep open, with a station and a session that are busy."""
    session = await _busy_session(client)
    busy = [f"/stations/{session['station']}", f"/sessions/{session['id']}"]
    return ["/", "/stations", "/sessions", *busy, "/", "/cdrs", "/partners", "/statistics", "/"]


async def _busy_session(client: httpx.AsyncClient) -> dict[str, Any]:
    """One that goes on; between two scenes of the demo there may be none for a while."""
    authorized = {"authorization": f"Bearer {TOKEN}"}
    query: dict[str, str | int] = {"status": "ACTIVE", "limit": 1}
    async with asyncio.timeout(BUSY_SECONDS):
        while True:
            answer = await client.get("/admin/v1/sessions", params=query, headers=authorized)
            found: list[dict[str, Any]] = answer.json()
            if found:
                return found[0]
            await asyncio.sleep(1)


class _Viewer:
    """A page that is looked at: its socket is kept, its heartbeats are answered, what comes is counted."""

    def __init__(self, client: httpx.AsyncClient, base: str, cookie: str, path: str) -> None:
        self._client, self._base, self._cookie, self._path = client, base, cookie, path
        self.received = 0

    async def open(self) -> None:
        """Load the page and connect as its script does."""
        page = await self._client.get(self._path, headers={"cookie": self._cookie})
        found = _QUERY.search(page.text)
        if page.status_code != 200 or found is None:
            raise RuntimeError(f"{self._path}: {page.status_code}, no page of the console")
        told = json.loads(found[1].replace("'", '"').replace("True", "true").replace("False", "false"))
        query = told | {
            "tab_id": str(uuid4()),
            "document_id": str(uuid4()),
            "EIO": 4,
            "transport": "websocket",
        }
        query["implicit_handshake"] = "true"
        url = f"{self._base.replace('http', 'ws', 1)}/_nicegui_ws/socket.io/?{urlencode(query)}"
        self._socket = await connect(
            url, additional_headers={"cookie": self._cookie}, origin=Origin(self._base), max_size=None
        )
        await self._socket.recv()
        await self._socket.send("40")
        answer = str(await self._socket.recv())
        if not answer.startswith("40"):
            raise RuntimeError(f"{self._path}: the socket was refused: {answer}")
        self._reading = asyncio.create_task(self._read(self._socket))

    async def close(self) -> None:
        """Look away."""
        self._reading.cancel()
        await self._socket.close()

    async def _read(self, socket: ClientConnection) -> None:
        async for message in socket:
            self.received += len(message)
            if message == "2":
                await socket.send("3")


def put_stations(serving: house.House, count: int) -> None:
    """So many stations that are set up and away."""
    with httpx.Client(base_url=f"{serving.base}/admin/v1/", timeout=600, trust_env=False) as client:
        client.headers["authorization"] = f"Bearer {TOKEN}"
        for first in range(0, count, CHUNK):
            rows = [
                {"id": f"BENCH{number:05d}", "security_profile": 0}
                for number in range(first, min(first + CHUNK, count))
            ]
            answer = client.post("import/stations", json={"format": "json", "text": json.dumps(rows)})
            if answer.status_code != 200:
                raise RuntimeError(f"import: {answer.status_code} {answer.text[:300]}")


def list_seconds(serving: house.House, count: int) -> dict[str, float]:
    """How long the list of stations takes to answer as the page asks it, median of five."""
    found = {}
    with httpx.Client(base_url=f"{serving.base}/admin/v1/", timeout=60, trust_env=False) as client:
        client.headers["authorization"] = f"Bearer {TOKEN}"
        for name, query in LISTS.items():
            asked: dict[str, Any] = {"limit": 50, **query}
            if "offset" in asked:
                asked["offset"] = max(0, count + asked["offset"])
            found[name] = median(_timed(client, asked) for _ in range(5))
    return found


def _timed(client: httpx.Client, query: dict[str, Any]) -> float:
    began = time.perf_counter()
    client.get("stations", params=query).raise_for_status()
    return time.perf_counter() - began


def main() -> int:
    """Measure, print, and fail where an aim is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.console", description=__doc__)
    parser.add_argument("--viewers", type=int, default=20, help="pages that are looked at (20)")
    parser.add_argument("--stations", type=int, default=10_000, help="stations in the list (10000)")
    parser.add_argument("--seconds", type=float, default=30, help="measured time, each (30)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="voltbridge-bench-") as folder:
        home = Path(folder)
        settings = {"ADMIN_TOKEN": TOKEN, "DEMO": "1", "ALLOW_PRIVATE_URLS": "1", "ALLOW_PROFILE_0": "1"}
        core = processes.cores().server
        with house.serving(home, f"sqlite+aiosqlite:///{home / 'bench.db'}", core, **settings) as serving:
            put_stations(serving, given.stations)
            lists = list_seconds(serving, given.stations)
            cost = asyncio.run(measured(serving, given.viewers, given.seconds))
    for table in (_lists_table(lists, given.stations), _cost_table(cost)):
        CONSOLE.print(table)
    slow = max(lists.values()) > AIM_SECONDS
    return 1 if slow or cost.watched - cost.alone > AIM_PERCENT else 0


def _lists_table(lists: dict[str, float], stations: int) -> Table:
    table = Table(title=f"The list of stations, {stations:,} of them", box=box.SIMPLE_HEAD)
    table.add_column("asked")
    table.add_column("ms", justify="right")
    for name, seconds in lists.items():
        table.add_row(name, f"{seconds * 1000:,.0f}")
    return table


def _cost_table(cost: Cost) -> Table:
    table = Table(title="The console, CPU of the server with the demo in it", box=box.SIMPLE_HEAD)
    for name in ("viewers", "% of a core", "more than alone", "sent to each, B/s"):
        table.add_column(name, justify="right")
    table.add_row("0", f"{cost.alone:.1f}", "", "")
    more = cost.watched - cost.alone
    table.add_row(str(cost.viewers), f"{cost.watched:.1f}", f"{more:.1f}", f"{cost.bytes_per_second:,.0f}")
    return table


if __name__ == "__main__":
    sys.exit(main())
