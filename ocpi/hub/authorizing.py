"""Real-time authorization that names no receiver: the issuer is asked, or all who may be, and silence is answered.

OCPI 2.2.1 mod_tokens. A driver stands in front of a station: everybody is asked at the same time, the first that
allows it wins, and after the time that authorizations have there is an answer, whoever was silent.
"""

import asyncio
from collections.abc import Collection
from typing import Any, NamedTuple

import msgspec

from app.domain.parties import Party
from app.kit import metrics
from app.kit.tasks import spawn
from app.store.hub import objects as rows
from app.store.hub.objects import HubObjectRow
from ocpi.envelope import success
from ocpi.errors import (
    ForwardTimeoutError,
    OcpiError,
    ReceiverNotConnectedError,
    UnknownTokenError,
)
from ocpi.headers import RoutedParty
from ocpi.hub.forward import Passed, Passing, forward
from ocpi.hub.hub import Hub
from ocpi.hub.objects import object_id, token_type
from ocpi.hub.routing import Message, Reason
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.strict_json import parse_body
from ocpi.wire.tokens import AllowedType, WhitelistType

_SILENT = (ForwardTimeoutError, ReceiverNotConnectedError)


class Verdict(NamedTuple):
    """The answer, and whose it is: None where it is the hub's own."""

    passed: Passed
    of: RoutedParty | None


class _Info(msgspec.Struct):
    """The one member of an answer's data that is looked at."""

    allowed: str


class _Answer(msgspec.Struct):
    data: _Info


_read = msgspec.json.Decoder(_Answer).decode


def asks(message: Message) -> bool:
    """Whether a message asks for a real-time authorization."""
    return (message.module, message.role, message.method) == (
        ModuleId.TOKENS,
        InterfaceRole.SENDER,
        "POST",
    )


async def authorize(hub: Hub, passing: Passing, owners: Collection[Party], type_: str) -> Verdict:
    """Ask the owners of a token, or, where there is none, every eMSP that the sender has an agreement with.

    An owner that is silent is answered for by what it told everybody of its token. Raises UnknownTokenError (2004)
    where nobody has the token, and what the forward to an owner raises otherwise.
    """
    to = [RoutedParty(each.country_code, each.party_id) for each in owners]
    if not to:
        to = [party for _, party in hub.reach.issuers(passing.message.sender, but=passing.partner.id)]
    heard = await _ask(hub, passing, to)
    if heard.verdict is not None:
        return heard.verdict
    silent = next((each for each in heard.failures if isinstance(each, _SILENT)), None)
    if silent is not None:
        body = await _by_policy(hub, passing, owners, type_)
        if body is None:
            raise silent
        metrics.ROUTED.labels(Reason.ISSUER, "policy").inc()
        return Verdict(Passed(200, {}, success(body, now=hub.clock.now()), 1000), None)
    if len(owners) == 1:
        if heard.failures:
            raise heard.failures[0]
        return heard.strange[0]
    raise UnknownTokenError("nobody here is known to have this token")


class _Heard(NamedTuple):
    """What came of asking: the verdict that counts, answers without one, and what went wrong."""

    verdict: Verdict | None
    strange: list[Verdict]
    failures: list[OcpiError]


async def _ask(hub: Hub, passing: Passing, to: Collection[RoutedParty]) -> _Heard:
    """The first that allows, else one that refuses; everybody has the same time."""
    asking = {spawn(_at(hub, passing, each), f"asking {each.country_code}-{each.party_id}") for each in to}
    refused: Verdict | None = None
    strange: list[Verdict] = []
    failures: list[OcpiError] = []
    try:
        while asking:
            done, asking = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
            for answer in [each.result() for each in done]:
                if isinstance(answer, OcpiError):
                    failures.append(answer)
                    continue
                allowed = _allowed(answer.passed)
                if allowed == AllowedType.ALLOWED:
                    return _Heard(answer, strange, failures)
                if allowed is None:
                    strange.append(answer)
                else:
                    refused = answer
    finally:
        for each in asking:
            each.cancel()
    return _Heard(refused, strange, failures)


async def _at(hub: Hub, passing: Passing, to: RoutedParty) -> Verdict | OcpiError:
    try:
        return Verdict(await forward(hub, passing, to, Reason.ISSUER), to)
    except OcpiError as error:
        return error


def _allowed(passed: Passed) -> str | None:
    """What an issuer said; None where it said nothing of this token."""
    if not (200 <= passed.http_status < 300 and 1000 <= passed.status_code < 2000):
        return None
    try:
        return _read(passed.body).data.allowed
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


async def _by_policy(
    hub: Hub, passing: Passing, owners: Collection[Party], type_: str
) -> dict[str, Any] | None:
    """What a token's whitelist says for the time in which its issuer cannot be asked."""
    token = await _told(hub, passing.message, owners, type_)
    if token is None:
        return None
    whitelist = token.get("whitelist")
    if token.get("valid") is not True:
        allowed = AllowedType.BLOCKED
    elif whitelist in tuple(WhitelistType) and whitelist != WhitelistType.NEVER:
        allowed = AllowedType.ALLOWED
    else:
        allowed = AllowedType.NOT_ALLOWED
    place = _place(passing.body) if allowed is AllowedType.ALLOWED else None
    return {"allowed": str(allowed), "token": token} | ({"location": place} if place else {})


async def _told(hub: Hub, message: Message, owners: Collection[Party], type_: str) -> dict[str, Any] | None:
    names = [
        object_id(ModuleId.TOKENS, each.country_code, each.party_id, message.segments[0], token_type(type_))
        for each in owners
    ]
    async with hub.store.reading() as session:
        found: dict[str, HubObjectRow] = await rows.objects(session, names)
    for row in found.values():
        body = parse_body(row.body)
        if not row.withdrawn and isinstance(body, dict):
            return body
    return None


def _place(body: bytes) -> dict[str, Any] | None:
    """Where the driver stands, as it was asked."""
    if not body:
        return None
    place = parse_body(body)
    return place if isinstance(place, dict) and isinstance(place.get("location_id"), str) else None
