"""The lists of parties behind the hub, read for GET ALL: when they have come, every hour, and when they are back."""

import asyncio
from datetime import datetime, timedelta

from app.kit import logs
from app.store import hub_accounts as rows
from app.store.hub_accounts import HubPullRow
from ocpi.context import OcpiContext
from ocpi.errors import InvalidParameterError, PartnerFailure
from ocpi.headers import RoutedParty, Routing
from ocpi.hub.pulled import LISTS, merge
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.partners.desk import HUB
from ocpi.partners.partner import Partner

_log = logs.get("ocpi.pull")

EVERY = timedelta(hours=1)
AGAIN = timedelta(minutes=5)
"""After a failure."""
OVERLAP = timedelta(minutes=5)
"""So much is read twice: what was stamped before the last reading may have been committed after it."""
_PAGE = 100
_AT_ONCE = 8
"""Platforms that are read side by side: a slow one leaves the others their turn."""


class PartyLists:
    """Reads what is due; of several processes one does it. Who tells everybody anyway costs an empty page an hour."""

    def __init__(self, context: OcpiContext) -> None:
        self._context = context
        self._away: set[str] = set()

    async def look(self) -> None:
        """Read every list that is due, those of a platform one after the other; to be called every few seconds."""
        context = self._context
        async with context.store.reading() as session:
            known = {(row.partner_id, row.module): row for row in await rows.pulls(session)}
        due: list[tuple[Partner, list[tuple[ModuleId, datetime | None]]]] = []
        for partner in context.registry.all():
            if partner.platform != HUB or not partner.reachable:
                continue
            if context.hub.liveness.is_away(partner.id):
                self._away.add(partner.id)
                continue
            back = partner.id in self._away
            self._away.discard(partner.id)
            rows_of = {module: known.get((partner.id, module)) for module in LISTS}
            wanted = [
                (module, None if row is None else row.pulled_at)
                for module, row in rows_of.items()
                if back or _is_due(row, context.clock.now())
            ]
            if wanted:
                due.append((partner, wanted))
        turns = asyncio.Semaphore(_AT_ONCE)
        await asyncio.gather(*(self._read(partner, wanted, turns) for partner, wanted in due))

    async def _read(
        self, partner: Partner, wanted: list[tuple[ModuleId, datetime | None]], turns: asyncio.Semaphore
    ) -> None:
        async with turns:
            for module, last in wanted:
                await pull(self._context, partner, module, last)


async def pull(context: OcpiContext, partner: Partner, module: ModuleId, last: datetime | None) -> None:
    """Read a list of each of the platform's parties that have one: what changed since `last`, or all of it."""
    url = partner.endpoint(module, InterfaceRole.SENDER)
    parties = partner.parties_as(LISTS[module])
    if url is None or not parties:
        return
    began, kept, skipped = context.clock.now(), 0, 0
    error: str | None = None
    since = None if last is None else last - OVERLAP
    try:
        for party in parties:
            routing = Routing(
                to=RoutedParty(party.country_code, party.party_id), sender=context.hub.routed_party
            )
            pages = context.client.pages(
                url, context.desk.peer(partner), date_from=since, limit=_PAGE, routing=routing
            )
            async for page in pages:
                merged = await merge(context.hub, partner, module, page.items)
                kept, skipped = kept + merged.kept, skipped + merged.skipped
    except (PartnerFailure, InvalidParameterError) as failure:
        error = str(failure)
    _log.info("list read", partner=partner.id, module=module, kept=kept, skipped=skipped, error=error)
    row = HubPullRow(
        partner_id=partner.id,
        module=str(module),
        tried_at=began,
        pulled_at=began if error is None else last,
        error=error,
    )
    async with context.store.unit_of_work(context.clock) as unit:
        await unit.session.merge(row)


async def read_anew(context: OcpiContext, partner: Partner) -> None:
    """A platform has registered, perhaps again: all of its lists are due, whole."""
    async with context.store.unit_of_work(context.clock) as unit:
        await rows.forget_pulls(unit.session, partner.id)


def _is_due(row: HubPullRow | None, now: datetime) -> bool:
    if row is None:
        return True
    if row.error is not None:
        return now - row.tried_at >= AGAIN
    return row.pulled_at is None or now - row.pulled_at >= EVERY
