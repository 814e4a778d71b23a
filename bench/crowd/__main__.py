"""`python -m bench.crowd`: many stations at once: memory of idle ones, a reconnect storm, answers at a steady load."""

import argparse
import json
import subprocess
import sys
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from bench import house, processes

CONSOLE = Console(width=200)
IDLE_KIB, STORM_RATE, ANSWER_MS = 32, 1_000, 10


def measure(database: str, stations: int, storm: int, rate: float, seconds: float) -> dict[str, Any]:
    """One run on a fresh database; figures as `bench.crowd.load` prints them."""
    with house.running(database) as (serving, pids):
        serving.let_in(max(stations, storm))
        command = [sys.executable, "-m", "bench.crowd.load", "--url", serving.ocpp]
        command += ["--password", house.PASSWORD, "--stations", str(stations), "--storm", str(storm)]
        command += ["--rate", str(rate), "--seconds", str(seconds)]
        core = processes.cores().load
        command += [] if core is None else ["--core", str(core)]
        for name, pid in pids.items():
            command += ["--pid", f"{name}={pid}"]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        measured: dict[str, Any] = json.loads(done.stdout)
        return measured


def main() -> int:
    """Measure, print the table, fail if a call was answered with an error or not at all."""
    parser = argparse.ArgumentParser(prog="python -m bench.crowd", description=__doc__)
    parser.add_argument("--stations", type=int, default=5_000, help="idle stations (5000)")
    parser.add_argument("--storm", type=int, default=2_000, help="stations that come back at once (2000)")
    parser.add_argument(
        "--rate", type=float, default=2_000, help="messages a second of the steady load (2000)"
    )
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    arguments = parser.parse_args()
    table = Table(box=box.MARKDOWN, highlight=False)
    for heading in ("database", "KiB per idle station", "storm: stations/s", "storm: CPU ms per station",
                    "steady: p50 ms", "steady: p99 ms", "steady: messages/s", "errors", "others' cores"):  # fmt: skip
        table.add_column(heading, justify="right", no_wrap=True)
    errors = 0
    for database in arguments.databases:
        found = measure(database, arguments.stations, arguments.storm, arguments.rate, arguments.seconds)
        errors += found["errors"]
        table.add_row(
            database,
            f"{found['idle_kib']:.1f}",
            f"{found['storm_rate']:,.0f}".replace(",", " "),
            f"{found['storm_cpu_ms']:.2f}",
            f"{found['p50_ms']:.1f}",
            f"{found['p99_ms']:.1f}",
            f"{found['rate']:,.0f}".replace(",", " "),
            str(found["errors"]),
            f"{found['others_cores']:.2f}",
        )
    CONSOLE.print(table)
    CONSOLE.print(
        f"wanted: at most {IDLE_KIB} KiB, at least {STORM_RATE} stations/s, p99 at most {ANSWER_MS} ms"
    )
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
