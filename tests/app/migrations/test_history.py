"""The history of the tables: up, down, again, several at once, and after being killed half-way."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from app import migrations
from app.store.database.engine import open_store
from app.store.database.errors import StoreError


async def test_up_leaves_exactly_the_tables_of_the_code(empty_database_url: str) -> None:
    store = await open_store(empty_database_url)
    assert not await migrations.is_current(store.writer)
    await migrations.upgrade(store.writer)
    assert await migrations.is_current(store.writer)
    assert await migrations.differences(store.writer) == []
    await migrations.upgrade(store.writer)
    assert await migrations.is_current(store.writer)
    await store.close()


async def test_a_missing_column_is_named(database_url: str) -> None:
    store = await open_store(database_url)
    async with store.writer.begin() as connection:
        await connection.execute(text("ALTER TABLE quarantine DROP COLUMN reason"))
    found = await migrations.differences(store.writer)
    assert len(found) == 1
    assert "quarantine" in found[0]
    assert "reason" in found[0]
    await store.close()


async def test_down_leaves_nothing_and_up_comes_back(database_url: str) -> None:
    store = await open_store(database_url)
    await migrations.downgrade(store.writer, "base")
    assert not await migrations.is_current(store.writer)
    async with store.writer.connect() as connection:
        left = await connection.run_sync(lambda c: set(c.dialect.get_table_names(c)))
    assert left == {"alembic_version"}
    await migrations.upgrade(store.writer)
    assert await migrations.differences(store.writer) == []
    await store.close()


async def test_two_processes_may_migrate_at_once(empty_database_url: str) -> None:
    one, other = await open_store(empty_database_url), await open_store(empty_database_url)
    await asyncio.gather(migrations.upgrade(one.writer), migrations.upgrade(other.writer))
    assert await migrations.differences(one.writer) == []
    await one.close()
    await other.close()


async def test_a_database_from_the_future_is_refused(database_url: str) -> None:
    store = await open_store(database_url)
    async with store.writer.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="9999"):
        await migrations.upgrade(store.writer)
    await store.close()


async def test_someone_elses_tables_are_left_alone(empty_database_url: str) -> None:
    store = await open_store(empty_database_url)
    async with store.writer.begin() as connection:
        await connection.execute(text("CREATE TABLE stations (mine int)"))
    with pytest.raises(StoreError, match="stations"):
        await migrations.upgrade(store.writer)
    async with store.writer.connect() as connection:
        left = await connection.run_sync(lambda c: set(c.dialect.get_table_names(c)))
    assert left == {"stations"}
    await store.close()


_KILLED_HALF_WAY = """
import asyncio, os, signal, sys
from sqlalchemy import event
from app import migrations
from app.store.database.engine import open_store

async def main():
    store = await open_store(sys.argv[1])
    done = 0

    @event.listens_for(store.writer.sync_engine, "after_cursor_execute")
    def count(connection, cursor, statement, *rest):
        nonlocal done
        done += statement.lstrip().startswith("CREATE TABLE")
        if done == 8:
            os.kill(os.getpid(), signal.SIGKILL)

    await migrations.upgrade(store.writer)

asyncio.run(main())
"""


async def test_killed_half_way_it_can_be_run_again(empty_database_url: str) -> None:
    killed = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", _KILLED_HALF_WAY, empty_database_url],
        cwd=Path.cwd(),
        check=False,
        capture_output=True,
        timeout=60,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    store = await open_store(empty_database_url)
    assert not await migrations.is_current(store.writer)
    await migrations.upgrade(store.writer)
    assert await migrations.differences(store.writer) == []
    await store.close()
