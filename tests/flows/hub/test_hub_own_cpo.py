"""Our own CPO behind the hub: told by it, once, and only to those it has an agreement with."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from app.domain.cdrs import CdrState
from app.domain.errors import Conflict
from app.domain.events import CdrIssued, EvseStatusChanged, LocationChanged, SessionChanged
from app.outbox import inspect
from app.outbox.tables import DeliveryRow
from app.store import cdrs, locations, sessions
from app.store.bulk.statements import run
from app.store.database.columns import micros
from ocpi.errors import PartnerRefused
from ocpi.partners.invitations import invite, set_settings
from ocpi.push import newly_behind, routes
from ocpi.wire.types import Role
from tests.flows.hub_party import HubParty, ok
from tests.flows.hub_world import BASE, HUB, OURS, World, location, party_of


async def publish(world: World, objects: Any) -> None:
    """A location of ours, as an operator puts it."""
    house = world.house
    async with house.store.unit_of_work(house.clock) as unit:
        await locations.save(unit.session, objects.location(), unit.now())
        unit.emit(LocationChanged(location_id="quay-77", roaming=True, at=unit.now()))
    await world.settled()


async def test_our_locations_are_told_by_the_hub_to_those_who_agreed(world: World, objects: Any) -> None:
    await publish(world, objects)
    house = world.house
    async with house.store.unit_of_work(house.clock) as unit:
        changed = ("quay-77", "E1", "CHARGING", micros(unit.now()))
        await run(unit.session, locations.UPDATE_EVSE_REPORTED, [changed])
        unit.emit(EvseStatusChanged(location_id="quay-77", evse_uid="E1", at=unit.now()))
    await world.settled()

    assert [(g.method, g.path, g.to, g.sender) for g in world.emsp.got] == [
        ("PUT", f"{BASE}/receiver/locations/NL/VBR/quay-77", "DE-EMS", HUB),
        ("PATCH", f"{BASE}/receiver/locations/NL/VBR/quay-77/E1", "DE-EMS", HUB),
    ]
    assert world.emsp2.got == world.cpo.got == []


async def test_who_agrees_later_is_told_what_there_is(world: World, objects: Any) -> None:
    await publish(world, objects)
    await world.cpo2.call("PUT", "receiver/locations/BE/BBB/L1", to=HUB, body=location("BE-BBB", "L1"))
    await world.settled()
    assert world.emsp2.got == []
    house = world.house
    for other in (OURS, "BE-BBB"):
        await house.hub.agreements.put(party_of(other), party_of("FR-FFF"), ["locations"])
    emsp2 = house.partner(world.emsp2.partner_id)

    assert await newly_behind.tell(house.desk, house.hub.reach, emsp2, anew=False) == 2
    house.worker.wake()
    await world.settled()

    assert {(g.method, g.path, g.sender) for g in world.emsp2.got} == {
        ("PUT", f"{BASE}/receiver/locations/NL/VBR/quay-77", HUB),
        ("PUT", f"{BASE}/receiver/locations/BE/BBB/L1", HUB),
    }


async def test_sessions_and_cdrs_of_drivers_behind_the_hub_come_from_our_cpo(
    world: World, objects: Any
) -> None:
    house = world.house
    async with house.store.unit_of_work(house.clock) as unit:
        session = objects.session(last_updated=unit.now())
        await sessions.save(unit.session, session, objects.snapshot(), "T-1", unit.now())
        unit.emit(SessionChanged(session_id="S-1", owner=objects.owner(), whole=True, at=unit.now()))
        cdr = objects.cdr()
        await cdrs.add(unit.session, cdr, ref="T-1", state=CdrState.ISSUED, reason=None, now=unit.now())
        unit.emit(CdrIssued(cdr_id=cdr.id, owner=objects.owner(), at=unit.now()))
    await world.settled()

    assert {(g.method, g.path.rpartition("/receiver/")[2].partition("/")[0]) for g in world.emsp.got} == {
        ("PUT", "sessions"),
        ("POST", "cdrs"),
    }
    assert {(g.to, g.sender) for g in world.emsp.got} == {("DE-EMS", OURS)}
    assert world.emsp2.got == []


async def test_an_emsp_on_both_platforms_is_told_once_and_directly(world: World, objects: Any) -> None:
    async with HubParty(Role.EMSP, "DE", "EMS").running() as direct:
        await both(world, direct)
        await publish(world, objects)

        assert [(g.method, g.sender) for g in direct.got if g.method != "GET"] == [("PUT", OURS)]
    assert world.emsp.got == []


async def both(world: World, direct: HubParty) -> None:
    """An eMSP behind the hub registers with our CPO, too, and the operator is content."""
    desk = world.house.desk
    invited, token = await invite(desk, "direct", "cpo")
    direct.partner_id = invited.id
    with pytest.raises(PartnerRefused, match="confirm"):
        await direct.register(desk.versions_url("cpo"), token)
    await set_settings(desk, invited.id, {"both_platforms": True})
    await direct.register(desk.versions_url("cpo"), token)


async def reached(world: World, kind: str, party: HubParty, state: str) -> DeliveryRow:
    """The delivery of the one object of this kind to a party, as soon as it is so."""
    async with asyncio.timeout(30):
        while True:
            async with world.house.store.reading() as session:
                rows, _ = await inspect.find(session, partner_id=party.partner_id, state=state, limit=100)
            if found := [each for each in rows if each.kind == kind]:
                return found[0]
            await asyncio.sleep(0.01)


async def tell_session(world: World, objects: Any, session_id: str, **changes: Any) -> None:
    house = world.house
    async with house.store.unit_of_work(house.clock) as unit:
        session = objects.session(id=session_id, last_updated=unit.now(), **changes)
        await sessions.save(unit.session, session, objects.snapshot(), f"T-{session_id}", unit.now())
        unit.emit(SessionChanged(session_id=session_id, owner=objects.owner(), whole=True, at=unit.now()))
    await world.settled()


async def test_a_session_keeps_the_route_it_began_with(world: World, objects: Any) -> None:
    house = world.house
    await tell_session(world, objects, "S-1")
    assert [g.method for g in world.emsp.got] == ["PUT"]
    async with HubParty(Role.EMSP, "DE", "EMS").running() as direct:
        await both(world, direct)
        for kwh in ("1", "2"):
            await tell_session(world, objects, "S-1", kwh=Decimal(kwh))
        await tell_session(world, objects, "S-2")
        async with house.store.unit_of_work(house.clock) as unit:
            cdr = objects.cdr(session_id="S-1")
            await cdrs.add(unit.session, cdr, ref="T-1", state=CdrState.ISSUED, reason=None, now=unit.now())
            unit.emit(CdrIssued(cdr_id=cdr.id, owner=objects.owner(), at=unit.now()))
        await world.settled()

        told = [g.path.rpartition("/receiver/")[2] for g in direct.got if g.method != "GET"]
    assert told == ["sessions/NL/VBR/S-2"]
    assert [g.path.rpartition("/receiver/")[2].rstrip("/") for g in world.emsp.got] == [
        *["sessions/NL/VBR/S-1"] * 3, "cdrs",
    ]  # fmt: skip


async def test_an_operator_moves_a_record_to_the_other_platform(world: World, objects: Any) -> None:
    house = world.house
    await tell_session(world, objects, "S-1")
    world.emsp.answers = lambda got: ok(code=2001) if got.path.rstrip("/").endswith("cdrs") else ok()
    async with HubParty(Role.EMSP, "DE", "EMS").running() as direct:
        await both(world, direct)
        direct.answers = lambda _: ok(status=201)
        async with house.store.unit_of_work(house.clock) as unit:
            cdr = objects.cdr(session_id="S-1")
            await cdrs.add(unit.session, cdr, ref="T-1", state=CdrState.ISSUED, reason=None, now=unit.now())
            unit.emit(CdrIssued(cdr_id=cdr.id, owner=objects.owner(), at=unit.now()))
        refused = await reached(world, "cdr", world.emsp, "failing")
        session = await reached(world, "session", world.emsp, "delivered")
        with pytest.raises(Conflict, match="only a CDR"):
            await routes.move(house.desk, house.hub.reach, session.id or 0, "no")

        there = await routes.move(house.desk, house.hub.reach, refused.id or 0, "they asked for it")
        house.worker.wake()
        await reached(world, "cdr", direct, "delivered")

        told = [g.path.rstrip("/").rpartition("/")[2] for g in direct.got if g.method == "POST"]
        assert told == ["cdrs"]
        assert there.partner_id == direct.partner_id
        with pytest.raises(Conflict, match="delivered"):
            await routes.move(house.desk, house.hub.reach, there.id or 0, "back again")
    moved = await reached(world, "cdr", world.emsp, "discarded")
    assert moved.last_error == f"moved to {there.partner_id}: they asked for it"


async def test_nobody_registers_as_a_party_of_somebody_else_or_as_a_hub(world: World) -> None:
    house = world.house
    for role, country, party in (
        (Role.EMSP, "nl", "aaa"),
        (Role.CPO, "NL", "VBR"),
        (Role.CPO, "NL", "VHB"),
        (Role.HUB, "DE", "HUB"),
    ):
        async with HubParty(role, country, party).running() as wrong:
            _, token = await invite(house.desk, "wrong", "hub")
            with pytest.raises(PartnerRefused, match="2001"):
                await wrong.register(house.desk.versions_url("hub"), token)
    assert (await world.emsp.call("GET", "sender/tariffs", to=HUB)).json()["data"] == []
