"""Commands as RECEIVER: answered at once, finished by a POST to the response_url (OCPI 2.2.1 mod_commands)."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from app.domain.parties import Party, Role
from app.domain.remote import Asker
from app.domain.tokens import Token
from app.services.spots import Reply as Answer
from app.services.spots import Wrong, rejected
from ocpi.client.guard import check_url
from ocpi.envelope import failure
from ocpi.errors import InvalidParameterError, OcpiError, PartnerUnreachable, UnknownLocationError
from ocpi.mapping.commands import response_body
from ocpi.mapping.tokens import token_from
from ocpi.server.calling import Call, Operation, Reply
from ocpi.wire import commands as wire
from ocpi.wire import tokens as wire_tokens

_Command = TypeVar(
    "_Command",
    wire.StartSession,
    wire.StopSession,
    wire.ReserveNow,
    wire.CancelReservation,
    wire.UnlockConnector,
)


async def start_session(call: Call) -> Reply:
    """The token is not judged, but must be the caller's own."""
    wanted, asker = _read(call, wire.StartSession)
    start = partial(
        call.context.wishes.start,
        evse_uid=wanted.evse_uid,
        connector_id=wanted.connector_id,
        reference=wanted.authorization_reference,
    )
    return await _for_own(call, wanted.token, lambda token: start(asker, token, wanted.location_id))


async def stop_session(call: Call) -> Reply:
    """Of the caller's own drivers."""
    wanted, asker = _read(call, wire.StopSession)
    owners = call.partner.parties_as(Role.EMSP)
    return _answer(call, await call.context.wishes.stop(asker, wanted.session_id, owners))


async def reserve_now(call: Call) -> Reply:
    """The partner's name for a reservation never reaches the station."""
    wanted, asker = _read(call, wire.ReserveNow)
    reserve = partial(
        call.context.wishes.reserve,
        evse_uid=wanted.evse_uid,
        reservation_id=wanted.reservation_id,
        expires_at=wanted.expiry_date,
        reference=wanted.authorization_reference,
    )
    return await _for_own(call, wanted.token, lambda token: reserve(asker, token, wanted.location_id))


async def cancel_reservation(call: Call) -> Reply:
    """Of the caller's own."""
    wanted, asker = _read(call, wire.CancelReservation)
    return _answer(call, await call.context.wishes.cancel(asker, wanted.reservation_id))


async def unlock_connector(call: Call) -> Reply:
    """For the helpdesk of an eMSP."""
    wanted, asker = _read(call, wire.UnlockConnector)
    return _answer(
        call,
        await call.context.wishes.unlock(asker, wanted.location_id, wanted.evse_uid, wanted.connector_id),
    )


def _read(call: Call, model: type[_Command]) -> tuple[_Command, Asker]:
    """The command, and who is told its result. A direct partner's response_url may be on any host we may call."""
    wanted = model.read(call.body())
    peer = call.context.desk.peer(call.partner)
    try:
        check_url(wanted.response_url, allow_private=peer.allow_private)
    except PartnerUnreachable as error:
        raise InvalidParameterError(f"response_url: {error}") from None
    asker = Asker(
        partner_id=call.partner.id,
        party=call.sender or call.partner.parties_as(Role.EMSP)[0],
        response_url=wanted.response_url,
    )
    return wanted, asker


async def _for_own(call: Call, given: wire_tokens.Token, do: Callable[[Token], Awaitable[Answer]]) -> Reply:
    """What is done with a token, which must be one of the caller's own drivers'."""
    token = token_from(given)
    if not call.partner.owns(Party(token.country_code, token.party_id), Role.EMSP):
        return _answer(call, rejected("the token is not one of yours"))
    return _answer(call, await do(token))


def _answer(call: Call, answer: Answer) -> Reply:
    body = response_body(answer.result, answer.seconds, answer.message)
    if answer.wrong is None:
        return call.reply(body)
    words = answer.message or ""
    error: OcpiError = (
        UnknownLocationError(words) if answer.wrong is Wrong.LOCATION else InvalidParameterError(words)
    )
    return Reply(failure(error, now=call.now, data=body), status_code=error.status_code)


OPERATIONS = [
    Operation(
        method="POST",
        path=f"/{name}",
        handler=handler,
        summary=summary,
        body=body,
        data=wire.CommandResponse,
    )
    for name, handler, body, summary in (
        (wire.CommandType.START_SESSION, start_session, wire.StartSession, "Start a session remotely"),
        (wire.CommandType.STOP_SESSION, stop_session, wire.StopSession, "Stop a session remotely"),
        (wire.CommandType.RESERVE_NOW, reserve_now, wire.ReserveNow, "Reserve an EVSE"),
        (
            wire.CommandType.CANCEL_RESERVATION,
            cancel_reservation,
            wire.CancelReservation,
            "Cancel a reservation",
        ),
        (wire.CommandType.UNLOCK_CONNECTOR, unlock_connector, wire.UnlockConnector, "Unlock a connector"),
    )
]
