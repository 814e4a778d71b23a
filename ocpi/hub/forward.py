"""Passing a message on to one party behind the hub, and its answer back: bytes in, bytes out."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from app.domain.parties import Party
from app.kit import metrics
from ocpi.client import Relayed
from ocpi.errors import (
    ForwardTimeoutError,
    HubError,
    NotFoundError,
    OcpiError,
    PartnerFailure,
    PartnerUnreachable,
    ReceiverNotConnectedError,
    UnknownReceiverError,
    Unreachable,
)
from ocpi.headers import MessageIds, RoutedParty, Routing
from ocpi.hub import response_urls
from ocpi.hub.hub import Hub
from ocpi.hub.links import at_host_of
from ocpi.hub.owners import facts_of
from ocpi.hub.response_urls import Parties, Swapped
from ocpi.hub.routing import Message, Reason
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.paging import LIMIT, LINK, TOTAL_COUNT
from ocpi.partners.desk import HUB
from ocpi.partners.partner import Partner
from ocpi.versions import Version

VIA = "Via"
_PASSED_ON = (TOTAL_COUNT, LIMIT, "Retry-After")
_LOCKED_OUT = frozenset({401, 403})


class Passing(NamedTuple):
    """A message on its way: `rest` is what follows the interface in its URL, as it came, `query` without `?`."""

    message: Message
    version: Version
    sender: RoutedParty
    partner: Partner
    rest: str
    query: str
    body: bytes
    correlation_id: str
    via: str = ""


class Passed(NamedTuple):
    """The answer for the sender; `status_code` is the OCPI status in it."""

    http_status: int
    headers: Mapping[str, str]
    body: bytes
    status_code: int


class _Status(msgspec.Struct):
    """The one member of an envelope that is looked at."""

    status_code: int | str


_status_of = msgspec.json.Decoder(_Status).decode


async def forward(
    hub: Hub, passing: Passing, to: RoutedParty, reason: Reason, sealed: str | None = None
) -> Passed:
    """Pass a message on to the party `to` and give its answer; `sealed` is the path of a link that we sealed.

    Raises UnknownReceiverError (4001), ForwardTimeoutError (4002), ReceiverNotConnectedError (4003) and HubError
    (4000) where the message, or its answer, could not be passed on.
    """
    try:
        passed = await _forward(hub, passing, to, sealed)
    except OcpiError as error:
        metrics.ROUTED.labels(reason, str(error.status_code)).inc()
        raise
    metrics.ROUTED.labels(reason, "passed").inc()
    return passed


def partner_of(hub: Hub, to: RoutedParty, sender: Partner) -> Partner:
    """The platform of a party that can be reached now. Raises 4001, 4003, and 4000 for the sender's own platform."""
    partner = hub.registry.by_party(HUB, Party(*to.key))
    if partner is None:
        raise UnknownReceiverError(f"nobody here is {to.country_code}-{to.party_id}")
    if partner.id == sender.id:
        raise HubError(f"{to.country_code}-{to.party_id} is on the platform that the message comes from")
    if not partner.reachable:
        raise ReceiverNotConnectedError(f"{to.country_code}-{to.party_id} is not connected")
    return partner


def require_agreement(hub: Hub, message: Message, to: RoutedParty) -> None:
    """Raise HubError (4000) where the two parties have not agreed to this module."""
    receiver = Party(*to.key)
    if not hub.agreements.allow(message.sender, receiver, message.module):
        raise HubError(f"there is no agreement on {message.module} between {message.sender} and {receiver}")


def check_loop(hub: Hub, via: str) -> None:
    """Raise HubError (4000) for a message that has been here before: every hub leaves its name in `Via`."""
    if not via:
        return
    name = str(hub.party.folded())
    if any(name == each.rpartition(" ")[2] for each in map(str.strip, via.upper().split(","))):
        raise HubError("this message has been here before")


