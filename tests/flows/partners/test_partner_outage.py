"""Partners that are away, slow, failing or talking nonsense: nothing is lost, nobody else waits."""

import asyncio
import time
from datetime import timedelta
from decimal import Decimal

import pytest

from app.domain.cdrs import CdrState
from app.domain.events import CdrIssued, EvseStatusChanged, SessionChanged
from app.outbox import lanes
from app.outbox.outcomes import Down
from app.outbox.worker import OutboxWorker
from app.services import locations as location_service
from app.services import tariffs as tariff_service
from app.store import cdrs, locations, sessions
from app.store.bulk.statements import run
from app.store.database.columns import micros
from ocpi.partners import handshake, invitations
from ocpi.push.deliver import PartnerDeliverer
from ocpi.simulator import EmspSimulator, Fault, FaultKind


@pytest.fixture(autouse=True)
def _quick_back_off(monkeypatch):
    """Back-off in hundredths of seconds, so that minutes of absence fit into a test."""

    def delay(failures, retry_after=None):
        return timedelta(seconds=retry_after if retry_after is not None else min(0.02 * failures, 0.2))

    monkeypatch.setattr("app.outbox.backoff.delay", delay)
    monkeypatch.setattr("ocpi.partners.handshake.SETTLING", timedelta(seconds=0.05))


async def register(house, emsp, name="Elbe Mobility"):
    partner, token_a = await invitations.invite(house.desk, name)
    await emsp.register(house.desk.versions_url("cpo"), token_a)
    return partner


@pytest.fixture
async def partner(ocpi_house, emsp, objects):
    """The eMSP, registered, and told of a site."""
    found = await register(ocpi_house, emsp)
    await put_site(ocpi_house, objects)
    await emsp.wait_until(lambda: emsp.ledger.locations)
    await ocpi_house.settled()
    return found


async def put_site(house, objects):
    async with house.store.unit_of_work(house.clock) as unit:
        await tariff_service.put(unit, objects.tariff())
        await location_service.put(unit, objects.location())


async def put_session(house, objects, *, whole=True, **changes):
    async with house.store.unit_of_work(house.clock) as unit:
        session = objects.session(**changes, last_updated=unit.now())
        await sessions.save(unit.session, session, objects.snapshot(), f"T-{session.id}", unit.now())
        unit.emit(SessionChanged(session_id=session.id, owner=objects.owner(), whole=whole, at=unit.now()))


async def issue_cdr(house, objects, cdr_id="C-1", **changes):
    async with house.store.unit_of_work(house.clock) as unit:
        cdr = objects.cdr(cdr_id, **changes)
        await cdrs.add(
            unit.session, cdr, ref=f"T-{cdr.id}", state=CdrState.ISSUED, reason=None, now=unit.now()
        )
        unit.emit(CdrIssued(cdr_id=cdr.id, owner=objects.owner(), at=unit.now()))


async def set_status(house, status):
    async with house.store.unit_of_work(house.clock) as unit:
        stamp = micros(unit.now() + timedelta(milliseconds=2))
        await run(unit.session, locations.UPDATE_EVSE_REPORTED, [("quay-77", "E1", status, stamp)])
        unit.emit(EvseStatusChanged(location_id="quay-77", evse_uid="E1", at=unit.now()))


async def delivery(house, kind):
    return next(row for row in await house.deliveries() if row.kind == kind)


async def until_delivery(house, kind, state, seconds=10):
    async with asyncio.timeout(seconds):
        while (found := await delivery(house, kind)).state != state:
            await asyncio.sleep(0.01)
    return found


def told(emsp, kind):
    return [message for message in emsp.ledger.messages if message.kind == kind]


async def test_a_partner_that_comes_back_gets_the_newest_state_once(ocpi_house, emsp, objects, partner):
    before = len(told(emsp, "locations"))
    await emsp.stop()
    for status in ("CHARGING", "AVAILABLE", "OUTOFORDER"):
        await set_status(ocpi_house, status)
        await asyncio.sleep(0.05)
    await put_session(ocpi_house, objects, kwh=Decimal(1))
    await put_session(ocpi_house, objects, kwh=Decimal(2))
    await issue_cdr(ocpi_house, objects)
    assert (await delivery(ocpi_house, "evse")).state in ("waiting", "in_flight")

    await emsp.start()
    await emsp.wait_until(lambda: emsp.ledger.cdrs)
    await ocpi_house.settled()

    patches = told(emsp, "locations")[before:]
    assert [message.body["status"] for message in patches] == ["OUTOFORDER"]
    assert [message.body["kwh"] for message in told(emsp, "sessions")] == [2]
    assert len(told(emsp, "cdrs")) == 1
    assert [message.problem for message in emsp.ledger.messages if message.problem] == []


