"""Calls of partners on the hub platform: passed on, told to everybody, or answered here."""

import re
from typing import NamedTuple

from app.domain.parties import Party
from app.kit import metrics
from ocpi.context import OcpiContext
from ocpi.envelope import success
from ocpi.errors import HubError, InvalidParameterError, NotEnoughInformationError, NotFoundError
from ocpi.headers import MessageIds, RoutedParty, Routing
from ocpi.hub import clearing, objects, our_tokens, response_urls
from ocpi.hub.authorizing import asks, authorize
from ocpi.hub.forward import Passed, Passing, check_loop, forward, require_agreement
from ocpi.hub.hub import Hub
from ocpi.hub.links import SEALED
from ocpi.hub.routing import (
    Message,
    Reason,
    Route,
    Sealed,
    Wanted,
    check_owner,
    check_shape,
    decide,
    is_list,
)
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.partners.partner import Partner
from ocpi.server import interfaces
from ocpi.server.calling import Call, Reply
from ocpi.server.hub import everybody
from ocpi.strict_json import parse_body
from ocpi.versions import Version

_PLAIN = re.compile(r"[\x21-\x7e]*")


class Arrival(NamedTuple):
    """A call as it came: `rest` and `query` as in the URL, `given` the parties its headers name."""

    module: ModuleId
    role: InterfaceRole | None
    version: Version
    method: str
    segments: tuple[str, ...]
    rest: str
    query: str
    body: bytes
    ids: MessageIds
    given: Routing
    via: str


class Answered(NamedTuple):
    """Our reply, between whom the message went, and why it went there."""

    reply: Reply
    routing: Routing
    routed: str


class Decision(NamedTuple):
    """What was decided before the message went anywhere, for its answer and for the log, errors included."""

    message: Message
    routing: Routing
    sender: RoutedParty


def judge(hub: Hub, arrival: Arrival, partner: Partner) -> Decision:
    """Who speaks to whom, as the headers say. Raises 2001 or 2002 where the sender is not clear or not the caller."""
    assert arrival.role is not None
    sender = _sender(arrival.given, partner)
    message = Message(
        arrival.module,
        arrival.role,
        arrival.method,
        arrival.segments,
        arrival.given.to,
        Party(*sender.key),
    )
    return Decision(message, Routing(to=arrival.given.to or hub.routed_party, sender=sender), sender)


async def answer(context: OcpiContext, arrival: Arrival, decision: Decision, call: Call) -> Answered:
    """Route one message. Raises OcpiError, with the hub's own codes (4000 to 4003) among them."""
    hub, message = context.hub, decision.message
    check_loop(hub, arrival.via)
    if not (_PLAIN.fullmatch(arrival.rest) and _PLAIN.fullmatch(arrival.query)):
        raise NotFoundError("there is nothing at this URL")
    sealed = _unsealed(hub, message)
    if sealed is None:
        check_shape(message)
        check_owner(message)
    decided = _decided(hub, arrival, message, sealed)
    if isinstance(decided, Wanted) and asks(message):
        return await _authorization(hub, arrival, decision, call, decided)
    route = decided if isinstance(decided, Route) else await _owner(hub, decided, message.sender)
    to = route.to or hub.routed_party
    routing = Routing(to=to, sender=decision.sender)
    if route.to is None:
        reply = await _by_the_hub(hub, arrival, message, call, route)
    elif Party(*to.key) == hub.desk.ours.folded():
        reply = await _by_our_cpo(hub, message, call, to, route.reason)
    else:
        passing = _passing(arrival, decision, call)

        async def send() -> Passed:
            return await forward(hub, passing, to, route.reason, None if sealed is None else sealed.path)

        is_record = clearing.is_record(message)
        passed = await (clearing.clear(hub, passing, to, send) if is_record else send())
        reply = Reply(passed.body, passed.http_status, passed.headers, passed.status_code)
    return Answered(reply, routing, f"{route.reason}: {to.country_code}-{to.party_id}")


async def take_result(context: OcpiContext, arrival: Arrival, partner: Partner) -> Answered:
    """The result of a command that was passed on: acknowledged once it is sure to be told."""
    hub = context.hub
    if arrival.method != "POST" or len(arrival.segments) != 1:
        raise NotFoundError("there is nothing at this URL")
    if not isinstance(parse_body(arrival.body), dict):
        raise InvalidParameterError("the body is no object")
    found = await response_urls.take(
        hub.store,
        hub.clock,
        arrival.segments[0],
        partner,
        body=arrival.body,
        correlation_id=arrival.ids.correlation_id,
    )
    to = RoutedParty(found.sender_country_code, found.sender_party_id)
    sender = RoutedParty(found.target_country_code, found.target_party_id)
    return Answered(
        Reply(success(now=hub.clock.now())),
        Routing(to=to, sender=sender),
        f"response_url: {to.country_code}-{to.party_id}",
    )


