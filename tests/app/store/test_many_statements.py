"""A batch that writes to many tables, and to one of them twice: everything arrives, in the right order."""

from typing import Any

import pytest
from sqlalchemy import text

from app.store import frames, stations
from app.store.bulk.writer import Writer
from app.store.database.engine import Store
from app.store.database.errors import RowRefused
from app.store.frames import Frame, Quarantined, StationEvent


def _work(make: Any, message_id: Any = "m1") -> list[Any]:
    frame = Frame("CP1", make.noon, "in", message_id, "Heartbeat", b"[]")
    kept = Quarantined("CP1", make.noon, b"[]", "why")
    event = StationEvent("CP1", make.noon, make.noon, "SecurityEventNotification", "{}")
    return [
        (frames.INSERT_FRAMES, [frames.row(frame)] * 3),
        (frames.INSERT_QUARANTINE, [frames.quarantine_row(kept)]),
        (stations.TAKE_LEASES, [("CP1", 5, 0)]),
        (frames.INSERT_STATION_EVENTS, [frames.event_row(event)] * 2),
        (stations.TAKE_LEASES, [("CP1", 7, 0)]),
    ]


async def _counts(store: Store) -> list[int]:
    tables = ("frames", "quarantine", "station_events")
    async with store.reading() as session:
        return [
            (await session.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() for table in tables
        ]


async def test_all_of_it_is_written_once_and_in_order(
    store: Store, writer: Writer, clock: Any, make: Any
) -> None:
    async with store.unit_of_work(clock) as unit:
        await stations.save(unit.session, make.station("CP1"), clock.now())
    async with writer.batch() as batch:
        await batch.write(_work(make))
        epochs = await batch.fetch(stations.EPOCHS, ["CP1"])
    assert epochs == [("CP1", 2)]
    assert await _counts(store) == [3, 1, 2]


async def test_one_refused_row_takes_all_of_it_back(store: Store, writer: Writer, make: Any) -> None:
    with pytest.raises(RowRefused):
        async with writer.batch() as batch:
            await batch.write(_work(make, message_id=None))
    assert await _counts(store) == [0, 0, 0]