async def test_a_call_of_the_partner_ends_its_back_off(ocpi_house, emsp, objects, partner, monkeypatch):
    monkeypatch.setattr("app.outbox.backoff.delay", lambda *_: timedelta(hours=1))
    await emsp.stop()
    await set_status(ocpi_house, "CHARGING")
    async with asyncio.timeout(30):
        while partner.id not in ocpi_house.worker._backed_off:
            await asyncio.sleep(0.01)
    await emsp.start()

    await emsp.push_tokens()

    await emsp.wait_until(lambda: emsp.ledger.locations["quay-77"].evses[0].status == "CHARGING")


@pytest.mark.parametrize(
    "fault",
    [
        FaultKind.HTTP_500,
        Fault(FaultKind.HTTP_503, 0.05),
        Fault(FaultKind.HTTP_429, 0.05),
        FaultKind.HTML_200,
        FaultKind.EMPTY_200,
        FaultKind.BAD_JSON,
        FaultKind.NO_ENVELOPE,
        FaultKind.OCPI_3000,
        FaultKind.RESET_BEFORE,
        FaultKind.REDIRECT,
        FaultKind.HTTP_404,
    ],
    ids=lambda fault: str(getattr(fault, "kind", fault)),
)
@pytest.mark.parametrize("database", ["sqlite"])
async def test_a_cdr_is_repeated_until_the_partner_really_has_it(ocpi_house, emsp, objects, partner, fault):
    emsp.faults.next(fault, fault, fault, module="cdrs")

    await issue_cdr(ocpi_house, objects)

    await emsp.wait_until(lambda: emsp.ledger.cdrs)
    found = await until_delivery(ocpi_house, "cdr", "delivered")
    assert found.delivered_at is not None
    assert len(emsp.ledger.cdrs) == 1


async def test_a_lost_answer_is_one_record_at_the_partner(ocpi_house, emsp, objects, partner):
    emsp.faults.next(FaultKind.RESET_AFTER_STORE, FaultKind.RESET_AFTER_STORE, module="cdrs")

    await issue_cdr(ocpi_house, objects)
    await until_delivery(ocpi_house, "cdr", "delivered")

    posts = told(emsp, "cdrs")
    assert len(posts) == 3
    assert posts[0].body == posts[1].body == posts[2].body
    assert len(emsp.ledger.cdrs) == 1


async def test_an_empty_acknowledgement_counts_where_the_operator_says_so(ocpi_house, emsp, objects, partner):
    await invitations.set_settings(ocpi_house.desk, partner.id, {"empty_ack": True})
    emsp.faults.always(FaultKind.EMPTY_200, module="cdrs")

    await issue_cdr(ocpi_house, objects)

    found = await until_delivery(ocpi_house, "cdr", "delivered")
    assert found.last_error == "acknowledged with an empty body"


async def test_a_refused_version_is_dead_and_the_next_one_is_tried(ocpi_house, emsp, objects, partner):
    emsp.faults.always(FaultKind.OCPI_2001, module="sessions")
    await put_session(ocpi_house, objects, kwh=Decimal(1))
    dead = await until_delivery(ocpi_house, "session", "dead")
    assert "2001" in dead.last_error
    emsp.faults.heal()

    await put_session(ocpi_house, objects, kwh=Decimal(2))

    await until_delivery(ocpi_house, "session", "delivered")
    assert emsp.ledger.sessions["S-1"].kwh == 2


async def test_a_dead_object_does_not_hold_up_the_others(ocpi_house, emsp, objects, partner):
    emsp.faults.always(FaultKind.OCPI_2001, module="sessions")
    await put_session(ocpi_house, objects)
    await issue_cdr(ocpi_house, objects)
    await set_status(ocpi_house, "CHARGING")

    await until_delivery(ocpi_house, "cdr", "delivered")
    await until_delivery(ocpi_house, "evse", "delivered")
    assert (await delivery(ocpi_house, "session")).state == "dead"


async def test_a_patch_that_finds_nothing_becomes_a_put(ocpi_house, emsp, objects, partner):
    emsp.ledger.locations.clear()
    await put_session(ocpi_house, objects)
    await until_delivery(ocpi_house, "session", "delivered")
    emsp.ledger.sessions.clear()

    await set_status(ocpi_house, "CHARGING")
    await put_session(ocpi_house, objects, whole=False, kwh=Decimal(9))
    await ocpi_house.settled()

    assert emsp.ledger.locations["quay-77"].evses[0].status == "CHARGING"
    assert emsp.ledger.sessions["S-1"].kwh == 9
    assert [m.method for m in told(emsp, "locations")][-3:] == ["PATCH", "PUT", "PUT"]


