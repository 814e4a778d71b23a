"""`python -m bench.lists`: pages of 50 locations as a partner pulls them, beside ready-made bytes and extrawest-ocpi."""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import httpx
from rich import box
from rich.console import Console
from rich.table import Table

from bench import house, processes
from bench.partner import Partner, authorization
from bench.targets import wait_for

CONSOLE = Console(width=160)
LOCATIONS = 500
EVSES = 3
PAGE = 50
_EXTRAWEST = ("extrawest-ocpi", "uvicorn[standard]")


class Asked(NamedTuple):
    """A server under measurement: what to ask it, and whose CPU counts."""

    url: str
    headers: dict[str, str]
    pids: dict[str, int]


@contextmanager
def voltbridge(database: str) -> Iterator[Asked]:
    """The house with a registered partner and its locations."""
    with house.running(database) as (serving, pids):
        for number in range(1, LOCATIONS + 1):
            serving.put_location(number, EVSES)
        token = asyncio.run(_registered(serving.invite(0)))
        url = f"{serving.base}/ocpi/cpo/2.2.1/sender/locations?limit={PAGE}"
        yield Asked(url, authorization(token), pids)


async def _registered(invited: dict[str, str]) -> str:
    told: set[str] = set()
    partner = Partner(0, lambda _partner, _method, path, _body, _at: told.add(path))
    await partner.register(invited["versions_url"], invited["token_a"])
    while len(told) < LOCATIONS:  # it is told everything first; the measuring begins when that is over
        await asyncio.sleep(0.1)
    partner.close()
    return partner.token


@contextmanager
def ready(page: bytes) -> Iterator[Asked]:
    """Starlette giving away a page that is ready: the ceiling of this kind of server."""
    with tempfile.TemporaryDirectory(prefix="voltbridge-bench-") as folder:
        (Path(folder) / "page.json").write_bytes(page)
        with _serving(sys.executable, "bench.lists.ready_page", folder) as (port, pid):
            yield Asked(f"http://127.0.0.1:{port}/locations?limit={PAGE}", {}, {"app": pid})


@contextmanager
def extrawest(page: bytes) -> Iterator[Asked]:
    """extrawest-ocpi from the package index in an environment of its own, its objects in memory."""
    with tempfile.TemporaryDirectory(prefix="voltbridge-bench-") as folder:
        home = Path(folder)
        venv.create(home / "venv", with_pip=True)
        python = str(home / "venv" / "bin" / "python")
        subprocess.run([python, "-m", "pip", "install", "--quiet", *_EXTRAWEST], check=True)
        (home / "page.json").write_bytes(page)
        with _serving(python, str(Path(__file__).with_name("extrawest.py")), folder) as (port, pid):
            url = f"http://127.0.0.1:{port}/ocpi/cpo/2.2.1/locations/?limit={PAGE}"
            yield Asked(url, authorization("bench-token"), {"app": pid})


@contextmanager
def _serving(python: str, program: str, folder: str) -> Iterator[tuple[int, int]]:
    port, cores = processes.free_port(), processes.cores()
    start = [program] if program.endswith(".py") else ["-m", program]
    process = subprocess.Popen([python, *start, str(port), folder])
    try:
        wait_for(port, process)
        processes.tie(process.pid, cores.server)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(10)


def measure(asked: Asked, seconds: float) -> dict[str, Any]:
    """Ask it for pages and nothing else."""
    command = [sys.executable, "-m", "bench.lists.load", "--seconds", str(seconds)]
    core = processes.cores().load
    command += [] if core is None else ["--core", str(core)]
    done = subprocess.run(
        command, input=json.dumps(asked._asdict()).encode(), stdout=subprocess.PIPE, check=True
    )
    measured: dict[str, Any] = json.loads(done.stdout)
    if measured["errors"]:
        raise RuntimeError(f"{asked.url}: {measured['errors']} answers were not HTTP 200")
    return measured


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.lists", description=__doc__)
    parser.add_argument("targets", nargs="*", default=["sqlite", "postgresql", "ready", "extrawest"])
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=1)
    arguments = parser.parse_args()
    page = _page()
    found: dict[str, list[dict[str, Any]]] = {}
    for _ in range(arguments.rounds):
        for target in arguments.targets:
            with _target(target, page) as asked:
                found.setdefault(target, []).append(measure(asked, arguments.seconds))
            CONSOLE.print(f"[dim]{target}: done[/dim]")
    CONSOLE.print(_table(found))
    return 0


def _target(name: str, page: bytes) -> AbstractContextManager[Asked]:
    if name == "ready":
        return ready(page)
    return extrawest(page) if name == "extrawest" else voltbridge(name)


def _page() -> bytes:
    """The page that every target gives away, as the house renders it."""
    with voltbridge("sqlite") as asked:
        return httpx.get(asked.url, headers=asked.headers).raise_for_status().content


def _table(found: dict[str, list[dict[str, Any]]]) -> Table:
    table = Table(box=box.MARKDOWN, highlight=False)
    for heading in ("target", "pages per CPU-s", "CPU us per page", "ratio to ready bytes", "p50 ms", "p99 ms",
                    "pages/s", "KiB", "others' cores"):  # fmt: skip
        table.add_column(heading, justify="right", no_wrap=True)
    costs = {name: median(_cost(each) for each in rounds) for name, rounds in found.items()}
    for name, rounds in found.items():
        split = {
            process: median(each["cpu_seconds"][process] / each["pages"] * 1e6 for each in rounds)
            for process in rounds[0]["cpu_seconds"]
        }
        table.add_row(
            _NAMES[name],
            f"{1e6 / costs[name]:,.0f}".replace(",", " "),
            " + ".join(f"{cost:.0f} {process}" for process, cost in split.items()),
            f"{costs['ready'] / costs[name]:.3f}" if "ready" in costs else "-",
            f"{median(each['p50_ms'] for each in rounds):.1f}",
            f"{median(each['p99_ms'] for each in rounds):.1f}",
            f"{median(each['pages'] / each['seconds'] for each in rounds):,.0f}".replace(",", " "),
            f"{rounds[0]['bytes'] / 1024:.0f}",
            f"{median(each['others_cores'] for each in rounds):.2f}",
        )
    return table


def _cost(measured: dict[str, Any]) -> float:
    return float(sum(measured["cpu_seconds"].values()) / measured["pages"] * 1e6)


_NAMES = {
    "sqlite": "Voltbridge on SQLite",
    "postgresql": "Voltbridge on PostgreSQL",
    "ready": "Starlette, ready bytes",
    "extrawest": "extrawest-ocpi, in memory",
}


if __name__ == "__main__":
    sys.exit(main())
