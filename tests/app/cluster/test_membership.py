"""Processes on one PostgreSQL: who lives, who leads, what becomes of what the dead had, and how they wake each other."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from app.cluster.bus import LocalBus, Topic, go_and_look
from app.cluster.membership import SILENT_AFTER, Alone, Node, led, membership
from app.cluster.roles import Role
from app.domain.stations import Admission, ChargingStation
from app.kit import tasks
from app.kit.periodic import Periodic
from app.store import nodes, stations
from app.store.database.engine import Store
from app.store.database.errors import StoreUnavailable
from app.store.database.unit_of_work import UnitOfWork
from tests.conftest import until

on_postgresql = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
Enter = Callable[..., Awaitable[Node]]


async def free(unit: UnitOfWork) -> None:
    await stations.give_up_lost(unit.session, unit.now())


@pytest.fixture
async def enter(store: Store, clock: Any) -> AsyncIterator[Enter]:
    """Makes processes that have joined; all of them leave at the end."""
    made: list[Node] = []

    async def join(role: Role = Role.ALL) -> Node:
        node = membership(store, clock, role, free)
        assert isinstance(node, Node)
        made.append(node)
        await node.join()
        return node

    yield join
    for node in made:
        await node.leave()


async def numbers(store: Store) -> set[int]:
    async with store.reading() as session:
        return {each.number for each in await nodes.all_of(session)}


async def hold(store: Store, clock: Any, node: int) -> None:
    """A station is connected to this process."""
    async with store.unit_of_work(clock) as unit:
        station = ChargingStation(id="CS1", state=Admission.ACCEPTED, last_updated=unit.now())
        await stations.save(unit.session, station, unit.now())
        row = await unit.session.get(stations.StationRow, "CS1")
        assert row is not None
        row.online, row.node = True, node


async def holder(store: Store) -> int | None:
    async with store.reading() as session:
        return await stations.holder(session, "CS1")


async def die(node: Node, database_url: str) -> None:
    """As after a kill: the connection is gone and never comes back; the row stays."""
    await node._round.stop()
    await node.link.close()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_alone_everything_an_earlier_process_had_is_free(store: Store, clock: Any) -> None:
    await hold(store, clock, 0)
    alone = membership(store, clock, Role.ALL, free)
    assert isinstance(alone, Alone)
    await alone.join()
    assert await holder(store) is None
    assert (alone.leads, alone.number, alone.neighbours) == (True, 0, False)
    heard: list[str] = []
    alone.bus.subscribe(Topic.MARKS, heard.append)
    alone.bus.publish(Topic.MARKS, "here")
    alone.bus.publish(Topic.MARKS, "elsewhere", here=False)
    assert heard == ["here"]


def test_a_listener_that_fails_stops_no_other() -> None:
    bus, heard = LocalBus(), []

    def fail(_id: str) -> None:
        raise RuntimeError

    bus.subscribe(Topic.MARKS, fail)
    bus.subscribe(Topic.MARKS, heard.append)
    bus.publish(Topic.MARKS, "1")
    assert heard == ["1"]


async def test_a_look_at_a_store_that_is_away_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    looked: list[str] = []

    async def look(error: Exception) -> None:
        looked.append(type(error).__name__)
        raise error

    go_and_look(look(StoreUnavailable("away")), "looking")
    go_and_look(look(ValueError("ours")), "failing")
    await until(lambda: len(looked) == 2)
    await tasks.drain(1)
    failures = [line for line in capsys.readouterr().out.splitlines() if "a background task failed" in line]
    assert [("task=failing" in line, "task=looking" in line) for line in failures] == [(True, False)]


@on_postgresql
async def test_who_leaves_is_known_to_have_left_and_another_leads(
    store: Store, clock: Any, enter: Enter
) -> None:
    first, second, third = await enter(), await enter(Role.HTTP), await enter(Role.WORKER)
    assert await numbers(store) == {first.number, second.number, third.number}
    assert [first.leads, second.leads, third.leads] == [True, False, False]
    await second.look()
    assert second.neighbours
    await first.leave()
    await second.look()
    await third.look()
    assert [second.leads, third.leads] == [False, True]
    assert await numbers(store) == {second.number, third.number}


@on_postgresql
async def test_what_a_dead_one_had_is_free_when_its_lock_stays_free(
    store: Store, clock: Any, enter: Enter, database_url: str
) -> None:
    dead, alive = await enter(), await enter()
    await hold(store, clock, dead.number)
    await die(dead, database_url)
    await alive.look()
    await alive.look()
    assert await holder(store) == dead.number, "one moment without a lock is no death"
    clock.advance(2)
    await alive.look()
    assert await holder(store) is None
    assert await numbers(store) == {alive.number}


@on_postgresql
async def test_the_living_are_left_alone_however_often_one_looks(
    store: Store, clock: Any, enter: Enter
) -> None:
    one, other = await enter(), await enter()
    await hold(store, clock, one.number)
    for _ in range(5):
        clock.advance(1)
        await other.look()
    assert await holder(store) == one.number
    await other.link.ask("SELECT 1")


@on_postgresql
async def test_a_newcomer_frees_at_once_what_the_dead_had(
    store: Store, clock: Any, enter: Enter, database_url: str
) -> None:
    dead = await enter()
    await hold(store, clock, dead.number)
    await die(dead, database_url)
    newcomer = await enter()
    assert await holder(store) is None
    assert await numbers(store) == {newcomer.number}


@on_postgresql
async def test_a_silent_one_is_given_up_and_begins_anew(store: Store, clock: Any, enter: Enter) -> None:
    silent, alive = await enter(), await enter()
    before = silent.number
    begun: list[int] = []

    async def begin_anew() -> None:
        begun.append(silent.number)

    silent.expelled.append(begin_anew)
    await silent._round.stop()
    await hold(store, clock, before)
    clock.advance(SILENT_AFTER.total_seconds() + 1)
    await alive.look()
    assert await holder(store) is None
    await silent.look()
    assert begun == [silent.number] != [before]
    assert await numbers(store) == {silent.number, alive.number}
    clock.advance(2)
    await alive.look()
    assert await numbers(store) == {silent.number, alive.number}


@on_postgresql
async def test_they_wake_each_other_and_look_at_everything_after_a_lost_connection(
    store: Store, clock: Any, enter: Enter
) -> None:
    one, other = await enter(), await enter()
    heard: list[tuple[str, str]] = []
    for name, node in (("one", one), ("other", other)):
        node.bus.subscribe(Topic.PARTNER, lambda id_, name=name: heard.append((name, id_)))
    one.bus.publish(Topic.PARTNER, "p 1")
    await until(lambda: ("other", "p 1") in heard)
    one.bus.publish(Topic.PARTNER, "p2", here=False)
    await until(lambda: ("other", "p2") in heard)
    assert heard == [("one", "p 1"), ("other", "p 1"), ("other", "p2")]

    assert one.leads
    await other.link.ask("SELECT pg_terminate_backend($1)", one.link._connection.get_server_pid())
    await until(lambda: ("one", "") in heard)
    other.bus.publish(Topic.PARTNER, "p3")
    await until(lambda: ("one", "p3") in heard)
    clock.advance(1)
    await other.look()
    await one.look()
    assert await numbers(store) == {one.number, other.number}
    assert [one.leads, other.leads].count(True) == 1


@on_postgresql
async def test_only_the_leader_makes_the_rounds(store: Store, clock: Any, enter: Enter) -> None:
    one, other = await enter(), await enter()
    made: list[str] = []
    rounds = []
    for name, node in (("one", one), ("other", other)):

        async def work(name: str = name) -> None:
            made.append(name)

        rounds += led(node, [Periodic("round", 0.01, work)])
    for each in rounds:
        each.start()
    await until(lambda: len(made) >= 3)
    await one.leave()
    await other.look()
    await until(lambda: "other" in made)
    for each in rounds:
        await each.stop()
    assert made == sorted(made, key=["one", "other"].index)


@on_postgresql
async def test_a_question_on_a_lost_link_fails_and_nothing_else(
    store: Store, clock: Any, enter: Enter
) -> None:
    node = await enter()
    await node.link.close()
    with pytest.raises((asyncpg.InterfaceError, asyncpg.PostgresError)):
        await node.link.ask("SELECT 1")
    await node.look()