async def _forward(hub: Hub, passing: Passing, to: RoutedParty, sealed: str | None) -> Passed:
    message = passing.message
    partner = partner_of(hub, to, passing.partner)
    require_agreement(hub, message, to)
    theirs = partner.endpoint(message.module, message.role)
    if theirs is None:
        raise HubError(f"{to.country_code}-{to.party_id} has no {message.module} as {message.role}")
    with hub.crossings.one(passing.partner.id, partner.id):
        passed = await _cross(hub, passing, to, partner, theirs=theirs, sealed=sealed)
    if 200 <= passed.http_status < 300 and 1000 <= passed.status_code < 2000:
        for fact in facts_of(message, Party(*to.key), passing.body):
            hub.owners.learn(fact)
    return passed


async def _cross(
    hub: Hub, passing: Passing, to: RoutedParty, partner: Partner, *, theirs: str, sealed: str | None
) -> Passed:
    """The message itself, to the interface `theirs` of a partner."""
    message = passing.message
    given = Swapped(passing.query, passing.body)
    if response_urls.has_response_url(message):
        given = await response_urls.swap(
            hub.store,
            hub.clock,
            message,
            given,
            Parties(passing.partner, passing.sender, partner, to),
            ours=lambda name: hub.results_url(passing.version, name),
            allow_private=hub.desk.peer(passing.partner).allow_private,
        )
    url = at_host_of(theirs, sealed) if sealed is not None else _url(theirs, passing.rest, given.query)
    routing = Routing(to=to, sender=passing.sender)
    via = f"{passing.via}, " if passing.via else ""
    try:
        relayed = await hub.relay.send(
            message.method,
            url,
            hub.desk.peer(partner),
            {**routing.headers(), VIA: f"{via}1.1 {hub.party}"},
            given.body,
            ids=MessageIds.new(passing.correlation_id),
            seconds=_seconds(hub, message),
        )
    except PartnerFailure as failure:
        raise _hub_error(failure) from failure
    return _passed(hub, passing, relayed, to, url=url, theirs=theirs)


def _url(theirs: str, rest: str, query: str) -> str:
    url = theirs + rest
    return f"{url}{'&' if '?' in url else '?'}{query}" if query else url


def _seconds(hub: Hub, message: Message) -> float:
    """A driver stands in front of the station while a token is asked for."""
    asking = (
        message.module is ModuleId.TOKENS
        and message.role is InterfaceRole.SENDER
        and message.method == "POST"
    )
    return hub.authorize_seconds if asking else hub.seconds


def _hub_error(failure: PartnerFailure) -> OcpiError:
    if isinstance(failure, PartnerUnreachable):
        if failure.kind is Unreachable.TIMEOUT:
            return ForwardTimeoutError("the receiver gave no answer in time")
        return ReceiverNotConnectedError(f"the receiver cannot be reached ({failure.kind})")
    return HubError(f"the receiver's answer cannot be passed on: {failure}")


def _passed(
    hub: Hub, passing: Passing, relayed: Relayed, to: RoutedParty, *, url: str, theirs: str
) -> Passed:
    """The receiver's answer, unchanged but for what leads to its own host."""
    status, headers, body = relayed
    if status in _LOCKED_OUT:
        raise ReceiverNotConnectedError("the receiver does not accept the hub's credentials")
    code = _status_code(body)
    if code is None or headers.get("Content-Encoding", "identity").lower() != "identity":
        if status == 404:
            raise NotFoundError("the receiver has nothing at this URL")
        raise HubError(f"the receiver's answer is not OCPI (HTTP {status})")
    message = passing.message
    kept = {name: value for name in _PASSED_ON if (value := headers.get(name)) is not None}
    ours = hub.url(passing.version, message.module, message.role)
    if link := hub.links.next_page(headers.get(LINK), url, ours, theirs, to):
        kept[LINK] = link
    if location := hub.links.location(headers.get("Location"), url, ours, theirs, to):
        kept["Location"] = location
    return Passed(status, kept, body, code)


def _status_code(body: bytes) -> int | None:
    try:
        code = _status_of(body).status_code
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return int(code) if not isinstance(code, str) or (len(code) == 4 and code.isdecimal()) else None
