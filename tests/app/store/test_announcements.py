"""Events become marks in the same transaction; a failing subscriber costs nobody his change."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlmodel import col

from app.domain.events import Event, Mark, StationChanged, TariffChanged
from app.outbox.tables import DeliveryRow
from app.store import tariffs
from app.store.database.engine import Store, open_store
from app.store.paging import Window


def _mark(event: Event, **fields: Any) -> Mark:
    assert isinstance(event, TariffChanged)
    values: dict[str, Any] = {"whole": False, "wanted": event.at} | fields
    return Mark(partner_id="p1", kind="tariff", object_id=event.tariff_id, rank=0, **values)


def _marks_of(events: Sequence[Event]) -> list[Mark]:
    return [_mark(event) for event in events if isinstance(event, TariffChanged)]


async def _rows(store: Store) -> list[DeliveryRow]:
    async with store.reading() as session:
        return list((await session.execute(select(DeliveryRow).order_by(col(DeliveryRow.id)))).scalars())


async def _announce(store: Store, clock: Any, tariff_id: str = "T1") -> None:
    async with store.unit_of_work(clock) as unit:
        unit.emit(TariffChanged(tariff_id=tariff_id, at=unit.now()))


async def test_marks_are_kept_with_the_change_and_told_after_it(store: Store, clock: Any) -> None:
    heard: list[Event] = []
    store.subscribe(_marks_of)
    store.after_commit(heard.extend)
    async with store.unit_of_work(clock) as unit:
        event = TariffChanged(tariff_id="T1", at=unit.now())
        unit.emit(event)
        unit.emit(StationChanged(station_id="CP1"))
        assert unit.events[0] is event
        assert heard == []
    assert heard == [event, StationChanged(station_id="CP1")]
    (row,) = await _rows(store)
    assert (row.partner_id, row.kind, row.object_id, row.state, row.attempts) == (
        "p1",
        "tariff",
        "T1",
        "waiting",
        0,
    )
    assert (row.next_at, row.created_at, row.whole, row.confirmed) == (event.at, event.at, False, None)


async def test_a_unit_that_fails_tells_nobody(store: Store, clock: Any) -> None:
    heard: list[Event] = []
    store.subscribe(_marks_of)
    store.after_commit(heard.extend)
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the error comes from inside the block
        async with store.unit_of_work(clock) as unit:
            unit.emit(TariffChanged(tariff_id="T1", at=unit.now()))
            raise ZeroDivisionError
    assert heard == []
    assert await _rows(store) == []


async def test_a_failing_subscriber_leaves_a_dead_row_and_the_others_are_asked(
    store: Store, clock: Any, make: Any
) -> None:
    def broken(events: Sequence[Event]) -> list[Mark]:
        raise LookupError("no such\0 partner")

    def deaf(events: Sequence[Event]) -> None:
        raise OSError

    heard: list[Event] = []
    store.subscribe(broken)
    store.subscribe(_marks_of)
    store.after_commit(deaf)
    store.after_commit(heard.extend)
    async with store.unit_of_work(clock) as unit:
        await tariffs.save(unit.session, make.tariff(), unit.now())
        unit.emit(TariffChanged(tariff_id="T1", at=unit.now()))
    waiting, dead = sorted(await _rows(store), key=lambda row: row.state, reverse=True)
    assert waiting.object_id == "T1"
    assert (dead.state, dead.kind, dead.partner_id) == ("dead", "event", "")
    assert "TariffChanged" in dead.object_id
    assert dead.last_error is not None
    assert "LookupError" in dead.last_error
    assert len(heard) == 1
    async with store.reading() as session:
        assert (await tariffs.page(session, Window(limit=1))).total == 1


async def test_marks_without_a_keeper_are_a_mistake_of_the_wiring(database_url: str, clock: Any) -> None:
    store = await open_store(database_url)
    store.subscribe(_marks_of)
    with pytest.raises(RuntimeError, match="nobody keeps"):
        await _announce(store, clock)
    await store.close()


async def _settle(store: Store, clock: Any, state: str, **values: Any) -> None:
    async with store.unit_of_work(clock) as unit:
        await unit.session.execute(update(DeliveryRow).values(state=state, **values))


@pytest.mark.parametrize("settled", ["delivered", "dead"])
async def test_a_mark_on_a_settled_row_starts_it_anew(store: Store, clock: Any, settled: str) -> None:
    store.subscribe(_marks_of)
    await _announce(store, clock)
    first = (await _rows(store))[0].wanted
    await _settle(
        store, clock, settled, attempts=7, confirmed=first, last_error="x", delivered_at=clock.now()
    )
    clock.advance(60)
    await _announce(store, clock)
    (row,) = await _rows(store)
    assert (row.state, row.attempts, row.last_error, row.delivered_at) == ("waiting", 0, None, None)
    assert (row.created_at, row.next_at, row.confirmed) == (clock.now(), clock.now(), first)
    assert row.wanted == first + 60_000_000


@pytest.mark.parametrize("state", ["waiting", "in_flight", "failing"])
async def test_a_mark_on_a_row_under_way_keeps_its_turn_and_is_seen(
    store: Store, clock: Any, state: str
) -> None:
    store.subscribe(_marks_of)
    await _announce(store, clock)
    before = (await _rows(store))[0]
    await _settle(store, clock, state, attempts=3, last_error="down")
    await _announce(store, clock)
    (row,) = await _rows(store)
    assert (row.state, row.attempts, row.last_error) == (state, 3, "down")
    assert (row.created_at, row.next_at) == (before.created_at, before.next_at)
    assert row.wanted == before.wanted + 1, "the same version again is a mark all the same"


async def test_whole_stays_asked_for_until_it_was_delivered(store: Store, clock: Any) -> None:
    wishes = iter([True, False, False])
    store.subscribe(lambda events: [_mark(event, whole=next(wishes)) for event in events])
    for state, expected in (("waiting", True), ("delivered", True), (None, False)):
        await _announce(store, clock)
        assert (await _rows(store))[0].whole is expected
        if state is not None:
            await _settle(store, clock, state)


async def test_two_marks_for_one_object_are_one_row(store: Store, clock: Any) -> None:
    store.subscribe(lambda events: [_mark(event, whole=True) for event in events])
    store.subscribe(_marks_of)
    await _announce(store, clock)
    (row,) = await _rows(store)
    assert row.whole is True
