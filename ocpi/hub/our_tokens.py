"""Tokens that eMSPs tell everybody, kept for our own CPO too: in the transaction that keeps them for all others."""

from collections.abc import Sequence

from app.domain.parties import Party, Role
from app.domain.tokens import Token
from app.kit import logs
from app.services import tokens as service
from app.store.database.unit_of_work import UnitOfWork
from app.store.hub import objects as rows
from app.store.paging import Window
from ocpi.errors import InvalidParameterError
from ocpi.hub.hub import Hub
from ocpi.hub.objects import Also
from ocpi.hub.routing import Message
from ocpi.mapping.tokens import token_from
from ocpi.modules import ModuleId
from ocpi.partners.desk import HUB
from ocpi.strict_json import parse_body
from ocpi.wire import tokens as wire

_log = logs.get("ocpi.hub")
_WINDOW = 500


def keeper(hub: Hub, message: Message) -> Also | None:
    """What our CPO does with an object that is told to everybody; None where it is none of its business."""
    if message.module is not ModuleId.TOKENS or not _concerns_us(hub, message.sender):
        return None

    async def keep(unit: UnitOfWork, body: bytes) -> None:
        token = _read(body)
        if token is not None:
            await service.put(unit, token)

    return keep


async def take_all(hub: Hub, owners: Sequence[Party]) -> int:
    """What these eMSPs told before they agreed with our CPO; says how many tokens."""
    mine = [each.folded() for each in owners if _concerns_us(hub, each.folded())]
    taken = 0
    window: Window | None = Window(limit=_WINDOW)
    while window is not None and mine:
        async with hub.store.unit_of_work(hub.clock) as unit:
            page = await rows.page(unit.session, ModuleId.TOKENS, window, mine)
            found = await rows.objects(unit.session, [id_ for id_, _ in page.items])
            for token in filter(None, (_read(row.body) for row in found.values())):
                await service.put(unit, token)
                taken += 1
        window = None if page.next is None else Window(limit=_WINDOW, after=page.next)
    return taken


def _concerns_us(hub: Hub, owner: Party) -> bool:
    partner = hub.registry.by_party(HUB, owner)
    if partner is None or not partner.owns(owner, Role.EMSP):
        return False
    return hub.agreements.allow(hub.desk.ours, owner, ModuleId.TOKENS)


def _read(body: bytes) -> Token | None:
    """The token, None for one that our CPO cannot read: everybody else is told all the same."""
    try:
        return token_from(wire.Token.read(parse_body(body)))
    except InvalidParameterError as error:
        _log.warning("a token told to everybody is not readable", error=error.message)
        return None
