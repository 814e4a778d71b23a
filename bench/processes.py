"""CPU time of processes with all their children, and where they run."""

import os
import socket
from typing import NamedTuple

import psutil


class Cores(NamedTuple):
    """The core of the server with its database, and the core of the load; the same one where there is only one."""

    server: int | None
    load: int | None


def cores() -> Cores:
    """Two of the cores this process may use; None where the system cannot tie processes to cores."""
    if not hasattr(os, "sched_setaffinity"):
        return Cores(None, None)
    usable = sorted(os.sched_getaffinity(0))
    return Cores(usable[0], usable[-1])


def stay_on(core: int | None) -> None:
    """Tie this process to one core."""
    if core is not None:
        os.sched_setaffinity(0, {core})


def tie(pid: int, core: int | None) -> None:
    """Tie a running process and its children, with all their threads, to one core."""
    if core is None:
        return
    root = psutil.Process(pid)
    for process in (root, *root.children(recursive=True)):
        for thread in process.threads():
            os.sched_setaffinity(thread.id, {core})


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its children, those that have ended included."""
    root = psutil.Process(pid)
    total = 0.0
    for process in (root, *root.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def own_cpu_seconds() -> float:
    """User and system time of this process."""
    times = os.times()
    return times.user + times.system


def busy_seconds() -> float:
    """Time that all cores together have been busy since the machine started."""
    times = psutil.cpu_times()
    return sum(times[:8]) - times.idle - getattr(times, "iowait", 0.0)


def free_port() -> int:
    """A TCP port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
