"""What is told to everybody: kept per owner and object, merged where only a part is told, and marked for all.

OCPI 2.2.1 transport, broadcast push. What is kept is what the hub's own lists show and what late or slow receivers
are told; a message to a named party never comes here.
"""

import codecs
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote

import msgspec

from app.domain.events import HubObjectChanged
from app.domain.parties import Party
from app.store.database.columns import micros, moment
from app.store.database.engine import Store
from app.store.database.unit_of_work import UnitOfWork
from app.store.hub import objects as rows
from app.store.hub.objects import HubObjectRow
from ocpi.errors import InvalidParameterError, NotFoundError
from ocpi.hub.hub import Hub
from ocpi.hub.owners import Fact
from ocpi.hub.routing import Kind, Message
from ocpi.modules import ModuleId
from ocpi.strict_json import parse_body
from ocpi.times import time_in

KINDS = {ModuleId.LOCATIONS: Kind.LOCATION, ModuleId.TARIFFS: Kind.TARIFF, ModuleId.TOKENS: Kind.TOKEN}
_ID_NAMES = {ModuleId.LOCATIONS: "id", ModuleId.TARIFFS: "id", ModuleId.TOKENS: "uid"}
_TOKEN_TYPES = ("AD_HOC_USER", "APP_USER", "OTHER", "RFID")
Doc = dict[str, Any]
Also = Callable[[UnitOfWork, bytes], Awaitable[None]]

_encode = msgspec.json.Encoder(decimal_format="number").encode


class Told(NamedTuple):
    """What became of a message to everybody; `created`: the object was not known."""

    id: str
    created: bool


def object_id(module: ModuleId, country: str, party: str, key: str, type_: str = "") -> str:
    """The name of an object in the hub: case does not count, and no character of an id can be mistaken."""
    parts = [country.upper(), party.upper(), quote(key.upper(), safe="")] + ([type_] if type_ else [])
    return "/".join([str(module), *parts])


def id_of(message: Message, type_: str) -> str:
    """The name of the object that a RECEIVER URL names; `type_` of a token, RFID unless it is said."""
    country, party, key = message.segments[:3]
    return object_id(message.module, country, party, key, token_type(type_) if _is_token(message) else "")


def token_type(given: str) -> str:
    """The type of a token in a query. Raises InvalidParameterError for one that does not exist."""
    if given and given not in _TOKEN_TYPES:
        raise InvalidParameterError(f"type must be one of {', '.join(_TOKEN_TYPES)}")
    return given or "RFID"


async def tell(
    hub: Hub,
    message: Message,
    body: bytes,
    *,
    query: str,
    type_: str,
    sender_id: str,
    also: Also | None = None,
) -> Told:
    """Keep what a party tells everybody, and have it told; committed when this returns.

    `also` is given the whole object, and has its share in the same transaction.

    Raises InvalidParameterError (2001) for an object that contradicts its URL or has no `last_updated`, NotFoundError
    (404) for a part of an object that was never told.
    """
    id_ = id_of(message, type_)
    document = _document(message, body)
    async with hub.store.unit_of_work(hub.clock) as unit:
        row = await rows.hub_object(unit.session, id_)
        before = None if row is None or row.withdrawn else row
        whole = _merged(message, document, before, body)
        write(unit, message, row, body, whole=whole, query=query, sender_id=sender_id)
        if also is not None:
            await also(unit, whole)
    hub.owners.learn(Fact(KINDS[message.module], message.segments[2].upper(), message.sender))
    return Told(id_, before is None)


def write(
    unit: UnitOfWork,
    message: Message,
    row: HubObjectRow | None,
    body: bytes,
    *,
    whole: bytes,
    query: str,
    sender_id: str,
) -> HubObjectRow:
    """Put a message and the whole object after it into its row, new where there is none, and announce it."""
    stamp = micros(unit.now()) if row is None else max(micros(unit.now()), row.version + 1)
    query = query if _is_token(message) else ""
    before = None if row is None or row.withdrawn else row.version
    if row is None:
        row = _new_row(unit, message, stamp, query)
    row.previous = before
    row.version = stamp
    row.withdrawn = message.method == "DELETE"
    row.listed = None if row.withdrawn else row.listed or None
    row.body = whole
    row.method, row.message = message.method, body
    row.message_path = _path(message.segments, query)
    row.last_updated = _last_updated(whole) or unit.now()
    unit.session.add(row)
    unit.emit(
        HubObjectChanged(
            module=row.module, id=row.id, owner=message.sender, sender_id=sender_id, at=moment(stamp)
        )
    )
    return row


def unlist(unit: UnitOfWork, row: HubObjectRow, *, sender_id: str) -> None:
    """Take an object out of the hub's lists: its owner's list has it no more.

    Only the end of a tariff can be told (OCPI 2.2.1 mod_tariffs, DELETE): locations and tokens end by a state that
    their owner gives them, and the hub invents none.
    """
    row.withdrawn, row.listed = True, False
    if row.module != ModuleId.TARIFFS:
        return
    row.previous = None
    row.version = max(micros(unit.now()), row.version + 1)
    owner = Party(row.country_code, row.party_id)
    unit.emit(
        HubObjectChanged(
            module=row.module, id=row.id, owner=owner, sender_id=sender_id, at=moment(row.version)
        )
    )


def _new_row(unit: UnitOfWork, message: Message, stamp: int, query: str) -> HubObjectRow:
    country, party, key = message.segments[:3]
    return HubObjectRow(
        id=id_of(message, dict(parse_qsl(query)).get("type", "")),
        module=str(message.module),
        country_code=country.upper(),
        party_id=party.upper(),
        object_key=key.upper(),
        path=_path(message.segments[:3], query),
        body=b"",
        method=message.method,
        message_path="",
        message=b"",
        version=stamp,
        seq=stamp,
        last_updated=unit.now(),
    )


