"""Membership: this process among those that share the database; the dead are found, and what they held is freed."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Protocol

import asyncpg

from app.cluster.bus import Bus, LocalBus
from app.cluster.link import Link
from app.cluster.roles import Role
from app.kit import logs
from app.kit.clock import Clock
from app.kit.periodic import Periodic
from app.store import nodes
from app.store.database.engine import SQLITE, Store
from app.store.database.errors import StoreError, StoreUnavailable
from app.store.database.unit_of_work import UnitOfWork

Free = Callable[[UnitOfWork], Awaitable[None]]
"""Frees, in the running transaction, whatever names a process that has no row."""

ROUND_SECONDS = 1.0
"""How often a process looks whether the others live: a lock tells, so this costs no write."""
DEAD_AFTER_SECONDS = 1.5
"""How long a lock may be free: a connection that only broke is made anew within this time."""
HEARD_SECONDS = 10.0
SILENT_AFTER = timedelta(seconds=60)
"""A process that keeps its connection but does nothing any more is given up, too."""
_SECOND_LOOK_SECONDS = 0.25

# Advisory locks with two numbers; the first is ours alone.
_NODE, _LEADER = 0x766F6C74, 0x766F6C75
_LARGEST = 2**31

_log = logs.get("cluster.membership")


class Membership(Protocol):
    """This process among the others."""

    @property
    def number(self) -> int:
        """The process's own number; 0 where it is alone."""
        ...

    @property
    def alone(self) -> bool:
        """Whether there can be no other process."""
        ...

    @property
    def leads(self) -> bool:
        """Whether the rounds of the house are this process's: at most one has them."""
        ...

    @property
    def neighbours(self) -> bool:
        """Whether another process was alive at the last look."""
        ...

    @property
    def bus(self) -> Bus:
        """What wakes the others."""
        ...

    async def join(self) -> None:
        """Be known, and free what processes that ended without a word had."""
        ...

    async def leave(self) -> None:
        """Be known no longer."""
        ...


class Alone:
    """A process on SQLite. What an earlier one left is freed when it begins."""

    number = 0
    alone = True
    leads = True
    neighbours = False

    def __init__(self, store: Store, clock: Clock, free: Free) -> None:
        self.bus: Bus = LocalBus()
        self._store = store
        self._clock = clock
        self._free = free

    async def join(self) -> None:
        """Free what an earlier process left. Raises StoreUnavailable."""
        async with self._store.unit_of_work(self._clock) as unit:
            await self._free(unit)

    async def leave(self) -> None:
        """Nobody has to be told."""


