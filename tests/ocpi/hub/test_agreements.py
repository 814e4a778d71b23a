"""Agreements in memory against changes that happen while they are read."""

import asyncio

from app.domain.parties import Party
from app.store.hub import objects as rows
from ocpi.hub.agreements import Agreements

ONE, OTHER = Party("NL", "AAA"), Party("DE", "EMS")


async def test_an_agreement_that_ended_is_not_brought_back_by_a_slow_read(store, clock, monkeypatch):
    agreements = Agreements(store, clock)
    await agreements.put(ONE, OTHER, [])
    assert agreements.known(ONE, OTHER)
    read, go_on = asyncio.Event(), asyncio.Event()
    find = rows.agreements

    async def slow(session):
        found = [*await find(session)]
        for row in found:
            session.expunge(row)
        read.set()
        await go_on.wait()
        return found

    monkeypatch.setattr(rows, "agreements", slow)
    reading = asyncio.create_task(agreements.reload())
    await read.wait()
    monkeypatch.setattr(rows, "agreements", find)
    ending = asyncio.create_task(agreements.end(ONE, OTHER))
    await asyncio.wait({ending}, timeout=0.5)
    go_on.set()
    await asyncio.gather(reading, ending)
    assert not agreements.known(ONE, OTHER)
