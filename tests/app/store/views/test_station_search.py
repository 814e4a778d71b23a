"""Looking for stations among many, on every database."""

import pytest

from app.domain.stations import Admission, BootReport, ChargingStation, ConnectorReport
from app.domain.status import ConnectorStatus
from app.store import stations
from app.store.bulk.statements import run
from app.store.views.station_search import Make, StationQuery, makes, search


def station(clock, name, model, *, state=Admission.ACCEPTED, version="1.6", location=None):
    boot = BootReport(vendor="V", model=model, serial_number=f"SN-{name}", firmware_version="1.2")
    return ChargingStation(
        id=name, state=state, location_id=location, ocpp_version=version, boot=boot, last_updated=clock.now()
    )


@pytest.fixture
async def fleet(store, clock):
    """Three stations that were let in, one that waits; the first is faulted at its second connector."""
    now = clock.now()
    async with store.unit_of_work(clock) as unit:
        for each in (
            station(clock, "CP-1", "Alpha", location="L1"),
            station(clock, "CP-2", "Beta"),
            station(clock, "CP-3", "Alpha", version="2.0.1"),
            station(clock, "NEW_%", "Gamma", state=Admission.PENDING),
        ):
            await stations.save(unit.session, each, now)
        words = (ConnectorStatus.AVAILABLE, ConnectorStatus.FAULTED)
        reports = [
            ConnectorReport(evse=number, connector=1, status=status, at=now, received_at=now)
            for number, status in enumerate(words, 1)
        ]
        await run(
            unit.session,
            stations.UPSERT_CONNECTORS,
            [stations.connector_row("CP-1", each) for each in reports],
        )
    return store


async def names(store, **wanted):
    async with store.reading() as session:
        found, total = await search(session, StationQuery(**wanted), limit=10)
    assert total == len(found)
    return [each.station.id for each in found]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["CP-1", "CP-2", "CP-3", "NEW_%"]),
        ({"state": Admission.PENDING}, ["NEW_%"]),
        ({"model": "Alpha"}, ["CP-1", "CP-3"]),
        ({"model": "Alpha", "version": "1.6"}, ["CP-1"]),
        ({"firmware": "1.2", "location_id": "L1"}, ["CP-1"]),
        ({"status": ConnectorStatus.FAULTED}, ["CP-1"]),
        ({"online": True}, []),
        ({"search": "cp-2"}, ["CP-2"]),
        ({"search": "sn-new_"}, ["NEW_%"]),
        ({"search": "_%"}, ["NEW_%"]),
        ({"search": "bet"}, ["CP-2"]),
        ({"sort": "-id", "model": "Alpha"}, ["CP-3", "CP-1"]),
        ({"sort": "model"}, ["CP-1", "CP-3", "CP-2", "NEW_%"]),
    ],
)
async def test_what_is_looked_for_is_found(fleet, wanted, found):
    assert await names(fleet, **wanted) == found


async def test_a_page_is_part_of_the_whole(fleet):
    async with fleet.reading() as session:
        found, total = await search(session, StationQuery(), limit=1, offset=1)
    assert ([each.station.id for each in found], total) == (["CP-2"], 4)


async def test_makes_are_counted(fleet):
    async with fleet.reading() as session:
        found = await makes(session)
    assert set(found) == {
        Make("Alpha", "1.2", "1.6", 1), Make("Beta", "1.2", "1.6", 1), Make("Alpha", "1.2", "2.0.1", 1)
    }  # fmt: skip
