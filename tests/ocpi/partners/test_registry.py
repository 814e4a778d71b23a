"""The registry in memory against changes that happen while it reads."""

import asyncio

from ocpi.partners import tables
from ocpi.partners.registry import PartnerRegistry
from tests.ocpi.partners.test_partners import partner, save


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
