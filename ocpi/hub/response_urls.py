"""Response URLs: commands and charging profiles are passed on with a URL of ours, and results come back by it.

OCPI 2.2.1 mod_commands and mod_charging_profiles. The receiver has no token for the platform that the sender named,
so the result comes to us; where it goes is a row, written before the command is passed on.
"""

import codecs
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

import msgspec

from app.domain.events import HubResultCame
from app.domain.parties import Party
from app.kit.clock import Clock
from app.kit.names import new_name
from app.store.database.engine import Store
from app.store.hub import objects as rows
from app.store.hub.objects import HubResponseUrlRow, HubResultRow
from ocpi.client import check_url
from ocpi.errors import InvalidParameterError, NotFoundError, PartnerUnreachable
from ocpi.headers import RoutedParty
from ocpi.hub.routing import Message
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.partners.partner import Partner
from ocpi.strict_json import parse_body

URLS_KEPT = timedelta(days=30)
"""A reservation is cancelled by its receiver up to its end, which may be far away."""
RESULTS_KEPT = timedelta(days=7)

_FIELD = "response_url"


class Parties(NamedTuple):
    """Between whom a command travels."""

    sender: Partner
    sender_party: RoutedParty
    target: Partner
    target_party: RoutedParty


class Swapped(NamedTuple):
    """Query and body as they are passed on."""

    query: str
    body: bytes


def has_response_url(message: Message) -> bool:
    """Whether a message says where its result goes."""
    return message.role is InterfaceRole.RECEIVER and message.module in (
        ModuleId.COMMANDS,
        ModuleId.CHARGING_PROFILES,
    )


async def swap(
    store: Store,
    clock: Clock,
    message: Message,
    given: Swapped,
    parties: Parties,
    *,
    ours: Callable[[str], str],
    allow_private: bool,
) -> Swapped:
    """Put a URL of ours (`ours` makes it of a name) in place of the sender's, committed when this returns.

    In the body, or in the query where the method has none. Raises InvalidParameterError (2001) for a message without
    a URL that we may call.
    """
    name = new_name()
    in_body = message.method in ("POST", "PUT")
    original = _in_body(given.body) if in_body else _in_query(given.query)
    own = ours("")
    if original.startswith(own):
        raise InvalidParameterError(f"{_FIELD} leads back to the hub")
    try:
        check_url(original, allow_private=allow_private)
    except PartnerUnreachable as error:
        raise InvalidParameterError(f"{_FIELD}: {error}") from None
    await _remember(store, clock, parties, name=name, module=message.module, url=original)
    if in_body:
        return Swapped(given.query, _with_url(given.body, ours(name)))
    return Swapped(_with_query(given.query, ours(name)), given.body)


async def take(
    store: Store, clock: Clock, name: str, caller: Partner, *, body: bytes, correlation_id: str
) -> HubResponseUrlRow:
    """A result has come to a URL of ours: keep it, and have it delivered. Raises NotFoundError (404).

    Only the platform that the command was passed on to may say how it ended.
    """
    async with store.unit_of_work(clock) as unit:
        found = await rows.response_url(unit.session, name)
        if found is None or found.target_id != caller.id:
            raise NotFoundError("nobody waits for a result here")
        result = HubResultRow(
            id=new_name(),
            response_url_id=found.id,
            url=found.url,
            partner_id=found.sender_id,
            to_country_code=found.sender_country_code,
            to_party_id=found.sender_party_id,
            from_country_code=found.target_country_code,
            from_party_id=found.target_party_id,
            correlation_id=correlation_id,
            body=body,
            created_at=unit.now(),
        )
        unit.session.add(result)
        unit.emit(HubResultCame(result_id=result.id, partner_id=found.sender_id, at=unit.now()))
    return found


async def forget_old(store: Store, clock: Clock) -> None:
    """Drop what nobody waits for any more."""
    async with store.unit_of_work(clock) as unit:
        await rows.forget_results(unit.session, unit.now() - URLS_KEPT, unit.now() - RESULTS_KEPT)


async def _remember(
    store: Store, clock: Clock, parties: Parties, *, name: str, module: ModuleId, url: str
) -> None:
    to, sender = Party(*parties.target_party.key), Party(*parties.sender_party.key)
    async with store.unit_of_work(clock) as unit:
        unit.session.add(
            HubResponseUrlRow(
                id=name,
                module=str(module),
                url=url,
                sender_id=parties.sender.id,
                sender_country_code=sender.country_code,
                sender_party_id=sender.party_id,
                target_id=parties.target.id,
                target_country_code=to.country_code,
                target_party_id=to.party_id,
                created_at=unit.now(),
            )
        )


def _in_body(body: bytes) -> str:
    members = parse_body(body)
    url = members.get(_FIELD) if isinstance(members, dict) else None
    if not isinstance(url, str):
        raise InvalidParameterError(f"{_FIELD} is missing or no string")
    return url


def _in_query(query: str) -> str:
    found = [value for name, value in parse_qsl(query, keep_blank_values=True) if name == _FIELD]
    if len(found) != 1:
        raise InvalidParameterError(f"{_FIELD} is needed in the query, once")
    return found[0]


def _with_url(body: bytes, url: str) -> bytes:
    """The body with another URL; every other member keeps its bytes."""
    members: dict[str, Any] = msgspec.json.decode(
        body.removeprefix(codecs.BOM_UTF8), type=dict[str, msgspec.Raw]
    )
    members[_FIELD] = msgspec.Raw(msgspec.json.encode(url))
    return msgspec.json.encode(members)


def _with_query(query: str, url: str) -> str:
    kept = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name != _FIELD]
    return urlencode([*kept, (_FIELD, url)])
