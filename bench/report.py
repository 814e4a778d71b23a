"""The table of a benchmark: medians over the rounds, every target beside the echo of the same run."""

from dataclasses import asdict
from statistics import median
from typing import Any

from rich import box
from rich.table import Table

from bench.targets import Result

CLIENT_BOUND = 0.85
CROWDED = 0.3

_NAMES = {
    "echo": "raw echo (picows)",
    "plain": "plain `ocpp` library, stores nothing",
    "sqlite": "Voltbridge on SQLite",
    "postgresql": "Voltbridge on PostgreSQL",
}


def summary(results: list[Result]) -> list[dict[str, Any]]:
    """One line per target, the median of its rounds; `ratio` is messages per CPU-second beside the echo."""
    lines = []
    for target in dict.fromkeys(result.target for result in results):
        mine = [result for result in results if result.target == target]
        by_process = {name: median(r.cpu_us[name] for r in mine) for name in mine[0].cpu_us}
        lines.append(
            {
                "target": target,
                "rounds": len(mine),
                "messages_per_cpu_second": median(r.per_cpu_second for r in mine),
                "cpu_us_per_message": by_process,
                "p50_ms": median(r.p50_ms for r in mine),
                "p99_ms": median(r.p99_ms for r in mine),
                "messages_per_second": median(r.rate for r in mine),
                "load_core_used": median(r.load_share for r in mine),
                "other_processes_cores": median(r.others_cores for r in mine),
                "lost": [line for r in mine for line in r.lost],
            }
        )
    ceiling = next((x["messages_per_cpu_second"] for x in lines if x["target"] == "echo"), None)
    for line in lines:
        line["ratio_to_echo"] = line["messages_per_cpu_second"] / ceiling if ceiling else None
    return lines


def table(lines: list[dict[str, Any]]) -> Table:
    """The summary for people; as Markdown it can be pasted into docs/performance.md."""
    made = Table(box=box.MARKDOWN, highlight=False)
    made.add_column("target", no_wrap=True)
    for heading in (
        "messages per CPU-s",
        "CPU us per message",
        "ratio to echo",
        "p50 ms",
        "p99 ms",
        "messages/s",
    ):
        made.add_column(heading, justify="right", no_wrap=True)
    for line in lines:
        ratio = line["ratio_to_echo"]
        made.add_row(
            _NAMES[line["target"]],
            f"{line['messages_per_cpu_second']:,.0f}".replace(",", " "),
            _by_process(line["cpu_us_per_message"]),
            "-" if ratio is None else f"{ratio:.3f}",
            f"{line['p50_ms']:.1f}",
            f"{line['p99_ms']:.1f}",
            f"{line['messages_per_second']:,.0f}".replace(",", " "),
        )
    return made


def remarks(lines: list[dict[str, Any]]) -> list[str]:
    """What the reader must know beside the table: a load that was the bottleneck, neighbours, losses."""
    found = []
    for line in lines:
        name = _NAMES[line["target"]]
        if line["load_core_used"] > CLIENT_BOUND:
            found.append(
                f"{name}: the load used its whole core, so messages/s is the load's limit, not the server's"
            )
        if line["other_processes_cores"] > CROWDED:
            crowd = line["other_processes_cores"]
            found.append(
                f"{name}: other processes used {crowd:.1f} cores meanwhile; latency and messages/s suffer"
            )
        found += [f"{name}: {loss}" for loss in line["lost"]]
    return found


def document(results: list[Result], lines: list[dict[str, Any]], plan: dict[str, Any]) -> dict[str, Any]:
    """Everything as one JSON document."""
    return {"plan": plan, "summary": lines, "rounds": [asdict(result) for result in results]}


def _by_process(used: dict[str, float]) -> str:
    total = f"{sum(used.values()):.1f}"
    if len(used) == 1:
        return total
    return f"{total} ({', '.join(f'{name} {value:.1f}' for name, value in used.items())})"
