"""The exchange of credentials in both directions (OCPI 2.2.1 mod_credentials); no transaction spans the network."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import msgspec

from app.domain.errors import Conflict
from app.domain.parties import Role
from app.outbox import inspect, lanes
from app.store import tokens
from app.store.database.unit_of_work import UnitOfWork
from ocpi.client import Peer
from ocpi.envelope import data_of, require_success
from ocpi.errors import (
    InvalidParameterError,
    MethodNotAllowedError,
    OcpiError,
    PartnerFailure,
    PartnerRefused,
    PartnerUnreachable,
    Unreachable,
)
from ocpi.mapping.amounts import Body
from ocpi.mapping.rendering import render
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.partners import tables
from ocpi.partners.desk import HUB, PLATFORM, Desk
from ocpi.partners.discovery import HandshakeFailed, Offer, Step, discover, require_functional
from ocpi.partners.invitations import change, change_within, without_tokens_in
from ocpi.partners.partner import Partner, PartnerParty, PartnerState
from ocpi.partners.registry import Known, TokenKind
from ocpi.partners.tokens import new_token, token_hash
from ocpi.wire.credentials import Credentials

OLD_TOKEN_LIVES = timedelta(hours=24)
"""How long a replaced token still works, unless the new one is used before."""

SETTLING = timedelta(seconds=1)
"""A partner reads our answer to its credentials, and stores it, before it is told anything."""

_FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)
_CREDENTIALS_SECONDS = 30.0
_NEVER_SENT = frozenset({Unreachable.BLOCKED, Unreachable.DNS, Unreachable.REFUSED, Unreachable.TLS})


async def accept(desk: Desk, known: Known, body: Callable[[], object]) -> Body:
    """They POST credentials (`body` reads them): call back with their token, keep it all or nothing, answer with ours.

    Raises MethodNotAllowedError (405) for a partner that is registered already, InvalidParameterError, and
    3001, 3002 or 3003 where their side cannot be used; then nothing has changed and token A works on.
    """
    if known.kind is not TokenKind.INVITATION:
        raise MethodNotAllowedError("already registered: use PUT to renew, or DELETE first")
    return await _take(desk, known.partner, body(), keep_old=False)


async def accept_renewal(desk: Desk, known: Known, body: Callable[[], object]) -> Body:
    """They PUT credentials: as `accept`, for a registered partner; always a new token, endpoints read again."""
    if known.kind is TokenKind.INVITATION:
        raise MethodNotAllowedError("not registered: use POST")
    return await _take(desk, known.partner, body(), keep_old=True)


async def dismiss(desk: Desk, known: Known) -> None:
    """They DELETE credentials: tokens are void on both sides and nothing travels any more."""
    if known.kind is TokenKind.INVITATION:
        raise MethodNotAllowedError("not registered")
    await _suspend(desk, known.partner.id)


async def register(desk: Desk, partner_id: str, versions_url: str, token_a: str) -> Partner:
    """We start: versions, details, then POST with a token that is valid before it is sent.

    Raises HandshakeFailed with the step that failed, after which everything is as before; Conflict where the
    partner is registered already.
    """
    before = desk.partner(partner_id)
    if before.state not in (PartnerState.INVITED, PartnerState.SUSPENDED):
        raise Conflict(f"the partner is {before.state}: rotate its credentials instead")
    peer = desk.peer(before, token_a)
    offer = await discover(desk.client, peer, versions_url)
    _require_functional(offer)
    token = new_token()
    await change(desk, partner_id, lambda partner, unit: _expecting(partner, before, token, unit))
    try:
        theirs = await _send_credentials(desk, "POST", offer, peer, desk.credentials(before.platform, token))
        try:
            registered = await change_within(desk, partner_id, _registering(desk, offer, theirs, before))
        except (HandshakeFailed, OcpiError) as error:
            await _withdraw(desk, offer, before, theirs)
            raise _failed_at_parties(error) from error
    except BaseException:
        await change(desk, partner_id, lambda _partner, _unit: before)
        raise
    desk.registered(registered)
    return registered


async def renew(desk: Desk, partner_id: str) -> Partner:
    """We PUT credentials with a new token of theirs at us, and take the new one of ours at them.

    Raises HandshakeFailed; then the old tokens work on. Where the partner may have taken the new token although
    its answer does not say so, the old one works until the new one is used.
    """
    before = desk.partner(partner_id)
    if before.token_out is None or before.state not in (PartnerState.REGISTERED, PartnerState.PAUSED):
        raise Conflict(f"the partner is {before.state}: there is nothing to renew")
    peer = desk.peer(before)
    offer = await discover(desk.client, peer, before.versions_url or "")
    _require_functional(offer)
    token = new_token()
    await change(desk, partner_id, lambda partner, unit: _rotated(partner, token, unit))
    desk.renewing.add(partner_id)
    try:
        theirs = await _send_credentials(desk, "PUT", offer, peer, desk.credentials(before.platform, token))
        return await change_within(desk, partner_id, _adopting(desk, offer, theirs, before))
    except HandshakeFailed as failure:
        refused = _surely_refused(failure)
        await change(
            desk,
            partner_id,
            lambda partner, _unit: _token_back(partner, before) if refused else _doubtful(partner),
        )
        raise
    except OcpiError as error:
        raise _failed_at_parties(error) from error
    finally:
        desk.renewing.discard(partner_id)


async def unregister(desk: Desk, partner_id: str) -> str | None:
    """We end it: DELETE at the partner, then here, whatever the partner says; a failure there is returned.

    A partner that was only invited is forgotten altogether.
    """
    partner = desk.partner(partner_id)
    if partner.token_out is None:
        async with desk.store.unit_of_work(desk.clock) as unit:
            await tables.remove(unit.session, partner_id)
        await desk.registry.reload(partner_id)
        return None
    trouble = await _say_goodbye(desk, partner)
    await _suspend(desk, partner_id)
    return trouble


async def recover(desk: Desk, *, older_than: timedelta = timedelta(0)) -> None:
    """At the start: a registration that was under way when the process ended is taken back.

    `older_than`: not those that began later, where another process may be in the middle of one.
    """
    for partner in desk.registry.all():
        under_way = partner.state is PartnerState.REGISTERING
        if under_way and partner.last_updated <= desk.clock.now() - older_than:
            await change(desk, partner.id, lambda found, _unit: _taken_back(found))


async def forget_previous(desk: Desk, partner_id: str, used: str | None) -> None:
    """The new token, of this hash, was used: the one it replaced is void from now on."""

    def forgotten(partner: Partner, _unit: UnitOfWork) -> Partner:
        if partner.token_hash != used:
            return partner
        return msgspec.structs.replace(partner, previous_token_hash=None, previous_until=None)

    await change(desk, partner_id, forgotten)


async def _take(desk: Desk, partner: Partner, body: object, *, keep_old: bool) -> Body:
    theirs = Credentials.read(body)
    peer = desk.peer(partner, theirs.token)
    try:
        offer = await discover(desk.client, peer, theirs.url)
    except HandshakeFailed as failure:
        raise failure.error from failure
    require_functional(offer.endpoints)
    token = new_token()

    async def taken(stored: Partner, unit: UnitOfWork) -> Partner:
        if (stored.token_hash, stored.state) != (partner.token_hash, partner.state):
            raise MethodNotAllowedError("another exchange of credentials with you was finished meanwhile")
        adopted = await _adopting(desk, offer, theirs, stored)(stored, unit)
        fresh = _rotated(adopted, token, unit)
        if keep_old:
            return fresh
        return msgspec.structs.replace(fresh, previous_token_hash=None, previous_until=None)

    registered = await change_within(desk, partner.id, taken)
    if not keep_old:
        desk.registered(registered)
    return desk.credentials(partner.platform, token)


def _adopting(
    desk: Desk, offer: Offer, theirs: Credentials, before: Partner
) -> Callable[[Partner, UnitOfWork], Awaitable[Partner]]:
    """The change by which their token, endpoints and parties become ours to use."""

    async def adopted(stored: Partner, unit: UnitOfWork) -> Partner:
        parties = tuple(
            PartnerParty(
                Role(role.role),
                role.country_code.upper(),
                role.party_id.upper(),
                role.business_details.to_wire(),
            )
            for role in theirs.roles
        )
        await _refuse_taken(desk, stored, parties, unit)
        mine = {each.party for each in parties}
        if any(each.role is Role.HUB for each in parties):
            parties += tuple(each for each in stored.parties if each.learned and each.party not in mine)
        await lanes.begin(unit.session, stored.id, unit.now() + SETTLING)
        paused = before.state is PartnerState.PAUSED
        return msgspec.structs.replace(
            stored,
            state=PartnerState.PAUSED if paused else PartnerState.REGISTERED,
            token_out=desk.vault.lock(theirs.token),
            versions_url=theirs.url,
            version=str(offer.version),
            endpoints=offer.endpoints,
            parties=parties,
            last_contact=unit.now(),
        )

    return adopted


def _registering(
    desk: Desk, offer: Offer, theirs: Credentials, before: Partner
) -> Callable[[Partner, UnitOfWork], Awaitable[Partner]]:
    """As `_adopting`; an invitation that we gave out before is used up."""
    adopting = _adopting(desk, offer, theirs, before)

    async def registered(stored: Partner, unit: UnitOfWork) -> Partner:
        adopted = await adopting(stored, unit)
        return msgspec.structs.replace(adopted, previous_token_hash=None, previous_until=None)

    return registered


async def _refuse_taken(
    desk: Desk, partner: Partner, parties: tuple[PartnerParty, ...], unit: UnitOfWork
) -> None:
    for each in parties:
        await tables.forget_learned(unit.session, partner.id, each.party)
        owner = await tables.owner_of(unit.session, partner.platform, each.party)
        if desk.is_ours(each.party) or owner not in (None, partner.id):
            raise InvalidParameterError(f"party {each.party} belongs to another platform")
        if each.role is Role.HUB and partner.platform == HUB:
            raise InvalidParameterError("a hub is no party behind this hub")
        other = PLATFORM if partner.platform == HUB else HUB
        if partner.settings.both_platforms or partner.owns(each.party):
            continue
        if await tables.owner_of(unit.session, other, each.party) is not None:
            raise InvalidParameterError(
                f"party {each.party} is registered on our other platform: our operator has to confirm it first"
            )


def _expecting(partner: Partner, before: Partner, token: str, unit: UnitOfWork) -> Partner:
    if (partner.state, partner.token_hash) != (before.state, before.token_hash):
        raise Conflict("another exchange of credentials with this partner is under way")
    return msgspec.structs.replace(_rotated(partner, token, unit), state=PartnerState.REGISTERING)


def _rotated(partner: Partner, token: str, unit: UnitOfWork) -> Partner:
    # A previous token that is still alive means that the present one was never used: that is the one to drop.
    unused = partner.previous_until is not None and partner.previous_until > unit.now()
    return msgspec.structs.replace(
        partner,
        token_hash=token_hash(token),
        previous_token_hash=partner.previous_token_hash if unused else partner.token_hash,
        previous_until=unit.now() + OLD_TOKEN_LIVES,
    )


def _doubtful(partner: Partner) -> Partner:
    return msgspec.structs.replace(partner, previous_until=_FOR_EVER)


def _token_back(partner: Partner, before: Partner) -> Partner:
    return msgspec.structs.replace(
        partner,
        token_hash=before.token_hash,
        previous_token_hash=before.previous_token_hash,
        previous_until=before.previous_until,
    )


def _taken_back(partner: Partner) -> Partner:
    invited = partner.previous_token_hash is not None
    return msgspec.structs.replace(
        partner,
        state=PartnerState.INVITED if invited else PartnerState.SUSPENDED,
        token_hash=partner.previous_token_hash,
        previous_token_hash=None,
        previous_until=None,
    )


async def _send_credentials(desk: Desk, method: str, offer: Offer, peer: Peer, body: Body) -> Credentials:
    try:
        answer = await desk.client.send(
            method, offer.credentials_url, peer, body=render(body), seconds=_CREDENTIALS_SECONDS
        )
        return Credentials.read(data_of(answer))
    except PartnerFailure as failure:
        raise HandshakeFailed(Step.CREDENTIALS, str(failure)) from failure
    except InvalidParameterError as error:
        raise HandshakeFailed(Step.CREDENTIALS, error.message) from None


async def _withdraw(desk: Desk, offer: Offer, partner: Partner, theirs: Credentials) -> None:
    """They have registered us already, and we cannot keep it: take our side out of theirs again."""
    try:
        await desk.client.send("DELETE", offer.credentials_url, desk.peer(partner, theirs.token))
    except PartnerFailure:
        return


async def _say_goodbye(desk: Desk, partner: Partner) -> str | None:
    url = partner.endpoint(ModuleId.CREDENTIALS, InterfaceRole.SENDER) or partner.endpoint(
        ModuleId.CREDENTIALS, InterfaceRole.RECEIVER
    )
    if url is None:
        return "the partner has no credentials endpoint"
    try:
        require_success(await desk.client.send("DELETE", url, desk.peer(partner)))
    except PartnerFailure as failure:
        return str(failure)
    return None


async def _suspend(desk: Desk, partner_id: str) -> None:
    async def suspended(partner: Partner, unit: UnitOfWork) -> Partner:
        await inspect.give_up(unit.session, partner_id, "the partner has unregistered")
        # Whoever is told of no session pays for none. One that is on our other platform still is.
        other = PLATFORM if partner.platform == HUB else HUB
        for each in partner.parties:
            if desk.registry.by_party(other, each.party) is None:
                await tokens.remove_party(unit.session, each.country_code, each.party_id)
        return msgspec.structs.replace(
            without_tokens_in(partner),
            state=PartnerState.SUSPENDED,
            token_out=None,
            endpoints=(),
            parties=(),
        )

    await change_within(desk, partner_id, suspended)


def _require_functional(offer: Offer) -> None:
    try:
        require_functional(offer.endpoints)
    except OcpiError as error:
        raise HandshakeFailed(Step.DETAILS, error.message, error) from None


def _surely_refused(failure: HandshakeFailed) -> bool:
    """Whether the partner cannot have taken the new token.

    A 401 proves nothing: our token worked a moment ago, and a request that was lost half-way is repeated by
    HTTP clients, so the first one may have replaced it.
    """
    cause = failure.__cause__
    if isinstance(cause, PartnerUnreachable):
        return cause.kind in _NEVER_SENT
    return isinstance(cause, PartnerRefused) and cause.http_status < 500 and cause.http_status != 401


def _failed_at_parties(error: Exception) -> HandshakeFailed:
    if isinstance(error, HandshakeFailed):
        return error
    known = error if isinstance(error, OcpiError) else None
    return HandshakeFailed(Step.PARTIES, str(error), known)