async def kept(store: Store, message: Message, type_: str) -> bytes:
    """What a RECEIVER URL names, as its owner told everybody. Raises NotFoundError (404)."""
    async with store.reading() as session:
        row = await rows.hub_object(session, id_of(message, type_))
    if row is None or row.withdrawn:
        raise NotFoundError("the hub was never told of this object")
    part = row.body if len(message.segments) == 3 else _part(row.body, message.segments[3:])
    if part is None:
        raise NotFoundError("the hub was never told of this object")
    return part


def _is_token(message: Message) -> bool:
    return message.module is ModuleId.TOKENS


def _path(segments: tuple[str, ...], query: str) -> str:
    path = "/".join(quote(each, safe="") for each in segments)
    return f"{path}?{query}" if query else path


def _document(message: Message, body: bytes) -> Doc:
    """The message as an object, its ids those of the URL. Raises InvalidParameterError."""
    if message.method == "DELETE":
        return {}
    document = parse_body(body)
    if not isinstance(document, dict):
        raise InvalidParameterError("the body is no object")
    if last_updated_of(document) is None:
        raise InvalidParameterError("last_updated is missing or no DateTime")
    names: tuple[str, ...] = (
        ("country_code", "party_id", _ID_NAMES[message.module]) if len(message.segments) == 3 else ()
    )
    if len(message.segments) > 3:
        names = ("uid",) if len(message.segments) == 4 else ("id",)
    segments = message.segments if len(message.segments) == 3 else message.segments[-1:]
    for name, expected in zip(names, segments, strict=True):
        given = document.get(name)
        if given is None and message.method == "PATCH":
            continue
        if not isinstance(given, str) or given.upper() != expected.upper():
            raise InvalidParameterError(f"{name} in the body is not the one of the URL")
    return document


def _merged(message: Message, document: Doc, before: HubObjectRow | None, body: bytes) -> bytes:
    """The whole object after a message."""
    root = len(message.segments) == 3
    if message.method == "DELETE":
        if before is None:
            raise NotFoundError("the hub was never told of this object")
        return before.body
    if root and message.method == "PUT":
        return body.removeprefix(codecs.BOM_UTF8)
    if before is None:
        raise NotFoundError("the hub was never told of this object: PUT it first")
    whole = parse_body(before.body)
    if root:
        _patch(whole, document)
    else:
        _put_part(message, whole, document)
    return _encode(whole)


def _patch(whole: Doc, changes: Doc) -> None:
    """Given fields replace, null takes away; EVSEs in the PATCH of a location are merged by uid, none is lost."""
    evses = changes.get("evses")
    for name, value in changes.items():
        if name == "evses" and isinstance(evses, list):
            for each in evses:
                _put_into(whole, "evses", "uid", each)
        elif value is None:
            whole.pop(name, None)
        else:
            whole[name] = value


def _put_part(message: Message, whole: Doc, document: Doc) -> None:
    """An EVSE or a connector; what it lies in gets its `last_updated` (OCPI 2.2.1 mod_locations)."""
    evse_uid = message.segments[3]
    stamp = document["last_updated"]
    if len(message.segments) == 4:
        target = item_of(whole, "evses", "uid", evse_uid)
        _put_or_patch(message.method, whole, ("evses", "uid"), target, document)
    else:
        evse = item_of(whole, "evses", "uid", evse_uid)
        if evse is None:
            raise NotFoundError("the hub was never told of this EVSE: PUT it first")
        target = item_of(evse, "connectors", "id", message.segments[4])
        _put_or_patch(message.method, evse, ("connectors", "id"), target, document)
        evse["last_updated"] = stamp
    whole["last_updated"] = stamp


def _put_or_patch(
    method: str, parent: Doc, where: tuple[str, str], target: Doc | None, document: Doc
) -> None:
    if method == "PUT":
        _put_into(parent, *where, document)
    elif target is None:
        raise NotFoundError("the hub was never told of this part: PUT it first")
    else:
        _patch(target, document)


def _put_into(parent: Doc, list_name: str, id_name: str, item: object) -> None:
    if not isinstance(item, dict) or not isinstance(item.get(id_name), str):
        raise InvalidParameterError(f"an item of {list_name} has no {id_name}")
    items = parent.get(list_name)
    items = items if isinstance(items, list) else []
    key = item[id_name].upper()
    places = [n for n, each in enumerate(items) if _id(each, id_name) == key]
    if places:
        items[places[0]] = item
    else:
        items.append(item)
    parent[list_name] = items


def item_of(parent: Doc, list_name: str, id_name: str, wanted: str) -> Doc | None:
    """The EVSE or connector of this id in what it lies in."""
    items = parent.get(list_name)
    found = (each for each in items or () if _id(each, id_name) == wanted.upper())
    return next(found, None) if isinstance(items, list) else None


def _id(item: object, name: str) -> str | None:
    given = item.get(name) if isinstance(item, dict) else None
    return given.upper() if isinstance(given, str) else None


def _part(body: bytes, path: tuple[str, ...]) -> bytes | None:
    evse = item_of(parse_body(body), "evses", "uid", path[0])
    part = evse if evse is None or len(path) == 1 else item_of(evse, "connectors", "id", path[1])
    return None if part is None else _encode(part)


def last_updated_of(document: object) -> datetime | None:
    """When an object last changed, as its owner says; None where it does not."""
    return time_in(document, "last_updated")


def _last_updated(body: bytes) -> datetime | None:
    return last_updated_of(parse_body(body))
