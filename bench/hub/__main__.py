"""`python -m bench.hub`: requests passed on by the hub, beside the same call made directly and a FastAPI + httpx relay."""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import httpx
from rich import box
from rich.console import Console
from rich.table import Table

from bench import house, processes
from bench.partner import authorization
from bench.targets import wait_for

CONSOLE = Console(width=160)
PARTIES = (("CPO", "NL", "AAA"), ("EMSP", "DE", "EMS"))
Found = dict[str, list[tuple[dict[str, Any], dict[str, Any]]]]
"""Each way with its runs: as fast as possible, and steady."""
BODY = {"status": "CHARGING", "last_updated": "2026-11-20T12:00:00Z"}


class Way(NamedTuple):
    """How the PATCH travels: where it is sent, with what headers, and the process whose CPU counts."""

    url: str
    headers: dict[str, str]
    pid: int | None


@contextlib.contextmanager
def through_the_hub(sink: str) -> Iterator[Way]:
    """The house with a CPO and an eMSP behind its hub; the sink is the eMSP."""
    with tempfile.TemporaryDirectory(prefix="voltbridge-bench-") as folder:
        home = Path(folder)
        database = f"sqlite+aiosqlite:///{home / 'voltbridge.db'}"
        with house.serving(home, database, processes.cores().server, HUB_AGREEMENTS="open") as serving:
            tokens = [_register(serving, sink, number) for number in range(len(PARTIES))]
            url = f"{serving.base}/ocpi/hub/2.2.1/receiver/locations/NL/AAA/LOC1/E1"
            headers = authorization(tokens[0]) | _routing()
            yield Way(url, headers, serving.pid)


@contextlib.contextmanager
def through_fastapi(sink: str) -> Iterator[Way]:
    """What one would write first: a FastAPI route that sends on with httpx."""
    port = processes.free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.hub.relay", str(port), sink])
    try:
        wait_for(port, process)
        processes.tie(process.pid, processes.cores().server)
        yield Way(f"http://127.0.0.1:{port}/locations/NL/AAA/LOC1/E1", _routing(), process.pid)
    finally:
        process.terminate()
        process.wait(10)


@contextlib.contextmanager
def directly(sink: str) -> Iterator[Way]:
    """No relay at all."""
    yield Way(f"{sink}/2.2.1/locations/NL/AAA/LOC1/E1", _routing(), None)


WAYS = {"directly": directly, "Voltbridge hub": through_the_hub, "FastAPI + httpx": through_fastapi}


def _register(serving: house.House, sink: str, number: int) -> str:
    """The handshake of a party whose server is the sink; the token that works at the house."""
    invited = serving.invite(number, "hub")
    role, country, party = PARTIES[number]
    own = f"token-of-{party.lower()}-bench"
    body = {
        "token": own,
        "url": f"{sink}/versions",
        "roles": [
            {"role": role, "country_code": country, "party_id": party, "business_details": {"name": party}}
        ],
    }
    with httpx.Client(headers=authorization(invited["token_a"]), trust_env=False, timeout=30) as client:
        versions = client.get(invited["versions_url"]).json()["data"]
        endpoints = client.get(versions[0]["url"]).json()["data"]["endpoints"]
        url = next(each["url"] for each in endpoints if each["identifier"] == "credentials")
        answer = client.post(url, json=body).json()
    if answer["status_code"] != 1000:
        raise RuntimeError(f"the handshake failed: {answer}")
    token: str = answer["data"]["token"]
    return token


def _routing() -> dict[str, str]:
    return {
        "OCPI-to-country-code": "DE", "OCPI-to-party-id": "EMS", "OCPI-from-country-code": "NL",
        "OCPI-from-party-id": "AAA", "X-Request-ID": "bench-request", "X-Correlation-ID": "bench-correlation",
        "Content-Type": "application/json",
    }  # fmt: skip


def measure(way: Way, seconds: float, *, rate: float, at_once: int) -> dict[str, Any]:
    """One run of the load, in a process of its own; `rate` 0 asks as fast as it is answered."""
    asked = way._asdict() | {"body": json.dumps(BODY), "rate": rate, "at_once": at_once, "seconds": seconds}
    command = [sys.executable, "-m", "bench.hub.load"]
    core = processes.cores().load
    command += [] if core is None else [str(core)]
    done = subprocess.run(command, input=json.dumps(asked).encode(), stdout=subprocess.PIPE, check=True)
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


@contextlib.contextmanager
def sinking() -> Iterator[str]:
    """The receiver: takes everything at once, and costs next to nothing."""
    port = processes.free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.hub.sink", str(port)])
    try:
        wait_for(port, process)
        if (core := processes.cores().load) is not None:
            processes.tie(process.pid, core)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def main() -> int:
    """Measure, print the table, fail if anything was not passed on."""
    parser = argparse.ArgumentParser(prog="python -m bench.hub", description=__doc__)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--rounds", type=int, default=1)
    arguments = parser.parse_args()
    found = run(arguments.seconds, arguments.rounds)
    CONSOLE.print(table(found))
    return 1 if lost(found) else 0


def run(seconds: float, rounds: int) -> Found:
    """Every way, so many rounds: as fast as it is answered, then 500 a second."""
    found: Found = {}
    with sinking() as sink:
        for _ in range(rounds):
            for name, open_way in WAYS.items():
                with open_way(sink) as way:
                    measure(way, 1.5, rate=0, at_once=16)
                    full = measure(way, seconds, rate=0, at_once=16)
                    steady = measure(way, seconds, rate=500, at_once=0)
                    found.setdefault(name, []).append((full, steady))
                CONSOLE.print(f"[dim]{name}: done[/dim]")
    return found


def lost(found: Found) -> int:
    """How many requests were not passed on."""
    return sum(run["errors"] for rounds in found.values() for pair in rounds for run in pair)


def table(found: Found) -> Table:
    """Medians over the rounds, added latency beside the direct call of the same run."""
    made = Table(box=box.MARKDOWN, highlight=False)
    for heading in ("way", "forwards per CPU-s", "CPU us per forward", "forwards/s", "p50 ms at 500/s",
                    "added p50 ms", "p99 ms at 500/s", "not passed on"):  # fmt: skip
        made.add_column(heading, justify="right", no_wrap=True)
    base = median(steady["p50_ms"] for _, steady in found["directly"])
    for name, rounds in found.items():
        costs = [full["cpu_seconds"] / full["requests"] * 1e6 for full, _ in rounds if full["cpu_seconds"]]
        cost = median(costs) if costs else None
        p50 = median(steady["p50_ms"] for _, steady in rounds)
        made.add_row(
            name,
            "-" if cost is None else f"{1e6 / cost:,.0f}".replace(",", " "),
            "-" if cost is None else f"{cost:.0f}",
            f"{median(full['requests'] / full['seconds'] for full, _ in rounds):,.0f}".replace(",", " "),
            f"{p50:.2f}",
            f"{p50 - base:.2f}",
            f"{median(steady['p99_ms'] for _, steady in rounds):.2f}",
            str(sum(run["errors"] for pair in rounds for run in pair)),
        )
    return made


if __name__ == "__main__":
    sys.exit(main())
