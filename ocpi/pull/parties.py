"""Lists that are read when a platform has come, every hour, and when it is back: those of parties behind the hub, for
GET ALL, and those of foreign hubs, that say who is behind them.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from app.kit import logs
from app.store.hub import pulls as rows
from app.store.hub.pulls import Counts, PullRow
from ocpi.context import OcpiContext
from ocpi.errors import InvalidParameterError, PartnerFailure
from ocpi.headers import RoutedParty, Routing
from ocpi.hub.pulled import LISTS, Reading
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.partners import foreign
from ocpi.partners.desk import HUB
from ocpi.partners.partner import Partner
from ocpi.pull.clients import ClientsReading

_log = logs.get("ocpi.pull")

EVERY = timedelta(hours=1)
WHOLE_EVERY = timedelta(hours=24)
"""What changed does not show what is gone."""
AGAIN = timedelta(minutes=5)
"""After a failure."""
OVERLAP = timedelta(minutes=5)
"""So much is read twice: what was stamped before the last reading may have been committed after it."""
_PAGE = 100
_AT_ONCE = 8
"""Platforms that are read side by side: a slow one leaves the others their turn."""

Wanted = tuple[ModuleId, datetime | None]
"""A list, and since when what changed in it is read; None: all of it."""


class PartyLists:
    """Reads what is due; of several processes one does it. Who tells everybody anyway costs an empty page an hour."""

    def __init__(self, context: OcpiContext) -> None:
        self._context = context
        self._away: set[str] = set()

    async def look(self) -> None:
        """Read every list that is due, those of a platform one after the other; to be called every few seconds."""
        context = self._context
        async with context.store.reading() as session:
            known = {(row.partner_id, row.module): row for row in await rows.every(session)}
        now = context.clock.now()
        due: list[tuple[Partner, list[Wanted]]] = []
        for partner in context.registry.all():
            rows_of = {module: known.get((partner.id, module)) for module in _lists(partner)}
            if not rows_of or not partner.reachable:
                continue
            back = self._is_back(partner)
            wanted = [
                (module, _since(row, now)) for module, row in rows_of.items() if back or _is_due(row, now)
            ]
            if wanted and partner.id not in self._away:
                due.append((partner, wanted))
        turns = asyncio.Semaphore(_AT_ONCE)
        await asyncio.gather(*(self._read(partner, wanted, turns) for partner, wanted in due))

    def _is_back(self, partner: Partner) -> bool:
        """Whether a platform was away when it was last looked, and is here now."""
        if self._is_away(partner):
            self._away.add(partner.id)
            return False
        back = partner.id in self._away
        self._away.discard(partner.id)
        return back

    def _is_away(self, partner: Partner) -> bool:
        """A partner of our CPO is away that was silent to what we sent last, and was not heard of for a while since."""
        if partner.platform == HUB:
            return self._context.hub.liveness.is_away(partner.id)
        answers = self._context.traffic.answers
        heard = answers.answered(partner.id), self._context.registry.last_contact(partner)
        silent = answers.silent(partner.id)
        if silent is None or any(at is not None and at > silent for at in heard):
            return False
        return self._context.clock.now() - silent < AGAIN

    async def _read(self, partner: Partner, wanted: list[Wanted], turns: asyncio.Semaphore) -> None:
        async with turns:
            for module, since in wanted:
                await pull(self._context, partner, module, since)


async def pull(context: OcpiContext, partner: Partner, module: ModuleId, since: datetime | None) -> None:
    """Read a list of each of the platform's parties that have one: what changed since then, or all of it."""
    url = partner.endpoint(module, InterfaceRole.SENDER)
    to = _addressees(context, partner, module)
    if url is None or not to:
        return
    began = context.clock.now()
    reading: Reading | ClientsReading = (
        Reading(context.hub, partner, module, began)
        if module in LISTS
        else ClientsReading(context.desk, partner)
    )
    error: str | None = None
    try:
        complete = await _read_all(context, partner, reading, url=url, to=to, since=since)
        if complete and since is None:
            await reading.finish()
    except (PartnerFailure, InvalidParameterError) as failure:
        error = str(failure)
    counts = Counts(reading.entries, reading.kept, reading.skipped, reading.withdrawn)
    whole = since is None
    _log.info("list read", partner=partner.id, module=module, whole=whole, error=error, **counts._asdict())
    async with context.store.unit_of_work(context.clock) as unit:
        await rows.note(unit.session, partner.id, str(module), began, counts, whole=whole, error=error)


async def _read_all(
    context: OcpiContext,
    partner: Partner,
    reading: Reading | ClientsReading,
    *,
    url: str,
    to: Sequence[Routing | None],
    since: datetime | None,
) -> bool:
    """Read every page; whether there were as many objects as the partner said there are. Raises PartnerFailure."""
    complete = True
    for routing in to:
        before, total = reading.entries, 0
        async for page in context.client.pages(
            url, context.desk.peer(partner), date_from=since, limit=_PAGE, routing=routing
        ):
            await reading.take(page.items)
            total = page.total or 0
        complete = complete and reading.entries - before >= total
    return complete


def _lists(partner: Partner) -> tuple[ModuleId, ...]:
    if partner.platform == HUB:
        return tuple(LISTS)
    return (ModuleId.HUB_CLIENT_INFO,) if foreign.is_hub(partner) else ()


def _addressees(context: OcpiContext, partner: Partner, module: ModuleId) -> list[Routing | None]:
    """Whose lists are read, as headers name them; None where the module is not routed."""
    if not module.routed:
        return [None]
    return [
        Routing(to=RoutedParty(each.country_code, each.party_id), sender=context.hub.routed_party)
        for each in partner.parties_as(LISTS[module])
    ]


async def read_anew(context: OcpiContext, partner: Partner) -> None:
    """A platform has registered, perhaps again: all of its lists are due, whole."""
    async with context.store.unit_of_work(context.clock) as unit:
        await rows.forget(unit.session, partner.id)


def _is_due(row: PullRow | None, now: datetime) -> bool:
    if row is None:
        return True
    if row.error is not None:
        return now - row.tried_at >= AGAIN
    return row.pulled_at is None or now - row.pulled_at >= EVERY


def _since(row: PullRow | None, now: datetime) -> datetime | None:
    """Since when what changed is to be read; None where the whole list is."""
    if row is None or row.pulled_at is None or row.whole_at is None or now - row.whole_at >= WHOLE_EVERY:
        return None
    return row.pulled_at - OVERLAP
