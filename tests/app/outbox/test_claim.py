"""What is claimed, in which order, and what is left alone."""

from datetime import timedelta

import pytest

from app.domain.events import Mark
from app.outbox import enqueue, inspect, lanes
from app.outbox.claim import LEASE, anything_due, claim, give_up_lost
from app.outbox.outcomes import Delivered, Down, Failed, Refused
from app.outbox.settle import Result, settle
from app.store.bulk.writer import Writer

RANKS = {"tariff": 0, "location": 1, "evse": 2, "session": 3, "cdr": 4}


@pytest.fixture
async def outbox(store, clock):
    """The outbox of a test: mark, claim and settle in units of work of their own."""

    class Outbox:
        async def mark(self, *names, partner="p1", whole=True):
            async with store.unit_of_work(clock) as unit:
                marks = [
                    Mark(
                        partner_id=partner,
                        kind=kind,
                        object_id=object_id,
                        rank=RANKS[kind],
                        whole=whole,
                        wanted=unit.now(),
                    )
                    for kind, object_id in names
                ]
                await enqueue.mark(unit.session, marks, unit.now())

        async def claim(self, limit=64, without=()):
            async with writer.batch() as batch:
                return await claim(batch, limit=limit, without=without)

        async def settle(self, *results):
            async with writer.batch() as batch:
                await settle(batch, [Result(*each) for each in results])

        async def rows(self):
            async with store.reading() as session:
                found, _ = await inspect.find(session, limit=100)
            return {(row.kind, row.object_id): row for row in found}

    writer = Writer(store, clock)
    yield Outbox()
    await writer.close()


def names(claims):
    return [(each.kind, each.object_id) for each in claims]


async def test_tariffs_then_locations_then_sessions_then_records(outbox, clock):
    await outbox.mark(("cdr", "C"), ("session", "S"), ("location", "L"), ("tariff", "T"))
    seen = []
    for _ in range(4):
        claims = await outbox.claim()
        seen.append(names(claims))
        await outbox.settle(*((each, Delivered(version=clock.now())) for each in claims))

    assert seen == [[("tariff", "T")], [("location", "L")], [("session", "S")], [("cdr", "C")]]
    assert await outbox.claim() == []


async def test_status_changes_hold_nothing_up_and_another_partner_waits_for_nobody(outbox):
    await outbox.mark(("evse", "L/1"), ("session", "S"))
    await outbox.mark(("location", "L"), partner="p2")
    await outbox.mark(("cdr", "C"), partner="p3")

    assert set(names(await outbox.claim())) == {
        ("evse", "L/1"),
        ("session", "S"),
        ("location", "L"),
        ("cdr", "C"),
    }


async def test_what_was_marked_before_waits_for_nothing_that_came_later(outbox, clock):
    await outbox.mark(("session", "S"))
    clock.advance(1)
    await outbox.mark(("location", "L"))

    assert set(names(await outbox.claim())) == {("session", "S"), ("location", "L")}


async def test_an_object_that_keeps_failing_no_longer_holds_others_up(outbox, clock):
    await outbox.mark(("session", "bad"), ("cdr", "C"))
    for _ in range(5):
        (found,) = await outbox.claim()
        await outbox.settle((found, Failed(error="HTTP 404")))
        clock.advance(3600)

    assert set(names(await outbox.claim())) == {("session", "bad"), ("cdr", "C")}


async def test_a_claim_is_not_made_twice_until_its_lease_is_over(outbox, clock):
    await outbox.mark(("cdr", "C"))
    assert len(await outbox.claim()) == 1
    assert await outbox.claim() == []

    clock.advance(LEASE.total_seconds() + 1)

    assert len(await outbox.claim()) == 1


async def test_leases_of_a_process_that_died_can_be_given_back(outbox, store, clock):
    await outbox.mark(("cdr", "C"))
    await outbox.claim()
    async with store.unit_of_work(clock) as unit:
        await give_up_lost(unit.session)

    assert len(await outbox.claim()) == 1


async def test_a_mark_raised_while_its_object_is_under_way_stays(outbox, clock):
    await outbox.mark(("session", "S"))
    (found,) = await outbox.claim()
    await outbox.mark(("session", "S"))
    await outbox.settle((found, Delivered(version=clock.now())))

    (again,) = await outbox.claim()

    assert again.confirmed is not None
    await outbox.settle((again, Delivered(version=clock.now(), note="noted")))
    row = (await outbox.rows())["session", "S"]
    assert (row.state, row.last_error, row.attempts) == ("delivered", "noted", 0)


