"""Availability is summed up by days: figures stay what they were, and old turns go."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.domain.charging.availability import Standing, Turn
from app.domain.stations import Admission, ChargingStation
from app.services import housekeeping
from app.services.housekeeping import Housekeeping
from app.store import stations
from app.store.bulk.statements import run
from app.store.database.engine import Store
from app.store.views import availability, availability_days

MONDAY = datetime(2026, 11, 16, tzinfo=UTC)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
UP, DOWN = Standing.SERVING, Standing.FAULTED


async def put(store: Store, clock: Any, station_id: str, place: str, *turns: tuple[float, Standing]) -> None:
    async with store.unit_of_work(clock) as unit:
        station = ChargingStation(
            id=station_id, state=Admission.ACCEPTED, location_id=place, last_updated=clock.now()
        )
        await stations.save(unit.session, station, unit.now())
        report = (station_id, 1, 1, "Available", "NoError", None, None, None, 0, 0)
        await run(unit.session, stations.UPSERT_CONNECTORS, [report])
        rows = [availability.row(station_id, Turn(1, how), MONDAY + hours * HOUR) for hours, how in turns]
        await run(unit.session, availability.PUT_TURNS, rows)


async def figures(store: Store) -> list[Any]:
    """Of a period that begins and ends within days, and of one of whole days."""
    async with store.reading() as session:
        return [
            await reader(session, since, until)
            for since, until in ((MONDAY + 5 * HOUR, NOW), (MONDAY, MONDAY + 48 * HOUR))
            for reader in (
                availability_days.by_station,
                availability_days.by_location,
                availability_days.by_day,
            )
        ]


async def test_sums_of_days_tell_the_same(store: Store, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    await put(store, clock, "A", "L1", (3, UP), (10, DOWN), (12, UP), (30, DOWN), (100, UP))
    await put(store, clock, "B", "L1", (50, UP))
    await put(store, clock, "C", "L2", (-50, UP), (80, DOWN))
    keeping = Housekeeping(store, intake=None, clock=clock)  # type: ignore[arg-type]  # not asked for this
    before = await figures(store)
    assert before[0]["A"] == (103 * HOUR.total_seconds(), 31 * HOUR.total_seconds())
    await keeping.sum_up_availability()
    async with store.reading() as session:
        assert await availability_days.summed_until(session) == NOW.replace(hour=0)
    assert await figures(store) == before
    monkeypatch.setattr(housekeeping, "TURNS_KEPT", timedelta(days=1))
    clock.advance(2 * 86_400)
    await keeping.sum_up_availability()
    async with store.unit_of_work(clock) as unit:
        oldest = await availability.oldest(unit.session)
        assert oldest == MONDAY + 50 * HOUR  # how B stands is known from here on
        assert (await availability_days.by_day(unit.session, MONDAY, MONDAY + 48 * HOUR)) == before[5]
        await availability_days.forget_before(unit.session, MONDAY + 24 * HOUR)
        assert list(await availability_days.by_day(unit.session, MONDAY, MONDAY + 48 * HOUR)) == [
            "2026-11-17"
        ]
        await availability_days.forget_station(unit.session, "A")
        found = await availability_days.by_station(unit.session, MONDAY, clock.now())
    assert sorted(map(str, found)) == ["B", "C"]


async def test_nothing_to_sum_up(store: Store, clock: Any) -> None:
    keeping = Housekeeping(store, intake=None, clock=clock)  # type: ignore[arg-type]
    await keeping.sum_up_availability()
    await put(store, clock, "A", "L1", (97, UP))  # today
    await keeping.sum_up_availability()
    async with store.reading() as session:
        assert await availability_days.summed_until(session) is None
