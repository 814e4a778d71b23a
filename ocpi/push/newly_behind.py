"""What was told to everybody before somebody came: told to a platform that has just registered or agreed, paced."""

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.events import Mark
from app.domain.parties import Party
from app.outbox import enqueue
from app.store import locations, tariffs
from app.store.hub import clients as hub_clients
from app.store.hub import objects as rows
from app.store.paging import Window
from ocpi.hub.reach import Reach
from ocpi.hub.routing import BROADCAST
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.partners.desk import HUB, Desk
from ocpi.partners.partner import Partner
from ocpi.push.subscribers import HUB_KINDS, RANKS

_WINDOW = 1000
_OURS = ((ModuleId.TARIFFS, "tariff", tariffs.page), (ModuleId.LOCATIONS, "location", locations.page))


async def tell(desk: Desk, reach: Reach, partner: Partner, *, anew: bool) -> int:
    """Mark what the platform may know and was not told yet; says how many objects.

    `anew`: it may have lost what it was told before. Tariffs go before locations; nothing that happens meanwhile waits.
    """
    if partner.platform != HUB or not partner.hears:
        return 0
    async with desk.store.unit_of_work(desk.clock) as unit:
        if anew:
            await enqueue.forget_confirmed(unit.session, partner.id)
        wanted = await _clients(unit.session, partner)
        wanted += await _of_ours(unit.session, desk, reach, partner)
        wanted += await _of_others(unit.session, reach, partner)
        wanted.sort(key=lambda each: RANKS[each[0]])
        gap = timedelta(seconds=1 / partner.settings.pace)
        now = unit.now()
        marks = [
            Mark(partner_id=partner.id, kind=kind, object_id=id_, rank=RANKS[kind], whole=True, wanted=now)
            for kind, id_ in wanted
        ]
        await enqueue.schedule(unit.session, [(mark, now + gap * n) for n, mark in enumerate(marks)])
    return len(wanted)


async def _clients(session: AsyncSession, partner: Partner) -> list[tuple[str, str]]:
    if not _takes(partner, ModuleId.HUB_CLIENT_INFO):
        return []
    known = await hub_clients.all_of_them(session)
    return [("hub_client", row.id) for row in known if row.partner_id != partner.id]


async def _of_ours(
    session: AsyncSession, desk: Desk, reach: Reach, partner: Partner
) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    hidden = desk.registry.hidden_from(partner)
    for module, kind, pages in _OURS:
        if not reach.addressees(partner, reach.ours, module) or not _takes(partner, module):
            continue
        window: Window | None = Window(limit=_WINDOW)
        while window is not None:
            page = await pages(session, window)
            found += [(kind, id_) for id_, _ in page.items if kind != "tariff" or id_.upper() not in hidden]
            window = None if page.next is None else Window(limit=_WINDOW, after=page.next)
    return found


async def _of_others(session: AsyncSession, reach: Reach, partner: Partner) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for module in BROADCAST:
        if not _takes(partner, module):
            continue
        owners = [
            owner
            for owner in await rows.owners_of_all(session, module)
            if not partner.owns(owner) and reach.addressees(partner, owner, module)
        ]
        window: Window | None = Window(limit=_WINDOW)
        while window is not None and owners:
            page = await rows.page(session, module, window, owners)
            found += [(HUB_KINDS[module], id_) for id_, _ in page.items]
            window = None if page.next is None else Window(limit=_WINDOW, after=page.next)
    return found


def _takes(partner: Partner, module: ModuleId) -> bool:
    return partner.endpoint(module, InterfaceRole.RECEIVER) is not None


def platforms_of(desk: Desk, *parties: Party) -> Iterator[Partner]:
    """The platforms behind the hub that these parties are on."""
    for party in parties:
        partner = desk.registry.by_party(HUB, party)
        if partner is not None:
            yield partner