async def test_a_partner_that_refuses_our_token_is_paused_until_new_credentials(
    ocpi_house, emsp, objects, partner
):
    emsp.faults.always(FaultKind.HTTP_401, module="locations")
    await set_status(ocpi_house, "CHARGING")
    async with asyncio.timeout(30):
        while True:
            async with ocpi_house.store.reading() as session:
                lane = (await lanes.read(session))[partner.id]
            if lane.paused:
                break
            await asyncio.sleep(0.02)
    asked = len(told(emsp, "locations"))
    await asyncio.sleep(0.3)
    assert len(told(emsp, "locations")) == asked, "a paused partner is left alone"
    emsp.faults.heal()

    await handshake.renew(ocpi_house.desk, partner.id)

    await emsp.wait_until(lambda: emsp.ledger.locations["quay-77"].evses[0].status == "CHARGING")


async def test_a_rotation_in_the_middle_of_pushes_loses_nothing(ocpi_house, emsp, objects, partner):
    for number in range(30):
        await put_session(ocpi_house, objects, session_id=f"S-{number}")
        if number % 10 == 5:
            await handshake.renew(ocpi_house.desk, partner.id)
        if number % 10 == 9:
            await emsp.registration.rotate()

    await emsp.wait_until(lambda: len(emsp.ledger.sessions) == 30)
    await ocpi_house.settled()
    assert {row.state for row in await ocpi_house.deliveries()} == {"delivered"}


async def test_a_slow_partner_delays_nobody_else(ocpi_house, emsp, objects, partner):
    emsp.faults.always(Fault(FaultKind.SLOW, 10), module="locations")
    async with EmspSimulator(party_id="QIK", name="Quick").running() as quick:
        await register(ocpi_house, quick, "Quick")
        await quick.wait_until(lambda: quick.ledger.locations)

        began = time.monotonic()
        await set_status(ocpi_house, "CHARGING")
        await quick.wait_until(lambda: quick.ledger.locations["quay-77"].evses[0].status == "CHARGING")

        assert time.monotonic() - began < 10
    emsp.faults.heal()


async def test_a_missing_reference_is_told_first_and_the_object_again(ocpi_house, emsp, objects):
    partner = await register(ocpi_house, emsp)
    async with ocpi_house.store.unit_of_work(ocpi_house.clock) as unit:
        await location_service.put(unit, objects.location())
        unit._events.clear()  # the partner was never told of this location
    emsp.faults.next(FaultKind.OCPI_2001, module="sessions")

    await put_session(ocpi_house, objects)

    await emsp.wait_until(lambda: emsp.ledger.sessions)
    assert "quay-77" in emsp.ledger.locations
    await ocpi_house.settled()
    rows = {(row.kind, row.state) for row in await ocpi_house.deliveries() if row.partner_id == partner.id}
    assert rows == {("location", "delivered"), ("session", "delivered")}


async def test_a_withdrawn_tariff_is_deleted_at_the_partner(ocpi_house, emsp, objects, partner):
    async with ocpi_house.store.unit_of_work(ocpi_house.clock) as unit:
        assert await tariff_service.withdraw(unit, "ac-day")
    await ocpi_house.settled()

    assert emsp.ledger.tariffs == {}


async def test_what_was_under_way_when_the_process_died_is_delivered_after_the_restart(
    ocpi_house, emsp, objects, partner, monkeypatch
):
    monkeypatch.setattr("app.outbox.claim.LEASE", timedelta(seconds=1))
    emsp.faults.next(Fault(FaultKind.SLOW, 30), module="cdrs")
    await issue_cdr(ocpi_house, objects)
    await until_delivery(ocpi_house, "cdr", "in_flight")
    async with asyncio.timeout(30):
        while emsp.faults._next["cdrs"]:  # until the partner has the request
            await asyncio.sleep(0.01)
    for task in (ocpi_house.worker._task, *ocpi_house.worker._runners):
        task.cancel()  # nothing is settled, as after kill -9

    successor = OutboxWorker(
        ocpi_house.store, ocpi_house.clock, PartnerDeliverer(ocpi_house.desk), poll_seconds=0.1
    )
    await successor.start()
    try:
        await emsp.wait_until(lambda: emsp.ledger.cdrs)
        await until_delivery(ocpi_house, "cdr", "delivered")
    finally:
        await successor.stop()


async def test_an_unregistered_partner_is_told_nothing_and_the_operator_sees_why(
    ocpi_house, emsp, objects, partner
):
    await emsp.stop()
    await issue_cdr(ocpi_house, objects)

    await handshake.unregister(ocpi_house.desk, partner.id)

    found = await until_delivery(ocpi_house, "cdr", "dead")
    assert found.last_error == "the partner has unregistered"
    await emsp.start()


def test_a_lane_is_paused_by_refused_tokens_only_after_some_tries(clock):
    lane = lanes.Lane(partner_id="p")
    states = []
    for _ in range(4):
        lane = lane.failed(Down(error="HTTP 401", locked_out=True), clock.now())
        states.append(lane.paused)

    assert states == [False, False, True, True]
    assert not lanes.Lane(partner_id="p").failed(Down(error="refused"), clock.now()).paused
