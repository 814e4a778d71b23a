"""What was read of a table is known to hold until somebody writes it, through either door."""

from typing import Any

import pytest

from app.store import locations
from app.store.bulk.writer import Writer
from app.store.database.changes import written_by
from app.store.database.engine import SQLITE, Store
from app.store.locations import TOUCH_LOCATIONS

TABLES = ("locations", "evses")


async def state(store: Store) -> object:
    await store.pass_gate()
    return store.written(TABLES)


async def test_nothing_written_is_no_change(store: Store) -> None:
    assert await state(store) == await state(store)


async def test_an_ordinary_unit_of_work_is_a_change(store: Store, clock: Any, make: Any) -> None:
    before = await state(store)
    async with store.unit_of_work(clock) as unit:
        await locations.save(unit.session, make.location("L1"), unit.now())
    assert await state(store) != before


async def test_a_batch_is_a_change(store: Store, clock: Any, make: Any) -> None:
    async with store.unit_of_work(clock) as unit:
        await locations.save(unit.session, make.location("L1"), unit.now())
    before = await state(store)
    writer = Writer(store, clock)
    async with writer.batch() as batch:
        await batch.write([(TOUCH_LOCATIONS, [("L1", 1)])])
    await writer.close()
    assert await state(store) != before


async def test_other_tables_do_not_count_where_one_process_writes(store: Store, clock: Any) -> None:
    if store.dialect != SQLITE:
        pytest.skip("PostgreSQL names the state of the whole database")
    store.gate.changes.notice(["messages"])
    before = await state(store)
    async with store.unit_of_work(clock):
        pass
    assert await state(store) == before


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("INSERT INTO locations (id) VALUES (?)", ("locations",)),
        ("WITH v (id) AS (VALUES (?)) UPDATE evses SET reported = v.id FROM v", ("evses",)),
        ('delete from "tariffs" where id = ?', ("tariffs",)),
        ("SELECT updated FROM locations", ()),
    ],
)
def test_a_statement_tells_what_it_writes(sql: str, tables: tuple[str, ...]) -> None:
    assert written_by(sql) == tables
