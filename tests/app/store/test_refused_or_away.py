"""A refused row is told apart from a store that is away, at both doors; and the store comes back by itself."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import make_url

from app.store import frames, locations, tariffs, transactions
from app.store.bulk.statements import query, run
from app.store.bulk.writer import Writer
from app.store.database.engine import POSTGRESQL, SQLITE, Store
from app.store.database.errors import RowRefused, StoreUnavailable
from app.store.paging import Window


def _frame(clock: Any, action: str = "Heartbeat", request: bytes = b"[]") -> Any:
    return frames.row(frames.Frame("CP1", clock.now(), "in", "1", action, request))


async def _count(store: Store) -> int:
    async with store.reading() as session:
        return (await frames.find(session, "CP1", limit=1))[1]


@pytest.mark.parametrize(
    "bad",
    [("a", "x\0y"), ("a", "\ud800"), ("a", None), (2**63, "b"), ("a", object())],
    ids=["NUL", "surrogate", "null", "range", "type"],
)
async def test_a_bad_value_refuses_its_batch_only(
    store: Store, writer: Writer, clock: Any, bad: tuple[Any, Any]
) -> None:
    row = list(_frame(clock))
    row[1 if isinstance(bad[0], int) else 4] = bad[0] if isinstance(bad[0], int) else bad[1]
    with pytest.raises(RowRefused):
        async with writer.batch() as batch:
            await batch.write([(frames.INSERT_FRAMES, [_frame(clock), tuple(row)])])
    assert await _count(store) == 0
    async with writer.batch() as batch:
        await batch.write([(frames.INSERT_FRAMES, [_frame(clock)])])
    assert await _count(store) == 1


async def test_a_second_start_under_another_name_is_refused(
    store: Store, writer: Writer, clock: Any, make: Any
) -> None:
    first = make.transaction("tx1", start_key="same")
    async with writer.batch() as batch:
        await batch.write([(transactions.UPSERT_TRANSACTIONS, [transactions.row(first, batch.now)])])
    second = make.transaction("tx2", start_key="same")
    with pytest.raises(RowRefused):
        async with writer.batch() as batch:
            await batch.write([(transactions.UPSERT_TRANSACTIONS, [transactions.row(second, batch.now)])])
    with pytest.raises(RowRefused):
        async with store.unit_of_work(clock) as unit:
            await transactions.save(unit.session, second, unit.now())


async def test_an_error_of_the_caller_stays_what_it_is_and_nothing_is_kept(
    store: Store, writer: Writer, clock: Any, make: Any
) -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the error comes from inside the block
        async with writer.batch() as batch:
            await batch.write([(frames.INSERT_FRAMES, [_frame(clock)])])
            raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the error comes from inside the block
        async with store.unit_of_work(clock) as unit:
            await tariffs.save(unit.session, make.tariff(), unit.now())
            raise ZeroDivisionError
    assert await _count(store) == 0
    async with store.reading() as session:
        assert (await tariffs.page(session, Window(limit=1))).total == 0


async def test_a_reader_cannot_write(store: Store, make: Any, clock: Any) -> None:
    with pytest.raises(Exception, match=r"readonly|read-only") as refused:
        async with store.reading() as session:
            await tariffs.save(session, make.tariff(), clock.now())
    assert isinstance(refused.value, StoreUnavailable)


async def _kill_connections(store: Store) -> None:
    url = make_url(str(store.url.render_as_string(hide_password=False)))
    dsn = url.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    connection = await asyncpg.connect(dsn)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", url.database
    )
    await connection.close()


@pytest.mark.parametrize("database", [POSTGRESQL])
async def test_a_cut_connection_is_the_store_away_and_heals(
    store: Store, writer: Writer, clock: Any, make: Any
) -> None:
    async with writer.batch() as batch:
        await batch.write([(frames.INSERT_FRAMES, [_frame(clock)])])
    with pytest.raises(StoreUnavailable):  # noqa: PT012 - the error comes from inside the block
        async with writer.batch() as batch:
            await batch.write([(frames.INSERT_FRAMES, [_frame(clock)])])
            await _kill_connections(store)
    with pytest.raises(StoreUnavailable):  # noqa: PT012 - the error comes from inside the block
        async with store.unit_of_work(clock) as unit:
            await tariffs.save(unit.session, make.tariff(), unit.now())
            await _kill_connections(store)
    async with writer.batch() as batch:
        await batch.write([(frames.INSERT_FRAMES, [_frame(clock)])])
    async with store.unit_of_work(clock) as unit:
        await tariffs.save(unit.session, make.tariff(), unit.now())
    await store.pass_gate()
    assert await _count(store) == 2


@pytest.mark.parametrize("database", [POSTGRESQL])
async def test_a_server_that_is_gone_is_the_store_away(store: Store, clock: Any) -> None:
    gone = Store(store.url.set(query={"host": "/nowhere"}), store.reader, store.writer)
    writer = Writer(gone, clock)
    with pytest.raises(StoreUnavailable):
        async with writer.batch():
            pass
    await writer.close()


_FULL_DISK = """
import asyncio, resource, signal, sys
from app.kit.clock import SystemClock
from app.store import frames, tariffs
from app.store.database.engine import open_store
from app.store.database.errors import StoreUnavailable
from app.store.bulk.writer import Writer

async def main():
    store, clock = await open_store(sys.argv[1]), SystemClock()
    writer = Writer(store, clock)

    async def write(size):
        async with writer.batch() as batch:
            frame = frames.Frame("CP1", batch.now, "in", "1", "MeterValues", bytes(size))
            await batch.write([(frames.INSERT_FRAMES, [frames.row(frame)])])

    await write(10)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        await write(4 << 20)
    except StoreUnavailable as error:
        print("away")
    async with store.reading() as session:
        print("kept", (await frames.find(session, "CP1", limit=1))[1])
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    await write(4 << 20)
    async with store.reading() as session:
        print("kept", (await frames.find(session, "CP1", limit=1))[1])
    await writer.close()
    await store.close()

asyncio.run(main())
"""


@pytest.mark.parametrize("database", [SQLITE])
def test_a_disk_that_takes_no_more_is_the_store_away_and_heals(database_url: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", _FULL_DISK, database_url],
        cwd=Path.cwd(),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.stdout.splitlines() == ["away", "kept 1", "kept 2"], run.stderr


@pytest.mark.parametrize("database", [POSTGRESQL])
async def test_writers_in_each_others_way_may_try_again(
    store: Store, writer: Writer, clock: Any, make: Any
) -> None:
    async with store.unit_of_work(clock) as unit:
        for id_ in ("A", "B"):
            await locations.save(unit.session, make.location(id_), unit.now())
    touched = {id_: [(locations.TOUCH_LOCATIONS, [(id_, 1)])] for id_ in ("A", "B")}
    both_hold_one = asyncio.Barrier(2)

    async def batch() -> None:
        async with writer.batch() as batch:
            await batch.write(touched["A"])
            await batch.fetch(query("SELECT id FROM locations"))
            await both_hold_one.wait()
            await batch.write(touched["B"])

    async def unit_of_work() -> None:
        async with store.unit_of_work(clock) as unit:
            await run(unit.session, *touched["B"][0])
            await both_hold_one.wait()
            await run(unit.session, *touched["A"][0])

    first = await asyncio.gather(batch(), unit_of_work(), return_exceptions=True)
    assert sorted(type(each).__name__ for each in first) == ["NoneType", "StoreConflict"]
    async with writer.batch() as again:
        await again.write(touched["A"] + touched["B"])
