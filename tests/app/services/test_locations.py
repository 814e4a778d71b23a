"""Locations as the operator puts them."""

import pytest
from msgspec.structs import replace

from app.domain.errors import Invalid
from app.domain.events import LocationChanged
from app.domain.status import EvseStatus
from app.services import locations
from app.store import locations as rows


async def put(store, clock, location, **more):
    async with store.unit_of_work(clock) as unit:
        stored, created = await locations.put(unit, location, **more)
        return stored, created, list(unit.events)


async def test_a_location_is_created_then_replaced_and_announced(store, clock, objects):
    _, created, events = await put(store, clock, objects.location())
    assert created
    assert [type(event) for event in events] == [LocationChanged]

    clock.advance(1)
    stored, created, _ = await put(store, clock, objects.location(city="Delft"))

    assert not created
    assert stored.last_updated == clock.now()
    assert stored.evses[0].last_updated < stored.last_updated


async def test_an_evse_that_is_no_longer_named_is_removed_and_stays(store, clock, objects):
    two = objects.location(evses=(objects.evse("E1"), objects.evse("E2")))
    await put(store, clock, two)

    stored, _, _ = await put(store, clock, objects.location(evses=(objects.evse("E1"),)))

    assert [(evse.uid, evse.status) for evse in stored.evses] == [
        ("E1", EvseStatus.AVAILABLE),
        ("E2", EvseStatus.REMOVED),
    ]


async def test_withdrawing_marks_every_evse_removed(store, clock, objects):
    await put(store, clock, objects.location(evses=(objects.evse("E1"), objects.evse("E2"))))

    async with store.unit_of_work(clock) as unit:
        assert await locations.withdraw(unit, "QUAY-77")
        assert not await locations.withdraw(unit, "unknown")

    async with store.reading() as session:
        location = await rows.get(session, "quay-77")
    assert {evse.status for evse in location.evses} == {EvseStatus.REMOVED}


async def test_a_location_taken_out_of_roaming_is_still_announced_once(store, clock, objects):
    await put(store, clock, objects.location())

    _, _, taken_out = await put(store, clock, objects.location(roaming=False))
    _, _, still_out = await put(store, clock, objects.location(roaming=False, city="Delft"))

    assert [event.roaming for event in taken_out] == [True]
    assert [event.roaming for event in still_out] == [False]


async def test_what_a_station_can_do_is_filled_in_unless_the_operator_says(store, clock, objects):
    both = (objects.evse("E1"), objects.evse("E2", capabilities=("RESERVABLE",)), objects.evse("E3"))

    stored, _, _ = await put(store, clock, objects.location(evses=both), attached={"e1", "e2"})

    assert [evse.capabilities for evse in stored.evses] == [
        locations.OF_A_STATION,
        ("RESERVABLE",),
        (),
    ]


@pytest.mark.parametrize("database", ["sqlite"])
async def test_what_cannot_be_published_or_told_apart_is_refused(store, clock, objects):
    nameless = objects.location(evses=(objects.evse("E7", evse_id=None),))
    twins = objects.location(evses=(objects.evse("E1"), objects.evse("e1")))
    evse = objects.evse()
    doubled = objects.location(evses=(replace(evse, connectors=evse.connectors * 2),))

    for location, field in (
        (nameless, "evses[0].evse_id"),
        (twins, "evses[1].uid"),
        (doubled, "evses[0].connectors"),
    ):
        with pytest.raises(Invalid) as refused:
            await put(store, clock, location)
        assert refused.value.field == field
    await put(store, clock, replace(nameless, publish=False))
