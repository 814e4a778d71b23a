"""Two intakes on one database, as two processes have them: whose word about a station counts, and what is read again."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text

from app.domain.charging.state import Names
from app.domain.stations import BootReport, SetUp, Silent
from app.services.intake.intake import Call, Intake, Line, Unanswered
from app.services.intake.leases import Leases
from app.store import nodes, stations
from app.store.bulk.writer import Writer

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
_numbers = itertools.count(1)


class Node:
    """One process's intake; `visited` are the stations of others that it wrote to."""

    def __init__(self, store: Any, clock: Any, number: int) -> None:
        self.visited: list[str] = []
        self.leases = Leases(fenced=True, visited=self.visited.append)
        self.leases.node = number
        self.guarded: list[str] = []
        guard = self.leases.guard

        def watched(batch: Any, station_ids: Any) -> None:
            self.guarded += station_ids
            guard(batch, station_ids)

        self.leases.guard = watched  # type: ignore[method-assign]
        self.writer = Writer(store, clock)
        names = Names(
            number=lambda: next(_numbers),
            id=lambda: f"id-{next(_numbers)}",
            country_code="NL",
            party_id="VBR",
        )
        self.intake = Intake(store, self.writer, clock, names, leases=self.leases)
        self.intake.start()

    async def close(self) -> None:
        await self.intake.stop()
        await self.writer.close()

    async def boot(self, line: Line, vendor: str) -> None:
        """The station's boot, until it is answered. Raises Unanswered."""
        heard: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def done(_call: Call, error: Exception | None) -> None:
            heard.set_result(None) if error is None else heard.set_exception(error)

        report = BootReport(vendor=vendor, model="M")
        self.intake.take(
            Call(
                line=line, report=report, request=b"[]", message_id="m", action="BootNotification",
                reply=lambda answer: repr(answer).encode(), done=done,
            )
        )  # fmt: skip
        await heard


async def joined(store: Any, clock: Any) -> int:
    """A row for one more process, as app/cluster/membership.py makes it; its number."""
    async with store.unit_of_work(clock) as unit:
        number: int = (await unit.session.execute(text(nodes.NEXT_NUMBER))).scalar_one()
        await nodes.join(unit.session, number, "all", unit.now())
    await store.pass_gate()
    return number


@pytest.fixture
async def one(store: Any, clock: Any) -> AsyncIterator[Node]:
    node = Node(store, clock, await joined(store, clock))
    await node.intake.report("CP1", SetUp())
    yield node
    await node.close()


@pytest.fixture
async def other(store: Any, clock: Any) -> AsyncIterator[Node]:
    node = Node(store, clock, await joined(store, clock))
    yield node
    await node.close()


async def kept(store: Any) -> Any:
    async with store.reading() as session:
        return await stations.get(session, "CP1"), await stations.holder(session, "CP1")


async def test_the_newest_socket_counts_wherever_it_is(store: Any, one: Node, other: Node) -> None:
    old = await one.intake.connect("CP1", "1.6")
    await one.boot(old, "First")
    new = await other.intake.connect("CP1", "1.6")
    with pytest.raises(Unanswered):
        await one.boot(old, "Stale")
    assert not one.intake.connected("CP1")
    await other.boot(new, "Second")
    await one.intake.disconnect(old)
    station, holder = await kept(store)
    assert (station.station.boot.vendor, station.online, holder) == ("Second", True, 2)
    await other.intake.disconnect(new)
    station, holder = await kept(store)
    assert (station.online, holder) == (False, None)


async def test_an_end_that_was_not_noticed_takes_nobody_offline(store: Any, one: Node, other: Node) -> None:
    old = await one.intake.connect("CP1", "1.6")
    await other.intake.connect("CP1", "1.6")
    await one.intake.disconnect(old)
    station, holder = await kept(store)
    assert (station.online, holder) == (True, 2)


async def test_who_has_the_socket_reads_again_what_another_wrote(store: Any, one: Node, other: Node) -> None:
    line = await one.intake.connect("CP1", "1.6")
    await one.boot(line, "First")
    await other.intake.report("CP1", SetUp(security_profile=2))
    assert other.visited == ["CP1"]
    assert other.intake.state("CP1") is None, "what it read is old by now"
    # The bus has said nothing yet: the commit itself finds it.
    await one.boot(line, "First")
    state = one.intake.state("CP1")
    assert state is not None
    assert state.station.security_profile == 2
    station, _ = await kept(store)
    assert (station.station.security_profile, station.station.boot.vendor) == (2, "First")


async def test_a_visitor_never_believes_its_memory(store: Any, one: Node, other: Node) -> None:
    await other.intake.report("CP1", Silent())
    line = await one.intake.connect("CP1", "1.6")
    await one.boot(line, "First")
    await other.intake.report("CP1", SetUp(security_profile=1))
    station, _ = await kept(store)
    assert (station.station.security_profile, station.station.boot.vendor) == (1, "First")
    await one.boot(line, "First")
    assert one.visited == []


async def test_many_at_once_lose_nothing(store: Any, one: Node, other: Node) -> None:
    line = await one.intake.connect("CP1", "1.6")

    async def operate() -> None:
        for profile in itertools.islice(itertools.cycle((1, 2)), 20):
            await other.intake.report("CP1", SetUp(security_profile=profile))

    async def speak() -> None:
        for number in range(20):
            await one.boot(line, f"V{number}")

    await asyncio.gather(operate(), speak())
    station, _ = await kept(store)
    assert (station.station.security_profile, station.station.boot.vendor) == (2, "V19")


async def test_a_node_that_was_given_up_is_listened_to_no_more(store: Any, clock: Any, one: Node) -> None:
    line = await one.intake.connect("CP1", "1.6")
    await joined(store, clock)
    async with store.unit_of_work(clock) as unit:
        await nodes.leave(unit.session, one.leases.node)
        await stations.give_up_lost(unit.session, unit.now())
    with pytest.raises(Unanswered):
        await one.boot(line, "Stale")
    station, holder = await kept(store)
    assert (station.online, holder, station.station.boot) == (False, None, None)


async def test_a_process_that_is_alone_compares_nothing_and_reads_anew_what_a_guest_has_left(
    store: Any, clock: Any, one: Node
) -> None:
    line = await one.intake.connect("CP1", "1.6")
    await one.boot(line, "First")
    assert one.guarded == []
    guest = Node(store, clock, await joined(store, clock))
    await one.boot(line, "Watched")
    assert one.guarded == ["CP1"]
    await guest.intake.report("CP1", SetUp(security_profile=2))
    await guest.close()
    async with store.unit_of_work(clock) as unit:
        await nodes.leave(unit.session, guest.leases.node)
    await one.boot(line, "Third")
    assert one.guarded == ["CP1"]
    station, _ = await kept(store)
    assert (station.station.boot.vendor, station.station.security_profile) == ("Third", 2)


async def test_a_process_that_came_and_went_between_two_batches_is_noticed(
    store: Any, clock: Any, one: Node
) -> None:
    line = await one.intake.connect("CP1", "1.6")
    await one.boot(line, "First")
    guest = Node(store, clock, await joined(store, clock))
    await guest.intake.report("CP1", SetUp(security_profile=2))
    await guest.close()
    async with store.unit_of_work(clock) as unit:
        await nodes.leave(unit.session, guest.leases.node)
    await one.boot(line, "Second")
    station, _ = await kept(store)
    assert (station.station.boot.vendor, station.station.security_profile) == ("Second", 2)
    assert one.guarded == []