def _sender(given: Routing, partner: Partner) -> RoutedParty:
    theirs = {(each.country_code.upper(), each.party_id.upper()) for each in partner.parties}
    if given.sender is None:
        if len(theirs) != 1:
            raise NotEnoughInformationError("OCPI-from-country-code and OCPI-from-party-id are needed")
        return RoutedParty(*theirs.pop())
    if given.sender.key not in theirs:
        raise InvalidParameterError("the message comes from a party that is not yours")
    return given.sender


def _unsealed(hub: Hub, message: Message) -> Sealed | None:
    """Where a link of ours leads; None for what only looks like one."""
    if message.method != "GET" or len(message.segments) != 1 or not message.segments[0].startswith(SEALED):
        return None
    try:
        place = hub.links.unseal(message.segments[0])
    except NotFoundError:
        return None
    if message.to is not None and message.to.key not in (place.party.key, hub.routed_party.key):
        raise InvalidParameterError("this link leads to another party than the one in the OCPI-to headers")
    return Sealed(place.party, place.path)


def _decided(hub: Hub, arrival: Arrival, message: Message, sealed: Sealed | None) -> Route | Wanted:
    if sealed is not None:
        return Route(Reason.OWNER if message.to is None else Reason.TO_HEADER, sealed.to)
    return decide(message, hub.party, lambda: parse_body(arrival.body))


async def _owner(hub: Hub, wanted: Wanted, sender: Party) -> Route:
    owner = await hub.owners.find(wanted, sender)
    return Route(wanted.reason, RoutedParty(owner.country_code, owner.party_id))


def _passing(arrival: Arrival, decision: Decision, call: Call) -> Passing:
    return Passing(
        decision.message, arrival.version, decision.sender, call.partner, arrival.rest, arrival.query,
        arrival.body, arrival.ids.correlation_id, arrival.via,
    )  # fmt: skip


async def _authorization(
    hub: Hub, arrival: Arrival, decision: Decision, call: Call, wanted: Wanted
) -> Answered:
    """A token is asked for, of nobody in particular."""
    owners = await hub.owners.candidates(wanted, decision.message.sender)
    verdict = await authorize(hub, _passing(arrival, decision, call), owners, call.query.get("type", ""))
    passed, of = verdict.passed, verdict.of or hub.routed_party
    return Answered(
        Reply(passed.body, passed.http_status, passed.headers, passed.status_code),
        Routing(to=of, sender=decision.sender),
        f"{wanted.reason}: {of.country_code}-{of.party_id}",
    )


async def _by_the_hub(hub: Hub, arrival: Arrival, message: Message, call: Call, route: Route) -> Reply:
    metrics.ROUTED.labels(route.reason, "taken").inc()
    if is_list(message):
        return await everybody.listed(hub, message, call)
    type_ = call.query.get("type", "")
    if message.method == "GET":
        _require_agreement_to_read(hub, message)
        return call.reply(await objects.kept(hub.store, message, type_))
    also = our_tokens.keeper(hub, message)
    told = await objects.tell(
        hub, message, arrival.body, query=arrival.query, type_=type_, sender_id=call.partner.id, also=also
    )
    return call.reply(http_status=201 if told.created and message.method == "PUT" else 200)


def _require_agreement_to_read(hub: Hub, message: Message) -> None:
    """What a party told everybody is for those it has an agreement with, and for itself."""
    owner = Party(*message.segments[:2]).folded()
    if owner != message.sender and not hub.agreements.allow(owner, message.sender, message.module):
        raise NotFoundError("the hub was never told of this object")


async def _by_our_cpo(hub: Hub, message: Message, call: Call, to: RoutedParty, reason: Reason) -> Reply:
    """Our own CPO is behind this hub like any other party, and in the same process."""
    require_agreement(hub, message, to)
    found = interfaces.OURS.get((message.module, message.role))
    if found is None:
        raise HubError(f"{to.country_code}-{to.party_id} has no {message.module} as {message.role}")
    operation = interfaces.operation(interfaces.Found(found, message.segments), message.method)
    metrics.ROUTED.labels(reason, "taken").inc()
    return await operation.handler(call, *operation.arguments(message.segments))
