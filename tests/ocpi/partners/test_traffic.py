"""The message log: what waits is written in few transactions, however steadily more comes."""

from contextlib import asynccontextmanager

from app.kit.clock import SystemClock
from app.store import messages
from ocpi.partners.traffic import Heard, Traffic


def heard(number: int) -> Heard:
    return Heard("p-1", "GET", f"/ocpi/{number}", f"r{number}", "c", 200, 1000, 0.001, b"", b"{}")


async def test_what_comes_while_it_is_written_waits_for_the_next_turn(store, monkeypatch):
    traffic = Traffic(store, SystemClock())
    written = []
    unit_of_work = store.unit_of_work

    @asynccontextmanager
    async def while_more_comes(clock):
        written.append(len(written))
        traffic.heard(heard(100 + len(written)))
        async with unit_of_work(clock) as unit:
            yield unit

    monkeypatch.setattr(store, "unit_of_work", while_more_comes)
    for number in range(3):
        traffic.heard(heard(number))
    await traffic.flush()
    assert len(written) == 1
    async with store.reading() as session:
        _, total = await messages.find(session, limit=10)
    assert total == 3
    monkeypatch.undo()
    await traffic.flush()
    async with store.reading() as session:
        found, total = await messages.find(session, limit=10)
    assert (total, found[0].url) == (4, "/ocpi/101")


async def test_many_are_written_in_portions(store):
    traffic = Traffic(store, SystemClock())
    for number in range(300):
        traffic.heard(heard(number))
    await traffic.flush()
    async with store.reading() as session:
        found, total = await messages.find(session, limit=1)
    assert (total, found[0].url) == (300, "/ocpi/299")
