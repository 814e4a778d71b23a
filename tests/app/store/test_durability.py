"""What was acknowledged survives kill -9; settings under which it might not are refused at the start."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url

from app.store import frames
from app.store.database.engine import POSTGRESQL, open_store
from app.store.database.errors import StoreError, StoreUnavailable

_WRITES_UNTIL_KILLED = """
import asyncio, sys
from app.kit.clock import SystemClock
from app.store import frames
from app.store.database.engine import open_store
from app.store.bulk.writer import Writer

async def main():
    store, clock = await open_store(sys.argv[1]), SystemClock()
    writer, number = Writer(store, clock), 0
    while True:
        async with writer.batch() as batch:
            kept = [frames.Frame("CP1", batch.now, "in", str(number + n), "Heartbeat", b"[]") for n in range(5)]
            await batch.write([(frames.INSERT_FRAMES, [frames.row(frame) for frame in kept])])
        number += 5
        print(number, flush=True)

asyncio.run(main())
"""


def _kill_after(lines: int, url: str) -> int:
    """How many frames a child says were committed before it was killed."""
    child = subprocess.Popen(
        [sys.executable, "-c", _WRITES_UNTIL_KILLED, url], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    said = [child.stdout.readline() for _ in range(lines)]
    child.send_signal(signal.SIGKILL)
    said += child.stdout.read().splitlines(keepends=True)
    child.wait()
    child.stdout.close()
    return max(int(line) for line in said if line.endswith("\n"))


async def test_kill_9_between_acknowledged_batches_loses_nothing(database_url: str) -> None:
    acknowledged = sum(_kill_after(lines, database_url) for lines in (10, 23, 31))
    store = await open_store(database_url)
    async with store.reading() as session:
        _, kept = await frames.find(session, "CP1", limit=1)
    await store.close()
    assert acknowledged >= 5 * (10 + 23 + 31)
    assert kept % 5 == 0, "half a batch was kept"
    assert acknowledged <= kept <= acknowledged + 3 * 5


@pytest.mark.parametrize("database", [POSTGRESQL])
async def test_a_server_that_answers_before_the_disk_is_refused(database_url: str) -> None:
    url = make_url(database_url)
    connection = await asyncpg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
    await connection.execute(f"ALTER DATABASE {url.database} SET synchronous_commit = off")
    await connection.close()
    with pytest.raises(StoreError, match="synchronous_commit is off"):
        await open_store(database_url)


async def test_sqlite_writes_through_to_the_disk(tmp_path: Path) -> None:
    store = await open_store(f"sqlite+aiosqlite:///{tmp_path / 'new' / 'deeper' / 'v.db'}")
    for engine in (store.reader, store.writer):
        async with engine.connect() as connection:
            settings = [
                (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one()
                for name in ("journal_mode", "synchronous")
            ]
            assert settings == ["wal", 2]
    assert stat.S_IMODE((tmp_path / "new" / "deeper").stat().st_mode) == 0o700
    await store.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite+aiosqlite://", "plain file"),
        ("sqlite+aiosqlite:///:memory:", "plain file"),
        ("sqlite:///x.db", "driver must be one of"),
        ("mysql+aiomysql://u:hidden@h/d", "driver must be one of"),
        ("nonsense", "not one"),
        ("postgresql+asyncpg://u:hidden@127.0.0.1:1/d", "cannot be opened"),
        ("sqlite+aiosqlite:////proc/voltbridge/v.db", "cannot be made"),
        ("sqlite+aiosqlite:////proc/v.db", "cannot be opened"),
        ("sqlite+aiosqlite:////tmp", "is a folder"),
    ],
)
async def test_an_unusable_place_is_one_clear_line(url: str, words: str) -> None:
    with pytest.raises(StoreError, match=words) as refused:
        await open_store(url)
    assert "\n" not in str(refused.value)
    assert "hidden" not in str(refused.value)


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "v.db"
    path.write_bytes(b"not a database, but long enough to be looked at as one" * 100)
    with pytest.raises(StoreUnavailable, match="not a database"):
        await open_store(f"sqlite+aiosqlite:///{path}")


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes anywhere")
async def test_a_folder_that_may_not_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "v.db").touch()
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="cannot be opened"):
        await open_store(f"sqlite+aiosqlite:///{tmp_path / 'v.db'}")
    tmp_path.chmod(0o700)


async def test_a_start_that_fails_prints_one_line_and_no_traceback(tmp_path: Path) -> None:
    for url in ("sqlite+aiosqlite:////proc/v.db", f"sqlite+aiosqlite:///{tmp_path}"):
        tried = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-c", _OPENS, url],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert tried.returncode == 1
        assert len(tried.stderr.splitlines()) == 1, tried.stderr


_OPENS = """
import asyncio, sys
from app.store.database.engine import open_store
from app.store.database.errors import StoreError

try:
    asyncio.run(open_store(sys.argv[1]))
except StoreError as error:
    sys.exit(str(error))
"""
