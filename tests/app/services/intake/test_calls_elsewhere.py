"""Calls between two processes on one database: a row each, sent once by the one with the socket, read by the other."""

import asyncio
from typing import Any

import pytest

from app.cluster.bus import LocalBus, Topic
from app.cluster.directory import Directory
from app.domain.commands import Outcome, OutcomeKind
from app.domain.errors import Conflict
from app.domain.ports import Late
from app.domain.stations import Admission, ChargingStation
from app.services import elsewhere
from app.services.commands import Commands
from app.store import commands as rows
from app.store import stations

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


class Member:
    """A process among others."""

    alone, leads, neighbours = False, True, True

    def __init__(self, number: int) -> None:
        self.number = number
        self.bus = LocalBus()


class Gateway:
    """The sockets of one process."""

    def __init__(self, connected: bool, directory: Directory) -> None:
        self.connected = connected
        self.directory = directory
        self.sent: list[str] = []
        self.answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.late: Late | None = None

    def here(self, _station_id: str) -> bool:
        return self.connected

    async def check(self, station_id: str, _action: str, _payload: Any) -> None:
        if not self.connected and await self.directory.elsewhere(station_id) is None:
            raise Conflict("not connected")

    async def call(
        self, _station_id: str, action: str, _payload: Any, *, message_id: str, timeout: float, late: Late
    ) -> Outcome:
        del message_id, timeout
        self.sent.append(action)
        self.late = late
        return await self.answer


class Two:
    """`near` is asked; `far` has the socket of CS1."""

    def __init__(self, store: Any, clock: Any) -> None:
        self.near, self.near_bus, _ = self._process(store, clock, 1, connected=False)
        self.far, self.far_bus, self.socket = self._process(store, clock, 2, connected=True)

    def _process(self, store: Any, clock: Any, number: int, *, connected: bool) -> tuple[Any, Any, Gateway]:
        member = Member(number)
        directory = Directory(store, member)
        gateway = Gateway(connected, directory)
        commands = Commands(store, clock, gateway, directory=directory, bus=member.bus)
        commands.node = number
        return commands, member.bus, gateway


@pytest.fixture
async def two(store: Any, clock: Any) -> Two:
    async with store.unit_of_work(clock) as unit:
        station = ChargingStation(id="CS1", state=Admission.ACCEPTED, last_updated=unit.now())
        await stations.save(unit.session, station, unit.now())
        row = await unit.session.get(stations.StationRow, "CS1")
        row.online, row.node = True, 2
    return Two(store, clock)


async def kept(store: Any, command_id: str) -> Any:
    async with store.reading() as session:
        return await rows.get(session, command_id)


async def test_it_is_marked_as_sent_by_the_one_that_sends_it_once(store: Any, two: Two) -> None:
    submitted = await two.near.submit("CS1", "Reset", {"type": "Soft"})
    before = await kept(store, submitted.id)
    assert (before.node, before.sent_at) == (2, None)
    two.socket.answer.set_result(Outcome(kind=OutcomeKind.RESULT, response={"status": "Accepted"}))
    await asyncio.gather(two.far.take_wanted(), two.far.take_wanted(), two.far.take_wanted())
    # Nobody tells: the row is looked at now and then.
    outcome = await submitted.outcome
    assert (outcome.kind, outcome.response) == (OutcomeKind.RESULT, {"status": "Accepted"})
    assert two.socket.sent == ["Reset"]
    assert (await kept(store, submitted.id)).sent_at is not None


async def test_what_nobody_took_in_time_ends_as_timeout_and_is_never_sent(
    store: Any, clock: Any, two: Two
) -> None:
    submitted = await two.near.submit("CS1", "Reset", {"type": "Soft"}, seconds=5)
    clock.advance(5 + elsewhere.GRACE.total_seconds())
    assert (await submitted.outcome).kind is OutcomeKind.TIMEOUT
    await two.far.take_wanted()
    assert two.socket.sent == []


async def test_a_late_answer_is_told_once(store: Any, two: Two) -> None:
    told: list[Outcome] = []
    submitted = await two.near.submit("CS1", "Reset", {"type": "Soft"}, late=told.append)
    two.socket.answer.set_result(Outcome(kind=OutcomeKind.TIMEOUT))
    await two.far.take_wanted()
    assert (await submitted.outcome).kind is OutcomeKind.TIMEOUT
    await two.near.look_for_late()
    assert told == []
    assert two.socket.late is not None
    two.socket.late(Outcome(kind=OutcomeKind.RESULT, response={"status": "Accepted"}))
    while not (await kept(store, submitted.id)).late:
        await asyncio.sleep(0.01)
    await two.near.look_for_late()
    await two.near.look_for_late()
    assert [each.response for each in told] == [{"status": "Accepted"}]


async def test_the_bus_wakes_both_sides(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elsewhere, "POLL_SECONDS", 60)
    two.far_bus.subscribe(Topic.OUTCOME, lambda _id: None)
    submitted = await two.near.submit("CS1", "Reset", {"type": "Soft"})
    two.socket.answer.set_result(Outcome(kind=OutcomeKind.RESULT))
    two.far_bus.publish(Topic.CALL, "3")
    two.far_bus.publish(Topic.CALL, "2")
    while not two.socket.sent:
        await asyncio.sleep(0.01)
    while not submitted.outcome.done():
        two.near_bus.publish(Topic.OUTCOME, submitted.id)
        await asyncio.sleep(0.01)
    assert (await submitted.outcome).kind is OutcomeKind.RESULT


async def test_a_station_at_no_socket_is_a_conflict(store: Any, clock: Any, two: Two) -> None:
    async with store.unit_of_work(clock) as unit:
        await stations.give_up_lost(unit.session, unit.now())
    with pytest.raises(Conflict):
        await two.near.submit("CS1", "Reset", {"type": "Soft"})
