"""Everything we have, told to a partner that has just registered: paced, tariffs before locations."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.events import Mark
from app.outbox import enqueue
from app.store import locations, tariffs
from app.store.paging import Page, Window
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.partners.desk import Desk
from ocpi.partners.partner import Partner
from ocpi.push.audience import addressees
from ocpi.push.subscribers import RANKS

_WINDOW = 1000

Pages = Callable[[AsyncSession, Window], Awaitable[Page]]


async def tell_everything(desk: Desk, partner: Partner) -> int:
    """Mark all tariffs, then all locations, for a partner that takes them; says how many objects.

    The marks fall due one after the other at the partner's pace, so that it survives a restart and holds up
    nothing that happens meanwhile.
    """
    if not addressees(partner):
        return 0
    async with desk.store.unit_of_work(desk.clock) as unit:
        await enqueue.forget_confirmed(unit.session, partner.id)
        hidden = desk.registry.hidden_from(partner)
        wanted = [
            (kind, id_)
            for kind, id_ in await _objects(unit.session, partner)
            if kind != "tariff" or id_.upper() not in hidden
        ]
        gap = timedelta(seconds=1 / partner.settings.pace)
        now = unit.now()
        await enqueue.schedule(
            unit.session,
            [
                (_mark(partner, kind, id_, now), now + gap * number)
                for number, (kind, id_) in enumerate(wanted)
            ],
        )
    return len(wanted)


async def _objects(session: AsyncSession, partner: Partner) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    kinds: tuple[tuple[str, ModuleId, Pages], ...] = (
        ("tariff", ModuleId.TARIFFS, tariffs.page),
        ("location", ModuleId.LOCATIONS, locations.page),
    )
    for kind, module, pages in kinds:
        if partner.endpoint(module, InterfaceRole.RECEIVER) is not None:
            found += [(kind, id_) for id_ in await _all(session, pages)]
    return found


async def _all(session: AsyncSession, pages: Pages) -> list[str]:
    ids: list[str] = []
    window: Window | None = Window(limit=_WINDOW)
    while window is not None:
        page = await pages(session, window)
        ids += [id_ for id_, _ in page.items]
        window = None if page.next is None else Window(limit=_WINDOW, after=page.next)
    return ids


def _mark(partner: Partner, kind: str, object_id: str, now: datetime) -> Mark:
    return Mark(
        partner_id=partner.id,
        kind=kind,
        object_id=object_id,
        rank=RANKS[kind],
        whole=True,
        wanted=now,
    )