async def test_a_refused_version_is_dead_unless_a_newer_one_waits(outbox):
    await outbox.mark(("session", "S"), ("location", "L"), partner="p1")
    (location,) = await outbox.claim()
    await outbox.settle((location, Refused(error="OCPI 2001")))
    (session,) = await outbox.claim()
    await outbox.mark(("session", "S"))
    await outbox.settle((session, Refused(error="OCPI 2001")))

    rows = await outbox.rows()

    assert rows["location", "L"].state == "dead"
    assert rows["session", "S"].state == "waiting"


async def test_a_partner_that_is_away_is_left_alone_and_its_objects_are_not_blamed(outbox, clock, store):
    await outbox.mark(("evse", "L/1"), ("evse", "L/2"))
    claims = await outbox.claim()
    await outbox.settle((claims[0], Down(error="refused")), (claims[1], None))

    assert await outbox.claim() == []
    rows = await outbox.rows()
    assert {(row.state, row.attempts) for row in rows.values()} == {("waiting", 0)}
    async with store.reading() as session:
        lane = (await lanes.read(session))["p1"]
        assert not await anything_due(session, clock.now())
    assert (lane.failures, lane.last_error) == (1, "refused")
    clock.advance(10)
    assert len(await outbox.claim()) == 2


async def test_a_call_of_the_partner_opens_its_lane(outbox, clock, store):
    await outbox.mark(("evse", "L/1"))
    (found,) = await outbox.claim()
    await outbox.settle((found, Down(error="HTTP 500", answered=True, retry_after=3600)))
    assert await outbox.claim() == []

    async with store.unit_of_work(clock) as unit:
        await lanes.reopen(unit.session, "p1", unit.now())

    assert len(await outbox.claim()) == 1


async def test_a_partner_back_after_a_long_time_gets_at_once_what_failed_meanwhile(outbox, clock):
    await outbox.mark(("evse", "L/1"), ("evse", "L/2"))
    first, second = await outbox.claim()
    await outbox.settle((second, None))
    for _ in range(4):
        await outbox.settle((first, Down(error="HTTP 500", answered=True)))
        clock.advance(7200)
        claims = await outbox.claim()
        first = next(each for each in claims if each.object_id == "L/1")
        second = next(each for each in claims if each.object_id == "L/2")
        await outbox.settle((second, None))
    await outbox.settle((first, Down(error="HTTP 500", answered=True)))
    clock.advance(40)
    claims = await outbox.claim()
    if not claims:
        clock.advance(7200)
        claims = await outbox.claim()
    second = next(each for each in claims if each.object_id == "L/2")

    await outbox.settle((second, Delivered(version=clock.now())))

    rows = await outbox.rows()
    assert rows["evse", "L/1"].state in ("failing", "in_flight")
    assert rows["evse", "L/1"].next_at <= clock.now()


async def test_after_seven_days_a_delivery_is_dead_and_an_operator_may_try_again(outbox, clock, store):
    await outbox.mark(("cdr", "C"))
    clock.advance(timedelta(days=7, seconds=1).total_seconds())
    (found,) = await outbox.claim()
    await outbox.settle((found, Failed(error="HTTP 404")))
    row = (await outbox.rows())["cdr", "C"]
    assert row.state == "dead"

    async with store.unit_of_work(clock) as unit:
        await inspect.retry(unit.session, row.id, unit.now())

    assert names(await outbox.claim()) == [("cdr", "C")]


async def test_marks_in_the_future_wait_and_hold_nothing_up(outbox, clock, store):
    async with store.unit_of_work(clock) as unit:
        mark = Mark(partner_id="p1", kind="location", object_id="L", rank=1, whole=True, wanted=unit.now())
        await enqueue.schedule(unit.session, [(mark, unit.now() + timedelta(seconds=30))])
    await outbox.mark(("session", "S"))

    assert names(await outbox.claim()) == [("session", "S")]
    clock.advance(31)
    assert names(await outbox.claim()) == [("location", "L")]


async def test_partners_left_out_and_limits_are_respected(outbox):
    await outbox.mark(("evse", "L/1"), ("evse", "L/2"), ("evse", "L/3"))
    await outbox.mark(("evse", "L/1"), partner="p2")

    assert await outbox.claim(without={"p1", "p2"}) == []
    assert {each.partner_id for each in await outbox.claim(without={"p1"})} == {"p2"}
    assert len(await outbox.claim(limit=2)) == 2
