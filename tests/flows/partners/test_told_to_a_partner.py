"""What happens here reaches a registered partner: everything at first, then each change."""

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from app.domain.cdrs import CdrState
from app.domain.events import CdrIssued, EvseStatusChanged, SessionChanged
from app.domain.sessions import SessionStatus
from app.services import locations as location_service
from app.services import tariffs as tariff_service
from app.store import cdrs, locations, sessions
from app.store.bulk.statements import run
from app.store.database.columns import micros
from ocpi.modules import ModuleId
from ocpi.partners import invitations


@pytest.fixture
async def registered(ocpi_house, emsp):
    """The eMSP, registered."""
    partner, token_a = await invitations.invite(ocpi_house.desk, "Elbe Mobility")
    await emsp.register(ocpi_house.desk.versions_url("cpo"), token_a)
    return partner


async def put_site(house, objects):
    async with house.store.unit_of_work(house.clock) as unit:
        await tariff_service.put(unit, objects.tariff())
        await location_service.put(unit, objects.location())


async def put_session(house, objects, *, whole=True, **changes):
    async with house.store.unit_of_work(house.clock) as unit:
        session = objects.session(**changes, last_updated=unit.now())
        await sessions.save(unit.session, session, objects.snapshot(), "T-1", unit.now())
        unit.emit(SessionChanged(session_id=session.id, owner=objects.owner(), whole=whole, at=unit.now()))


async def issue_cdr(house, objects, **changes):
    async with house.store.unit_of_work(house.clock) as unit:
        cdr = objects.cdr(**changes)
        await cdrs.add(
            unit.session, cdr, ref=f"T-{cdr.id}", state=CdrState.ISSUED, reason=None, now=unit.now()
        )
        unit.emit(CdrIssued(cdr_id=cdr.id, owner=objects.owner(), at=unit.now()))


async def test_a_newcomer_is_told_tariffs_before_locations(ocpi_house, emsp, objects):
    await put_site(ocpi_house, objects)
    _, token_a = await invitations.invite(ocpi_house.desk, "Elbe Mobility")

    await emsp.register(ocpi_house.desk.versions_url("cpo"), token_a)
    await emsp.wait_until(lambda: emsp.ledger.locations)

    told = [m.kind for m in emsp.ledger.messages if m.method == "PUT"]
    assert told == ["tariffs", "locations"]
    assert [m.problem for m in emsp.ledger.messages if m.problem] == []


async def test_a_session_is_put_then_patched_and_its_cdr_posted(ocpi_house, emsp, objects, registered):
    await put_site(ocpi_house, objects)
    await put_session(ocpi_house, objects)
    await ocpi_house.settled()
    await put_session(ocpi_house, objects, whole=False, kwh=Decimal(9))
    await ocpi_house.settled()
    await put_session(ocpi_house, objects, kwh=Decimal(10), status=SessionStatus.COMPLETED)
    await issue_cdr(ocpi_house, objects)
    await emsp.wait_until(lambda: emsp.ledger.cdrs)

    by_kind = [(m.kind, m.method) for m in emsp.ledger.messages]
    assert by_kind == [
        ("tariffs", "PUT"),
        ("locations", "PUT"),
        ("sessions", "PUT"),
        ("sessions", "PATCH"),
        ("sessions", "PUT"),
        ("cdrs", "POST"),
    ]
    assert [m.problem for m in emsp.ledger.messages if m.problem] == []
    assert len(emsp.ledger.sessions["S-1"].charging_periods) == 1
    assert emsp.ledger.cdrs["C-1"].total_cost.incl_vat == Decimal("3.63")


async def test_a_change_of_status_is_one_patch_of_the_evse(ocpi_house, emsp, objects, registered):
    await put_site(ocpi_house, objects)
    await emsp.wait_until(lambda: emsp.ledger.locations)

    async with ocpi_house.store.unit_of_work(ocpi_house.clock) as unit:
        stamp = micros(unit.now() + timedelta(milliseconds=5))
        await run(unit.session, locations.UPDATE_EVSE_REPORTED, [("quay-77", "E1", "CHARGING", stamp)])
        unit.emit(EvseStatusChanged(location_id="quay-77", evse_uid="E1", at=unit.now()))
    await emsp.wait_until(lambda: emsp.ledger.locations["quay-77"].evses[0].status == "CHARGING")

    last = emsp.ledger.messages[-1]
    assert (last.method, last.path.rsplit("/", 3)[1:]) == ("PATCH", ["VBR", "quay-77", "E1"])
    assert set(last.body) == {"status", "last_updated"}


async def test_what_was_pushed_is_what_can_be_pulled(ocpi_house, emsp, objects, registered):
    await put_site(ocpi_house, objects)
    await put_session(ocpi_house, objects)
    await issue_cdr(ocpi_house, objects)
    await emsp.wait_until(lambda: emsp.ledger.cdrs)

    for module, pushed in (
        (ModuleId.LOCATIONS, emsp.ledger.locations),
        (ModuleId.SESSIONS, emsp.ledger.sessions),
        (ModuleId.CDRS, emsp.ledger.cdrs),
        (ModuleId.TARIFFS, emsp.ledger.tariffs),
    ):
        pulled = await emsp.pull(module)
        assert {item["id"]: item for item in pulled} == {id_: o.to_wire() for id_, o in pushed.items()}


async def test_a_session_of_somebody_elses_driver_is_told_to_nobody(ocpi_house, emsp, objects, registered):
    await put_site(ocpi_house, objects)
    stranger = replace(objects.token, party_id="XYZ")
    async with ocpi_house.store.unit_of_work(ocpi_house.clock) as unit:
        session = objects.session(token=stranger)
        await sessions.save(unit.session, session, objects.snapshot(), "T-1", unit.now())
        unit.emit(
            SessionChanged(
                session_id="S-1",
                owner=replace(objects.owner(), party_id="XYZ"),
                whole=True,
                at=unit.now(),
            )
        )

    assert await emsp.pull(ModuleId.SESSIONS) == []
    assert [row.kind for row in await ocpi_house.deliveries() if row.kind == "session"] == []
