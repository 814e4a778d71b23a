"""Agreements: which parties may reach each other, in memory for every message, in the database for ever."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta

from app.domain.errors import Invalid, NotFound
from app.domain.events import HubAgreementChanged
from app.domain.parties import Party
from app.kit.clock import Clock
from app.store.database.engine import Store
from app.store.hub import objects as rows
from app.store.hub.objects import HubAgreementRow
from ocpi.modules import ModuleId

Pair = tuple[str, str]
_CLOCKS_APART = timedelta(seconds=1)


def pair_of(one: Party, other: Party) -> Pair:
    """Two parties in the order in which an agreement names them."""
    first, second = sorted((str(one.folded()), str(other.folded())))
    return first, second


class Agreements:
    """All agreements; whoever changes one lets the others know by `reload`.

    `everybody`: a test network or a demo, in which nobody needs an agreement. `listeners` are told of every change.
    """

    def __init__(self, store: Store, clock: Clock, *, everybody: bool = False) -> None:
        self._store = store
        self._clock = clock
        self.everybody = everybody
        self.listeners: list[Callable[[], None]] = []
        self._modules: dict[Pair, frozenset[str] | None] = {}
        self._updated: dict[Pair, datetime] = {}
        self._read_at: datetime | None = None
        self._reading = asyncio.Lock()

    async def reload(self) -> bool:
        """Read all of them; whether anything has changed since the last time."""
        # One after the other: what was read before a change must never replace what was read after it.
        async with self._reading:
            return self._take(self._clock.now(), await self._rows())

    async def _rows(self) -> Sequence[HubAgreementRow]:
        async with self._store.reading() as session:
            return await rows.agreements(session)

    def _take(self, read_at: datetime, found: Sequence[HubAgreementRow]) -> bool:
        self._read_at = read_at
        self._updated = {(row.one, row.other): row.last_updated for row in found}
        modules = {
            (row.one, row.other): frozenset(row.modules) if row.modules else None
            for row in found
            if not row.ended
        }
        changed, self._modules = modules != self._modules, modules
        return changed

    async def as_of(self, at: datetime) -> None:
        """Make sure that what was agreed at this time is known, in whichever process it was."""
        if self._read_at is None or self._read_at < at + _CLOCKS_APART:
            await self.reload()

    def allow(self, one: Party, other: Party, module: ModuleId) -> bool:
        """Whether messages of this module may pass between two parties, in either direction."""
        if self.everybody:
            return True
        pair = pair_of(one, other)
        if pair not in self._modules:
            return False
        modules = self._modules[pair]
        return modules is None or module in modules

    def known(self, one: Party, other: Party) -> bool:
        """Whether two parties have anything to do with each other."""
        return self.everybody or pair_of(one, other) in self._modules

    def updated(self, one: Party, other: Party) -> datetime | None:
        """When two parties last agreed, or ended it; None where they never did, or need not."""
        return None if self.everybody else self._updated.get(pair_of(one, other))

    async def all(self) -> Sequence[HubAgreementRow]:
        """The agreements in force, in order of their parties."""
        return [row for row in await self._rows() if not row.ended]

    async def get(self, one: Party, other: Party) -> HubAgreementRow:
        """The agreement of two parties. Raises NotFound."""
        pair = pair_of(one, other)
        for row in await self.all():
            if (row.one, row.other) == pair:
                return row
        raise NotFound(f"there is no agreement between {one} and {other}")

    async def put(self, one: Party, other: Party, modules: Collection[str]) -> tuple[HubAgreementRow, bool]:
        """Let two parties reach each other, in some modules or (none named) in all; whether it is new.

        Raises Invalid for a party with itself and for modules that are never routed.
        """
        _check(one, other, modules)
        first, second = pair_of(one, other)
        async with self._store.unit_of_work(self._clock) as unit:
            row = await unit.session.get(HubAgreementRow, (first, second), populate_existing=True)
            created = row is None or row.ended
            if row is None:
                row = HubAgreementRow(
                    one=first, other=second, modules=[], created_at=unit.now(), last_updated=unit.now()
                )
                unit.session.add(row)
            row.modules = sorted(set(modules))
            row.ended = False
            row.last_updated = unit.now()
            unit.emit(HubAgreementChanged(one=one.folded(), other=other.folded(), at=unit.now()))
        await self._changed()
        return row, created

    async def end(self, one: Party, other: Party) -> None:
        """They may not reach each other any more. Raises NotFound."""
        async with self._store.unit_of_work(self._clock) as unit:
            row = await unit.session.get(HubAgreementRow, pair_of(one, other), populate_existing=True)
            if row is None or row.ended:
                raise NotFound(f"there is no agreement between {one} and {other}")
            row.ended = True
            row.last_updated = unit.now()
            unit.emit(HubAgreementChanged(one=one.folded(), other=other.folded(), at=unit.now()))
        await self._changed()

    async def _changed(self) -> None:
        await self.reload()
        for listener in self.listeners:
            listener()


def _check(one: Party, other: Party, modules: Collection[str]) -> None:
    if one.folded() == other.folded():
        raise Invalid("an agreement needs two parties")
    routed = [module.value for module in ModuleId if module.routed]
    if wrong := next((each for each in modules if each not in routed), None):
        raise Invalid(f"modules: {wrong} is none of {', '.join(routed)}", field="modules")
