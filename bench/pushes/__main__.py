"""`python -m bench.pushes`: from a station's change of status to the PATCH at its partners; steady and as a storm."""

import argparse
import json
import subprocess
import sys
from statistics import median
from typing import Any, NamedTuple

from rich import box
from rich.console import Console
from rich.table import Table

from bench import house, processes

CONSOLE = Console(width=160)


class Case(NamedTuple):
    """A load: changes a second (0: as fast as they are answered), how many partners hear of them."""

    name: str
    rate: float
    partners: int
    stations: int


CASES = (
    Case("200 changes/s, 1 partner", 200, 1, 100),
    Case("100 changes/s, 10 partners", 100, 10, 100),
    Case("storm, 1 partner", 0, 1, 200),
    Case("storm, 10 partners", 0, 10, 200),
)


def measure(case: Case, database: str, seconds: float) -> dict[str, Any]:
    """One run of one case."""
    with house.running(database) as (serving, pids):
        serving.provision(case.stations)
        asked = {"invitations": [serving.invite(n) for n in range(case.partners)], "pids": pids}
        command = [sys.executable, "-m", "bench.pushes.load", "--url", serving.ocpp]
        command += ["--password", house.PASSWORD, "--stations", str(case.stations)]
        command += ["--rate", str(case.rate), "--seconds", str(seconds)]
        core = processes.cores().load
        command += [] if core is None else ["--core", str(core)]
        done = subprocess.run(command, input=json.dumps(asked).encode(), stdout=subprocess.PIPE, check=True)
        measured: dict[str, Any] = json.loads(done.stdout)
        return measured


def main() -> int:
    """Measure, print the table, fail if something was never told."""
    parser = argparse.ArgumentParser(prog="python -m bench.pushes", description=__doc__)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument(
        "--cases", nargs="+", type=int, default=list(range(len(CASES))), help="by number, from 0"
    )
    arguments = parser.parse_args()
    table = Table(box=box.MARKDOWN, highlight=False)
    for heading in ("load", "database", "pushes per CPU-s", "CPU us per push", "p50 ms", "p99 ms",
                    "pushes/s", "untold", "doubled", "others' cores"):  # fmt: skip
        table.add_column(heading, justify="right", no_wrap=True)
    untold = 0
    for case in [CASES[number] for number in arguments.cases]:
        for database in arguments.databases:
            rounds = [measure(case, database, arguments.seconds) for _ in range(arguments.rounds)]
            untold += sum(each["untold"] + sum(each["errors"].values()) for each in rounds)
            table.add_row(*row(case, database, rounds))
            CONSOLE.print(f"[dim]{case.name}, {database}: done[/dim]")
    CONSOLE.print(table)
    return 1 if untold else 0


def row(case: Case, database: str, rounds: list[dict[str, Any]]) -> list[str]:
    """One line of the table: medians of the rounds, sums of what must be nothing."""
    cpu = median(sum(each["cpu_seconds"].values()) / each["pushes"] * 1e6 for each in rounds)
    split = " + ".join(
        f"{median(each['cpu_seconds'][name] / each['pushes'] * 1e6 for each in rounds):.0f} {name}"
        for name in rounds[0]["cpu_seconds"]
    )
    return [
        case.name,
        database,
        f"{1e6 / cpu:,.0f}".replace(",", " "),
        split,
        f"{median(each['p50_ms'] for each in rounds):.1f}",
        f"{median(each['p99_ms'] for each in rounds):.1f}",
        f"{median(each['pushes'] / each['seconds'] for each in rounds):,.0f}".replace(",", " "),
        str(sum(each["untold"] for each in rounds)),
        str(sum(each["doubled"] for each in rounds)),
        f"{median(each['others_cores'] for each in rounds):.2f}",
    ]


if __name__ == "__main__":
    sys.exit(main())
