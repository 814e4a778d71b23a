"""The write gate: nobody is told that the database is busy, and no list misses a slower commit."""

import asyncio
from datetime import datetime
from typing import Any

import pytest

from app.kit.clock import SystemClock
from app.store import frames, tariffs
from app.store.bulk.writer import Writer
from app.store.database.engine import Store, open_store
from app.store.paging import Window


async def test_units_and_batches_at_once_never_meet_a_busy_database(store: Store, make: Any) -> None:
    clock = SystemClock()
    writer = Writer(store, clock)

    async def units(name: str) -> None:
        for number in range(20):
            async with store.unit_of_work(clock) as unit:
                await tariffs.save(unit.session, make.tariff(f"{name}-{number}"), unit.now())

    async def batches(name: str) -> None:
        for number in range(20):
            frame = frames.Frame(name, clock.now(), "in", str(number), "Heartbeat", b"[]")
            async with writer.batch() as batch:
                await batch.write([(frames.INSERT_FRAMES, [frames.row(frame)])])

    async def readers() -> None:
        for _ in range(40):
            async with store.reading() as session:
                await tariffs.page(session, Window(limit=10))

    await asyncio.gather(units("a"), units("b"), batches("c"), batches("d"), readers(), readers())
    async with store.reading() as session:
        assert (await tariffs.page(session, Window(limit=1))).total == 40
        assert (await frames.find(session, "c", limit=1))[1] == 20
    await writer.close()


async def test_readers_are_not_held_up_by_a_writer(store: Store, clock: Any, make: Any) -> None:
    async with store.unit_of_work(clock) as unit:
        await tariffs.save(unit.session, make.tariff(), unit.now())

        async def read() -> int:
            async with store.reading() as session:
                return (await tariffs.page(session, Window(limit=1))).total

        assert await asyncio.wait_for(asyncio.create_task(read()), 30) == 0


async def test_a_list_waits_for_the_slower_commit(store: Store, clock: Any, make: Any) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def slow() -> datetime:
        async with store.unit_of_work(clock) as unit:
            await tariffs.save(unit.session, make.tariff("SLOW"), unit.now())
            begun.set()
            await may_end.wait()
            return unit.now()

    async def listed() -> list[tuple[str, datetime]]:
        await store.pass_gate()
        async with store.reading() as session:
            return list((await tariffs.page(session, Window(limit=10, date_to=clock.now()))).items)

    writing = asyncio.create_task(slow())
    await begun.wait()
    clock.advance(1)
    lists = [asyncio.create_task(listed()) for _ in range(3)]
    await asyncio.sleep(0.3)
    assert not any(each.done() for each in lists)
    may_end.set()
    stamp = await writing
    assert await asyncio.gather(*lists) == [[("SLOW", stamp)]] * 3


async def test_a_list_waits_for_a_slow_batch(store: Store, clock: Any, make: Any) -> None:
    writer, begun, may_end = Writer(store, clock), asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with writer.batch() as batch:
            frame = frames.Frame("CP1", batch.now, "in", "1", "Heartbeat", b"[]")
            await batch.write([(frames.INSERT_FRAMES, [frames.row(frame)])])
            begun.set()
            await may_end.wait()

    writing = asyncio.create_task(slow())
    await begun.wait()
    passing = asyncio.create_task(store.pass_gate())
    await asyncio.sleep(0.2)
    assert not passing.done()
    may_end.set()
    await asyncio.gather(writing, passing)
    await writer.close()


async def test_a_crawl_in_windows_misses_nothing(store: Store, make: Any) -> None:
    """Partners ask [last, now) again and again while units of random length commit out of order."""
    clock, done, seen = SystemClock(), asyncio.Event(), set()

    async def write(number: int) -> None:
        await asyncio.sleep(0.007 * (number % 11))
        async with store.unit_of_work(clock) as unit:
            await tariffs.save(unit.session, make.tariff(f"T{number}"), unit.now())
            await asyncio.sleep(0.013 * (number % 5))

    async def crawl() -> None:
        since = clock.now()
        while True:
            last_round = done.is_set()
            until = clock.now()
            await store.pass_gate()
            async with store.reading() as session:
                window = Window(limit=1000, date_from=since, date_to=until)
                seen.update(id_ for id_, _ in (await tariffs.page(session, window)).items)
            since = until
            if last_round:
                return

    crawling = asyncio.create_task(crawl())
    await asyncio.sleep(0.01)
    await asyncio.gather(*(write(number) for number in range(40)))
    done.set()
    await crawling
    assert seen == {f"T{number}" for number in range(40)}


async def test_one_task_cannot_hold_two_transactions(store: Store, clock: Any) -> None:
    async with store.unit_of_work(clock):
        for second in (store.unit_of_work(clock), store.reading(), Writer(store, clock).batch()):
            with pytest.raises(RuntimeError, match="already holds a transaction"):
                async with second:
                    pass
        with pytest.raises(RuntimeError, match="already holds a transaction"):
            await store.pass_gate()
    writer = Writer(store, clock)
    async with writer.batch():
        with pytest.raises(RuntimeError, match="already holds a transaction"):
            async with writer.batch():
                pass
    async with store.reading(), asyncio.timeout(30):
        pass
    await writer.close()


async def test_stamps_never_go_back(store: Store, clock: Any) -> None:
    writer = Writer(store, clock)
    async with store.unit_of_work(clock) as unit:
        first = unit.now()
    clock.set(first.replace(hour=3))
    async with writer.batch() as batch:
        assert batch.now == first
    clock.set(first.replace(hour=18))
    async with store.unit_of_work(clock) as unit:
        assert unit.now() == clock.now()
    await writer.close()


async def test_two_processes_on_one_file_wait_for_each_other(
    store: Store, database_url: str, make: Any
) -> None:
    other, clock = await open_store(database_url), SystemClock()

    async def save(through: Store, name: str) -> None:
        for number in range(10):
            async with through.unit_of_work(clock) as unit:
                await tariffs.save(unit.session, make.tariff(f"{name}{number}"), unit.now())
                await asyncio.sleep(0.002)

    await asyncio.gather(save(store, "a"), save(other, "b"))
    async with other.reading() as session:
        assert (await tariffs.page(session, Window(limit=1))).total == 20
    await other.close()
