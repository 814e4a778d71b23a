"""`make bench`: the same load on a raw echo, a plain central system and Voltbridge, one after the other."""

import argparse
import json
import platform
import sys
from dataclasses import asdict
from datetime import UTC, datetime

import psutil
import uvloop
from rich.console import Console

from bench import broadcast, pricing, processes, report
from bench.hub import __main__ as hub
from bench.targets import TARGETS, Plan

_RECEIVERS, _MESSAGES = 100, 8


def main() -> int:
    """Measure, print the table (or JSON), and fail if anything acknowledged was lost."""
    arguments = _arguments()
    console = Console(stderr=arguments.json, width=160)
    cores = processes.cores()
    plan = Plan(arguments.stations, arguments.seconds, arguments.warmup, cores)
    results = []
    for number in range(1, arguments.rounds + 1):
        for target in arguments.targets:
            console.print(f"[dim]round {number} of {arguments.rounds}: {target} ...[/dim]")
            results.append(TARGETS[target](plan))
    lines = report.summary(results)
    if arguments.json:
        told = asdict(plan) | {"machine": _machine(), "at": datetime.now(UTC).isoformat(timespec="seconds")}
        print(json.dumps(report.document(results, lines, told), indent=2))
    console.print(report.table(lines))
    console.print(_machine())
    if cores.server is None or cores.server == cores.load:
        console.print("server and load could not be given a core each: compare with care")
    for remark in report.remarks(lines):
        console.print(remark)
    if arguments.pricing:
        console.print(pricing.table(pricing.bars()))
        passed_on = hub.run(arguments.seconds, 1)
        console.print(hub.table(passed_on))
        heard = uvloop.run(broadcast.run(_RECEIVERS, _MESSAGES))
        console.print(f"one location told to {_RECEIVERS} parties behind the hub, one of them hanging:")
        for said in broadcast.lines(heard, _RECEIVERS):
            console.print(said)
        if hub.lost(passed_on) or any(each.missed for each in heard):
            return 1
    return 1 if any(line["lost"] for line in lines) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "targets", nargs="*", metavar="target", help=f"some of {', '.join(TARGETS)}; all if left out"
    )
    parser.add_argument("--stations", type=int, default=100, help="connected stations (100)")
    parser.add_argument("--seconds", type=float, default=8, help="measured time of each target (8)")
    parser.add_argument("--warmup", type=float, default=2, help="time under load before that (2)")
    parser.add_argument(
        "--rounds", type=int, default=2, help="times through all targets; medians are shown (2)"
    )
    parser.add_argument(
        "--json", action="store_true", help="the figures as JSON on stdout, the table on stderr"
    )
    arguments = parser.parse_args()
    unknown = [target for target in arguments.targets if target not in TARGETS]
    if unknown:
        parser.error(f"unknown target {unknown[0]}; there are {', '.join(TARGETS)}")
    arguments.pricing = not arguments.targets
    arguments.targets = arguments.targets or list(TARGETS)
    return arguments


def _machine() -> str:
    return (
        f"{psutil.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    )


if __name__ == "__main__":
    sys.exit(main())
