"""Pages are read once for all who ask together, never older than the question, and kept until a write."""

import asyncio

import pytest

from app.store.paging import Page
from ocpi.server.shelf import Listed, Shelf


class Database:
    """Stands for the store: one table, counted writes."""

    def __init__(self):
        self.writes = 0
        self.reads = 0

    async def pass_gate(self):
        await asyncio.sleep(0)

    def written(self, tables):
        return (self.writes,)

    async def read(self, before):
        self.reads += 1
        seen = self.writes
        await asyncio.sleep(0.01)
        return listed(seen)


def listed(number, size=1):
    return Listed(Page(items=(), total=number, next=None), b"x" * size)


@pytest.fixture
def database():
    return Database()


async def test_what_did_not_change_is_not_read_again(database):
    shelf = Shelf(database)
    await shelf.get("a", ["t"], database.read)
    await shelf.get("a", ["t"], database.read)
    assert database.reads == 1
    database.writes = 7
    assert (await shelf.get("a", ["t"], database.read)).page.total == 7
    assert database.reads == 2


async def test_whoever_asks_during_a_read_gets_one_that_began_later(database):
    shelf = Shelf(database)
    first = asyncio.create_task(shelf.get("a", ["t"], database.read))
    await asyncio.sleep(0.005)
    database.writes = 1
    late = await asyncio.gather(*(shelf.get("a", ["t"], database.read) for _ in range(5)))
    assert (await first).page.total == 0
    assert {each.page.total for each in late} == {1}
    assert database.reads == 2


async def test_a_read_that_fails_is_tried_again_by_the_next(database):
    async def failing(before):
        raise OSError

    shelf = Shelf(database)
    with pytest.raises(OSError):
        await shelf.get("a", ["t"], failing)
    assert (await shelf.get("a", ["t"], database.read)).page.total == 0


async def test_the_longest_unused_pages_go_first(database):
    async def large(before):
        database.reads += 1
        return listed(0, size=40)

    shelf = Shelf(database, most_bytes=100)
    for key in ("a", "b", "a", "c"):
        await shelf.get(key, ["t"], large)
    assert database.reads == 3
    await shelf.get("a", ["t"], large)
    assert database.reads == 3
    await shelf.get("b", ["t"], large)
    assert database.reads == 4
