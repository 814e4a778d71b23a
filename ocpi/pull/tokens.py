"""Tokens of a partner's drivers, read from its list: after registration, and now and then, should a push be lost."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from app.domain.parties import Party, Role
from app.domain.tokens import Token
from app.kit import logs
from app.services import tokens as service
from app.store.hub import pulls
from app.store.hub.pulls import Counts
from ocpi.context import OcpiContext
from ocpi.errors import InvalidParameterError, PartnerFailure
from ocpi.mapping.tokens import token_from
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.partners.desk import PLATFORM
from ocpi.partners.partner import Partner
from ocpi.wire import tokens as wire

_log = logs.get("ocpi.pull")


class Pulled(NamedTuple):
    """What came of a pull: tokens kept, entries that were unreadable or not the partner's, what stopped it."""

    kept: int
    skipped: int
    error: str | None = None


async def pull_tokens(context: OcpiContext, partner: Partner) -> Pulled:
    """Read the whole list; an entry that is wrong costs itself, not the page. A partner's failure is reported."""
    url = partner.endpoint(ModuleId.TOKENS, InterfaceRole.SENDER)
    if url is None or not partner.parties_as(Role.EMSP):
        return Pulled(0, 0)
    began, kept, skipped = context.clock.now(), 0, 0
    error: str | None = None
    try:
        async for page in context.client.pages(url, context.desk.peer(partner)):
            tokens = _readable(partner, page.items)
            await _keep(context, tokens)
            kept += len(tokens)
            skipped += len(page.items) - len(tokens)
    except PartnerFailure as failure:
        error = str(failure)
    _log.info("tokens pulled", partner=partner.id, kept=kept, skipped=skipped, error=error)
    counts = Counts(kept + skipped, kept, skipped)
    async with context.store.unit_of_work(context.clock) as unit:
        await pulls.note(unit.session, partner.id, ModuleId.TOKENS, began, counts, whole=True, error=error)
    return Pulled(kept, skipped, error)


async def pull_all(context: OcpiContext) -> None:
    """The tokens of every partner that can be reached, one after the other."""
    for partner in context.registry.all():
        if partner.platform == PLATFORM and partner.reachable:
            await pull_tokens(context, partner)


async def _keep(context: OcpiContext, tokens: Sequence[Token]) -> None:
    if not tokens:
        return
    async with context.store.unit_of_work(context.clock) as unit:
        for token in tokens:
            await service.put(unit, token)


def _readable(partner: Partner, items: Sequence[Any]) -> list[Token]:
    found: list[Token] = []
    for item in items:
        try:
            token = token_from(wire.Token.read(item))
        except InvalidParameterError as error:
            _log.warning("a token of a partner is not readable", partner=partner.id, error=error.message)
            continue
        if partner.owns(Party(token.country_code, token.party_id), Role.EMSP):
            found.append(token)
    return found