class Node:
    """A process on PostgreSQL: a row, and a lock that the server lets go of when the process dies.

    A process whose lock stays free is dead. Whoever finds it takes its row away and frees, in the same
    transaction, what it had. Should it live after all, it finds its row gone (`expelled` is awaited) and begins anew.
    """

    alone = False

    def __init__(self, store: Store, clock: Clock, role: Role, free: Free) -> None:
        dsn = store.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self.link = Link(dsn, self._take_locks, self._lose_locks)
        self.bus: Bus = self.link
        self.number = 0
        self.leads = False
        self.neighbours = False
        self.expelled: list[Callable[[], Awaitable[None]]] = []
        self._store = store
        self._clock = clock
        self._role = role
        self._free = free
        self._suspects: dict[int, float] = {}
        self._heard_at = clock.monotonic()
        self._round = Periodic("cluster", ROUND_SECONDS, self.look)

    async def join(self) -> None:
        """Be known, and free what processes that ended without a word had. Raises StoreUnavailable."""
        try:
            await self.link.open()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            raise StoreUnavailable(f"no connection for the bus: {error}") from error
        await self._enter()
        dead = await self._unlocked()
        if dead:
            await asyncio.sleep(_SECOND_LOOK_SECONDS)
            dead &= await self._unlocked()
        async with self._store.unit_of_work(self._clock) as unit:
            for number in dead:
                await nodes.leave(unit.session, number)
            await self._free(unit)
        self._round.start()

    async def leave(self) -> None:
        """Be known no longer: others need not wait for a lock to go."""
        await self._round.stop()
        try:
            async with self._store.unit_of_work(self._clock) as unit:
                await nodes.leave(unit.session, self.number)
        except StoreError as error:
            _log.warning("the end of this process was not noted", error=str(error))
        self.leads = False
        await self.link.close()

    async def look(self) -> None:
        """One round: say that we live, lead if nobody does, and find the dead."""
        silent: set[int] = set()
        if self._clock.monotonic() - self._heard_at >= HEARD_SECONDS:
            await self._say_alive()
            silent = await self._silent()
        try:
            if self._role.works and not self.leads:
                self.leads = await self._lead()
            unlocked = await self._unlocked()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            _log.info("the other processes cannot be seen", error=str(error))
            return
        moment = self._clock.monotonic()
        self._suspects = {each: self._suspects.get(each, moment) for each in unlocked}
        dead = {each for each, since in self._suspects.items() if moment - since >= DEAD_AFTER_SECONDS}
        for number in dead | silent:
            await self._bury(number)

    async def _enter(self) -> None:
        async with self._store.unit_of_work(self._clock) as unit:
            await nodes.join(unit.session, self.number, self._role, unit.now())
        # Batches that began before this row was there compare nothing: nobody else was there. They end first.
        await self._store.pass_gate()

    async def _say_alive(self) -> None:
        async with self._store.unit_of_work(self._clock) as unit:
            known = await nodes.heard(unit.session, self.number, unit.now())
        self._heard_at = self._clock.monotonic()
        if not known:
            _log.error("the other processes took this one for dead; it begins anew", node=self.number)
            self.number = 0
            await self._take_locks()
            await self._enter()
            for expelled in self.expelled:
                await expelled()

    async def _take_locks(self) -> None:
        if not self.number:
            ((self.number,),) = await self.link.ask(nodes.NEXT_NUMBER)
            self.link.name = str(self.number)
        await self.link.ask("SELECT pg_advisory_lock($1, $2)", _NODE, self.number % _LARGEST)
        if self._role.works and not self.leads:
            self.leads = await self._lead()

    async def _lead(self) -> bool:
        (found,) = await self.link.ask("SELECT pg_try_advisory_lock($1, 0)", _LEADER)
        if found[0]:
            _log.info("this process makes the rounds of the house", node=self.number)
        return bool(found[0])

    def _lose_locks(self) -> None:
        """Our own connection broke; those of others may have, too."""
        self.leads = False
        self._suspects.clear()

    async def _unlocked(self) -> set[int]:
        """The processes whose lock nobody holds. Shared, so that several may look at once."""
        found = await self.link.ask(
            "SELECT number, pg_try_advisory_xact_lock_shared($2, (number % $3)::int) FROM nodes WHERE number <> $1",
            self.number, _NODE, _LARGEST,
        )  # fmt: skip
        self.neighbours = not all(free for _, free in found)
        return {number for number, free in found if free}

    async def _silent(self) -> set[int]:
        """The processes that have not said for long that they live."""
        async with self._store.reading() as session:
            every = await nodes.all_of(session)
        latest = max((each.heard_at for each in every), default=self._clock.now())
        # Against the latest word of any, so that a clock of ours that is wrong condemns nobody.
        return {
            each.number
            for each in every
            if each.number != self.number and latest - each.heard_at > SILENT_AFTER
        }

    async def _bury(self, number: int) -> None:
        self._suspects.pop(number, None)
        async with self._store.unit_of_work(self._clock) as unit:
            if not await nodes.leave(unit.session, number):
                return
            await self._free(unit)
        _log.warning("a process is gone; what it had is free", node=number)


def membership(store: Store, clock: Clock, role: Role, free: Free) -> "Alone | Node":
    """The process's membership, by the kind of its database."""
    return Alone(store, clock, free) if store.dialect == SQLITE else Node(store, clock, role, free)


def led(membership: Membership, rounds: Sequence[Periodic]) -> list[Periodic]:
    """These rounds, made only while this process leads."""
    return [each.only_if(lambda: membership.leads) for each in rounds]
