"""Stations: the operator's set-up, the lease that fences writers, and the last word of each connector."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from app.domain.errors import NotFound
from app.domain.stations import Admission, ConnectorReport
from app.domain.status import ConnectorStatus
from app.store import stations
from app.store.bulk.writer import Writer
from app.store.database.engine import Store


async def test_a_station_comes_back_as_set_up(store: Store, clock: Any, make: Any) -> None:
    async with store.unit_of_work(clock) as unit:
        await stations.save(unit.session, make.station(), unit.now())
        await stations.set_password_hash(unit.session, "CP1", "salt$hash")
        await stations.adopt_until(unit.session, "CP1", unit.now() + timedelta(minutes=15))
    async with store.unit_of_work(clock) as unit:
        await stations.save(unit.session, make.station(location_id=None), unit.now())
    async with store.reading() as session:
        found = await stations.get(session, "CP1")
        assert found is not None
        assert found.station == make.station(location_id=None, last_updated=clock.now())
        assert (found.has_password, found.online, found.created_at) == (True, False, clock.now())
        assert found.adopt_until == clock.now() + timedelta(minutes=15)
        assert (await stations.credentials(session, ["CP1"]))["CP1"].password_hash == "salt$hash"
        assert await stations.get(session, "cp1") is None, "station ids are compared as they are"
        assert await stations.credentials(session, ["cp1"]) == {}


async def test_lists_by_state_and_location(store: Store, clock: Any, make: Any) -> None:
    async with store.unit_of_work(clock) as unit:
        for id_, state in (("B", Admission.PENDING), ("A", Admission.ACCEPTED), ("C", Admission.ACCEPTED)):
            station = make.station(id_, state=state, location_id=f"L{id_}")
            await stations.save(unit.session, station, unit.now())
    async with store.reading() as session:
        everyone, total = await stations.find(session, limit=2)
        assert ([each.station.id for each in everyone], total) == (["A", "B"], 3)
        accepted, total = await stations.find(session, state=Admission.ACCEPTED, limit=9, offset=1)
        assert ([each.station.id for each in accepted], total) == (["C"], 2)
        assert (await stations.find(session, location_id="LC", limit=9))[1] == 1


async def test_a_lease_fences_the_one_before(store: Store, writer: Writer, clock: Any, make: Any) -> None:
    async with store.unit_of_work(clock) as unit:
        await stations.save(unit.session, make.station(), unit.now())
        first = await stations.take_lease(unit.session, "CP1")
        assert await stations.set_online(unit.session, "CP1", first, unit.now(), online=True)
    clock.advance(5)
    async with store.unit_of_work(clock) as unit:
        second = await stations.take_lease(unit.session, "CP1")
        assert not await stations.set_online(unit.session, "CP1", first, unit.now(), online=False)
        with pytest.raises(NotFound):
            await stations.take_lease(unit.session, "nobody")
        with pytest.raises(NotFound):
            await stations.set_password_hash(unit.session, "nobody", "x")
    assert second == first + 1
    async with writer.batch() as batch:
        assert await batch.fetch(stations.EPOCHS, ["CP1"]) == [("CP1", second)]
    async with store.reading() as session:
        found = await stations.get(session, "CP1")
    assert found is not None
    assert (found.online, found.connected_at) == (True, clock.now() - timedelta(seconds=5))
    async with store.unit_of_work(clock) as unit:
        await stations.give_up_lost(unit.session, unit.now())
        found = await stations.get(unit.session, "CP1")
    assert found is not None
    assert (found.online, found.disconnected_at) == (False, clock.now())


async def test_the_batch_writes_what_the_station_said_and_nothing_else(
    store: Store, writer: Writer, clock: Any, make: Any
) -> None:
    async with store.unit_of_work(clock) as unit:
        await stations.save(unit.session, make.station(), unit.now())
        await stations.set_password_hash(unit.session, "CP1", "h")
        await stations.take_lease(unit.session, "CP1")
    clock.advance(9)
    report = ConnectorReport(
        evse=1,
        connector=1,
        status=ConnectorStatus.FAULTED,
        error_code="GroundFailure",
        at=make.noon,
        received_at=make.noon,
    )
    other = replace(report, evse=2, info="…")
    firmware = make.station(firmware_status="Installed")
    async with writer.batch() as batch:
        rows = [stations.connector_row("CP1", each) for each in (other, report)]
        await batch.write(
            [
                (stations.UPSERT_STATIONS, [stations.station_row(firmware, batch.now)]),
                (stations.UPSERT_CONNECTORS, rows),
            ]
        )
        healed = replace(report, status=ConnectorStatus.AVAILABLE, error_code="NoError")
        await batch.write([(stations.UPSERT_CONNECTORS, [stations.connector_row("CP1", healed)])])
        found = stations.connectors_from_batch(
            await batch.fetch(stations.CONNECTORS_OF_STATIONS, ["CP1", "CP2"])
        )
        ((id_, doc, epoch, _, _, version, turn, node),) = await batch.fetch(stations.STATIONS_BY_ID, ["CP1"])
    assert found == {"CP1": [healed, other]}
    assert (id_, epoch, turn, node) == ("CP1", 1, 0, None)
    assert stations.station_from_batch(doc, version) == replace(firmware, last_updated=clock.now())
    async with store.reading() as session:
        assert await stations.connectors_of(session, ["CP1"]) == found
        stored = await stations.get(session, "CP1")
        assert stored is not None
        assert (stored.has_password, stored.last_seen) == (True, clock.now())
    async with writer.batch() as batch:
        await batch.write([(stations.TOUCH_STATIONS, [("CP1", 1), ("nobody", 2)])])
    async with store.unit_of_work(clock) as unit:
        seen = await stations.get(unit.session, "CP1")
        assert seen is not None
        assert seen.last_seen is not None
        assert seen.last_seen.year == 1970
        assert await stations.remove(unit.session, "CP1")
        assert not await stations.remove(unit.session, "CP1")
        assert await stations.connectors_of(unit.session, ["CP1"]) == {}
