"""The hub's own lists: what all parties told it, and what our CPO has, as one sequence of pages."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.audiences import location_for
from app.domain.parties import Party
from app.store import locations, tariffs
from app.store.hub import objects as rows
from app.store.paging import Page, Window
from ocpi.envelope import page as join_page
from ocpi.errors import InvalidParameterError
from ocpi.hub.hub import Hub
from ocpi.hub.routing import Message
from ocpi.mapping.locations import location_body
from ocpi.mapping.rendering import render
from ocpi.mapping.tariffs import tariff_body
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.paging import PageRequest, page_headers
from ocpi.partners.desk import HUB
from ocpi.server.calling import Call, Reply
from ocpi.server.listing import read_position, write_position

_THEIRS, _OURS = "t", "o"


class _Part(NamedTuple):
    """Objects of a page as JSON, how many there are in all, and where the next page begins."""

    bodies: list[bytes]
    total: int
    next: str | None


async def listed(hub: Hub, message: Message, call: Call) -> Reply:
    """GET of everybody's objects (OCPI 2.2.1 transport, GET ALL): of parties that the caller has an agreement with.

    First what parties told the hub, in the order of coming, then what our own CPO has: an object never moves.
    """
    largest = call.partner.settings.page_limit or call.context.page_limit
    asked = PageRequest.parse(call.query, largest=largest)
    await hub.store.pass_gate()
    async with hub.store.reading() as session:
        part = await _page(session, hub, message, call, asked)
    headers = page_headers(
        asked,
        url=call.url(message.module, InterfaceRole.SENDER),
        total=part.total,
        largest=largest,
        has_more=part.next is not None,
        position=part.next,
    )
    return Reply(join_page(part.bodies, now=call.now), headers=headers)


async def _page(session: AsyncSession, hub: Hub, message: Message, call: Call, asked: PageRequest) -> _Part:
    of_ours = asked.after is not None and asked.after.startswith(_OURS)
    theirs = await _of_others(session, hub, message, asked, past=of_ours)
    ours = await _of_ours(session, hub, message, call, asked=asked, theirs=theirs, began=of_ours)
    following = theirs.next or ours.next
    return _Part(theirs.bodies + ours.bodies, theirs.total + ours.total, following)


async def _of_others(
    session: AsyncSession, hub: Hub, message: Message, asked: PageRequest, *, past: bool
) -> _Part:
    after = None if past or asked.after is None else _position(asked.after)
    window = Window(
        limit=1 if past else asked.limit,
        offset=0 if past else asked.offset,
        after=read_position(after),
        date_from=asked.date_from,
        date_to=asked.date_to,
    )
    found = await rows.page(session, str(message.module), window, _parties(hub, message))
    if past:
        return _Part([], found.total, None)
    stored = await rows.objects(session, [id_ for id_, _ in found.items])
    bodies = [stored[id_].body for id_, _ in found.items]
    following = None if found.next is None else _THEIRS + write_position(found.next)
    return _Part(bodies, found.total, following)


async def _of_ours(
    session: AsyncSession,
    hub: Hub,
    message: Message,
    call: Call,
    *,
    asked: PageRequest,
    theirs: _Part,
    began: bool,
) -> _Part:
    """What is left of the page; with the others' objects not at their end only the count."""
    if message.module is ModuleId.TOKENS or not hub.agreements.allow(
        hub.desk.ours, message.sender, message.module
    ):
        return _Part([], 0, None)
    room = 0 if theirs.next is not None else asked.limit - len(theirs.bodies)
    offset = 0 if began or theirs.bodies or asked.after is not None else max(0, asked.offset - theirs.total)
    after = read_position(_position(asked.after)) if began and asked.after is not None else None
    window = Window(
        limit=max(room, 1), offset=offset, after=after, date_from=asked.date_from, date_to=asked.date_to
    )
    page = await _select(session, message.module, window, call)
    if room == 0:
        more = page.total > 0 and theirs.next is None
        return _Part([], page.total, _BEGINNING if more else None)
    bodies = await _bodies(session, message.module, [id_ for id_, _ in page.items], call)
    following = None if page.next is None else _OURS + write_position(page.next)
    return _Part(bodies, page.total, following)


_BEGINNING = f"{_OURS}0."


async def _select(session: AsyncSession, module: ModuleId, window: Window, call: Call) -> Page:
    if module is ModuleId.LOCATIONS:
        return await locations.page(session, window)
    return await tariffs.page(session, window, without=call.context.registry.hidden_from(call.partner))


async def _bodies(session: AsyncSession, module: ModuleId, ids: Sequence[str], call: Call) -> list[bytes]:
    if module is ModuleId.LOCATIONS:
        places = await locations.bodies(session, ids)
        return [render(location_body(location_for(call.partner.prices, places[id_]))) for id_ in ids]
    prices = await tariffs.bodies(session, ids)
    return [render(tariff_body(prices[id_])) for id_ in ids]


def _parties(hub: Hub, message: Message) -> list[Party]:
    """The owners whose objects the caller may see: not its own."""
    partners = [partner for partner in hub.registry.all() if partner.platform == HUB]
    return [
        party
        for party in {each.party for partner in partners for each in partner.parties}
        if party != message.sender and hub.agreements.allow(party, message.sender, message.module)
    ]


def _position(after: str) -> str:
    if after[:1] not in (_THEIRS, _OURS):
        raise InvalidParameterError("after is a position that we did not hand out")
    return after[1:]
