"""The registry in memory against changes that happen while it reads."""

import asyncio
from datetime import timedelta

from ocpi.partners import tables
from ocpi.partners.registry import PartnerRegistry, TokenKind
from ocpi.partners.tokens import token_hash
from tests.ocpi.partners.test_partners import NOW, partner, save


async def test_what_was_read_before_a_change_never_replaces_what_was_read_after_it(store, clock, monkeypatch):
    await save(store, clock, partner(name="before"))
    registry = PartnerRegistry(store)
    read, go_on = asyncio.Event(), asyncio.Event()
    load = tables.load

    async def slow(session, partner_id):
        found = await load(session, partner_id)
        read.set()
        await go_on.wait()
        return found

    monkeypatch.setattr(tables, "load", slow)
    first = asyncio.create_task(registry.refresh("p1"))
    await read.wait()
    monkeypatch.setattr(tables, "load", load)
    await save(store, clock, partner(name="after"))
    second = asyncio.create_task(registry.refresh("p1"))
    await asyncio.wait({second}, timeout=0.2)
    go_on.set()
    await asyncio.gather(first, second)
    assert registry.find("p1").name == "after"


async def test_a_token_that_was_replaced_and_is_void_is_not_brought_back_by_a_read(store, clock):
    rotated = partner(previous_token_hash=token_hash("old"), previous_until=NOW + timedelta(days=1))
    await save(store, clock, rotated)
    registry = PartnerRegistry(store)
    await registry.load()
    assert registry.by_token(("old",), NOW).kind is TokenKind.PREVIOUS
    registry.drop_previous("p1")
    for read in (registry.refresh("p1"), registry.load(), registry.refresh("p1")):
        await read
        assert registry.by_token(("old",), NOW) is None
    await save(store, clock, partner())
    await registry.refresh("p1")
    await save(store, clock, rotated)
    await registry.refresh("p1")
    assert registry.by_token(("old",), NOW).kind is TokenKind.PREVIOUS
