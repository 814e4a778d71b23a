"""What is measured: each target is started, tied to the server's core, put under load and asked what it kept."""

import contextlib
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import house, postgres, processes
from bench.processes import Cores

_START_SECONDS = 20.0


@dataclass(frozen=True)
class Plan:
    """How long and with how many stations."""

    stations: int
    seconds: float
    warmup: float
    cores: Cores
    seed: int = 1


@dataclass
class Result:
    """One measurement. CPU in microseconds per message, by process; `lost` names what is missing afterwards."""

    target: str
    messages: int
    rate: float
    cpu_us: dict[str, float]
    p50_ms: float
    p99_ms: float
    load_share: float
    others_cores: float
    lost: list[str] = field(default_factory=list)

    @property
    def total_us(self) -> float:
        """CPU of the server, its database included."""
        return sum(self.cpu_us.values())

    @property
    def per_cpu_second(self) -> float:
        """Messages per second of CPU."""
        return 1e6 / self.total_us


def echo(plan: Plan) -> Result:
    """The raw echo server: what the WebSocket alone costs."""
    return _without_store("echo", plan)


def plain(plan: Plan) -> Result:
    """A central system of the `ocpp` library that stores nothing."""
    return _without_store("plain", plan)


def on_sqlite(plan: Plan) -> Result:
    """Voltbridge on SQLite (WAL, synchronous FULL)."""
    with tempfile.TemporaryDirectory(prefix="voltbridge-bench-") as folder:
        home = Path(folder)
        return _house("sqlite", plan, home, f"sqlite+aiosqlite:///{home / 'voltbridge.db'}", {})


def on_postgresql(plan: Plan) -> Result:
    """Voltbridge on PostgreSQL (synchronous commit)."""
    with tempfile.TemporaryDirectory(prefix="voltbridge-bench-") as folder:
        home = Path(folder)
        with postgres.server(home, plan.cores.server) as database:
            return _house("postgresql", plan, home, database.url, {"postgres": database.pid})


TARGETS: dict[str, Callable[[Plan], Result]] = {
    "echo": echo,
    "plain": plain,
    "sqlite": on_sqlite,
    "postgresql": on_postgresql,
}


def _without_store(name: str, plan: Plan) -> Result:
    port = processes.free_port()
    command = [sys.executable, "-m", f"bench.{name}", str(port)]
    if plan.cores.server is not None:
        command.append(str(plan.cores.server))
    process = subprocess.Popen(command)
    try:
        wait_for(port, process)
        measured = _put_under_load(f"ws://127.0.0.1:{port}/ocpp", plan, {"app": process.pid})
    finally:
        process.terminate()
        process.wait(10)
    return _result(name, measured)


def _house(name: str, plan: Plan, home: Path, database_url: str, database: dict[str, int]) -> Result:
    with house.serving(home, database_url, plan.cores.server) as running:
        running.provision(plan.stations)
        measured = _put_under_load(running.ocpp, plan, {"app": running.pid, **database})
        lost = running.missing(measured["acknowledged"], measured["stopped"])
    result = _result(name, measured)
    result.lost += lost
    return result


def _put_under_load(url: str, plan: Plan, pids: dict[str, int]) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.load", "--url", url, "--password", house.PASSWORD]
    command += ["--stations", str(plan.stations), "--seconds", str(plan.seconds)]
    command += ["--warmup", str(plan.warmup), "--seed", str(plan.seed)]
    if plan.cores.load is not None:
        command += ["--core", str(plan.cores.load)]
    for name, pid in pids.items():
        command += ["--pid", f"{name}={pid}"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def _result(target: str, measured: dict[str, Any]) -> Result:
    messages = measured["messages"]
    if not messages:
        raise RuntimeError(f"{target}: nothing was answered: {measured['errors']}")
    lost = [
        f"{count} times {action} was answered with an error" for action, count in measured["errors"].items()
    ]
    if measured["unanswered"]:
        lost.append(f"{measured['unanswered']} calls were never answered")
    return Result(
        target=target,
        messages=messages,
        rate=messages / measured["seconds"],
        cpu_us={name: used / messages * 1e6 for name, used in measured["cpu_seconds"].items()},
        p50_ms=measured["p50_ms"],
        p99_ms=measured["p99_ms"],
        load_share=measured["load_cpu_share"],
        others_cores=measured["others_cores"],
        lost=lost,
    )


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Return when somebody listens on the port. Raises RuntimeError where the process does not come up."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"nothing listens on port {port}")
