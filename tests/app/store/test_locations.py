"""Locations: whole, with live status from two writers, and versions that only rise."""

import itertools
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from app.domain.locations import Location
from app.domain.status import EvseStatus
from app.store import locations
from app.store.bulk.writer import Writer
from app.store.database.columns import micros
from app.store.database.engine import Store
from app.store.paging import Window


async def _put(store: Store, clock: Any, location: Location, *attached: str) -> Location:
    clock.advance(1)
    async with store.unit_of_work(clock) as unit:
        return await locations.save(unit.session, location, unit.now(), attached=attached)


async def _get(store: Store, location_id: str) -> Location:
    async with store.reading() as session:
        found = await locations.get(session, location_id)
    assert found is not None
    return found


async def _report(writer: Writer, uid: str, status: EvseStatus) -> None:
    async with writer.batch() as batch:
        now = micros(batch.now)
        await batch.write(
            [
                (locations.UPDATE_EVSE_REPORTED, [("LOC1", uid, status.value, now)]),
                (locations.TOUCH_LOCATIONS, [("LOC1", now)]),
            ]
        )


async def test_a_location_comes_back_whole_whatever_the_case_of_its_id(
    store: Store, clock: Any, make: Any
) -> None:
    put = await _put(store, clock, make.location("Loc-1", ("Uid1", "uid2")))
    assert await _get(store, "lOC-1") == put
    assert put == replace(make.location("Loc-1", ("Uid1", "uid2")), evses=put.evses, last_updated=clock.now())
    again = await _put(store, clock, make.location("LOC-1", ("UID1", "uid2"), name="Canal"))
    assert (again.id, again.name, [evse.uid for evse in again.evses]) == ("Loc-1", "Canal", ["Uid1", "uid2"])
    async with store.reading() as session:
        assert await locations.get(session, "elsewhere") is None
        assert await locations.bodies(session, ["Loc-1"]) == {"Loc-1": again}


async def test_what_did_not_change_keeps_its_version(store: Store, clock: Any, make: Any) -> None:
    first = await _put(store, clock, make.location(uids=("a", "b")))
    changed = replace(first.evses[1], evse_id="NL*VBR*E1")
    second = await _put(store, clock, replace(first, evses=(first.evses[0], changed)))
    assert second.last_updated == first.last_updated + timedelta(seconds=1)
    assert second.evses[0] == first.evses[0]
    assert second.evses[1].last_updated == second.last_updated
    assert second.evses[1].connectors == first.evses[1].connectors


async def test_the_station_reports_and_the_operator_overrides(
    store: Store, writer: Writer, clock: Any, make: Any
) -> None:
    put = await _put(store, clock, make.location(), "UID1")
    assert put.evses[0].status is EvseStatus.UNKNOWN, "an operator's AVAILABLE does not count for a station"
    await _report(writer, "uid1", EvseStatus.CHARGING)
    assert (await _get(store, "LOC1")).evses[0].status is EvseStatus.CHARGING
    blocked = replace(put, evses=(replace(put.evses[0], status=EvseStatus.BLOCKED),))
    assert (await _put(store, clock, blocked, "UID1")).evses[0].status is EvseStatus.BLOCKED
    await _report(writer, "uid1", EvseStatus.AVAILABLE)
    assert (await _get(store, "LOC1")).evses[0].status is EvseStatus.BLOCKED
    freed = await _put(store, clock, put, "UID1")
    assert freed.evses[0].status is EvseStatus.AVAILABLE, "the last report counts again"


async def test_without_a_station_the_operator_says(store: Store, clock: Any, make: Any) -> None:
    put = await _put(store, clock, make.location())
    assert put.evses[0].status is EvseStatus.AVAILABLE
    charging = replace(put, evses=(replace(put.evses[0], status=EvseStatus.CHARGING),))
    assert (await _put(store, clock, charging)).evses[0].status is EvseStatus.CHARGING


async def test_versions_rise_although_the_clock_does_not(
    store: Store, writer: Writer, clock: Any, make: Any
) -> None:
    seen = [(await _put(store, clock, make.location(), "UID1"))]
    for status in (EvseStatus.CHARGING, EvseStatus.AVAILABLE):
        await _report(writer, "uid1", status)
        seen.append(await _get(store, "LOC1"))
    async with store.unit_of_work(clock) as unit:
        long_ago = unit.now() - timedelta(days=1)
        await locations.save(unit.session, replace(seen[-1], name="x"), long_ago, attached=["UID1"])
    seen.append(await _get(store, "LOC1"))
    step = timedelta(milliseconds=1)
    assert [b.last_updated - a.last_updated for a, b in itertools.pairwise(seen)] == [step] * 3
    versions = [location.evses[0].last_updated for location in seen]
    assert [b - a for a, b in itertools.pairwise(versions)] == [step, step, timedelta(0)]


async def test_a_dropped_evse_is_gone_and_comes_back_new(store: Store, clock: Any, make: Any) -> None:
    await _put(store, clock, make.location(uids=("a", "b")))
    left = await _put(store, clock, make.location(uids=("b",)))
    assert [evse.uid for evse in left.evses] == ["b"]
    back = await _put(store, clock, make.location(uids=("A", "b")))
    assert [evse.uid for evse in back.evses] == ["A", "b"]
    assert back.evses[0].last_updated == back.last_updated


async def test_lists_leave_out_what_does_not_roam(store: Store, clock: Any, make: Any) -> None:
    await _put(store, clock, make.location("A"))
    await _put(store, clock, make.location("B", roaming=False))
    await _put(store, clock, make.location("C", publish=False))
    async with store.reading() as session:
        roaming = await locations.page(session, Window(limit=9))
        assert [id_ for id_, _ in roaming.items] == ["A", "C"]
        assert (await locations.page(session, Window(limit=9), roaming_only=False)).total == 3
