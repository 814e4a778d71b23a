"""What a record is judged by beside itself: its location and its tariffs, as their owner told or showed them to all."""

from collections.abc import Iterable, Iterator
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.errors import Invalid
from app.domain.parties import Party
from app.domain.tariffs import Tariff
from app.store.hub import objects as rows
from ocpi.errors import InvalidParameterError
from ocpi.hub.hub import Hub
from ocpi.hub.objects import item_of, last_updated_of, object_id
from ocpi.hub.records import Told, place_of
from ocpi.mapping.tariffs import tariff_from
from ocpi.modules import ModuleId
from ocpi.strict_json import parse_body

_MOST_TARIFFS = 50


async def told_of(hub: Hub, owner: Party, record: dict[str, Any]) -> Told:
    """The zone of a record's location, and the tariffs that it, or else its connector, names and does not carry."""
    async with hub.store.reading() as session:
        location = await _location(session, owner, record)
        zone = _zone(location)
        if record.get("tariffs"):
            return Told(zone)
        named = _named(record) or _at_connector(location, record)
        return await _with_tariffs(session, owner, zone, list(dict.fromkeys(named))[:_MOST_TARIFFS])


async def _location(session: AsyncSession, owner: Party, record: dict[str, Any]) -> dict[str, Any]:
    place = place_of(record)
    if place is None:
        return {}
    id_ = object_id(ModuleId.LOCATIONS, owner.country_code, owner.party_id, place)
    told = await rows.hub_object(session, id_)
    location = None if told is None else parse_body(told.body)
    return location if isinstance(location, dict) else {}


def _zone(location: dict[str, Any]) -> ZoneInfo | None:
    zone = location.get("time_zone")
    try:
        return ZoneInfo(zone) if isinstance(zone, str) else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


async def _with_tariffs(session: AsyncSession, owner: Party, zone: ZoneInfo | None, named: list[str]) -> Told:
    """One that was withdrawn meanwhile still tells what a session cost."""
    ids = {object_id(ModuleId.TARIFFS, owner.country_code, owner.party_id, name): name for name in named}
    found = await rows.objects(session, ids)
    tariffs, lacking = list[Tariff](), list[str]()
    for id_, name in ids.items():
        tariff = _tariff(owner, name, found[id_].body) if id_ in found else None
        if tariff is None:
            lacking.append(name)
        else:
            tariffs.append(tariff)
    return Told(zone, tuple(tariffs), tuple(lacking))


def _tariff(owner: Party, name: str, body: bytes) -> Tariff | None:
    document = parse_body(body)
    stamp = last_updated_of(document)
    try:
        tariff = None if stamp is None else tariff_from(document, ours=owner, tariff_id=name, now=stamp)
    except (InvalidParameterError, Invalid):
        return None
    return None if tariff is None or stamp is None else replace(tariff, last_updated=stamp)


def _named(record: dict[str, Any]) -> list[str]:
    periods = record.get("charging_periods")
    return list(_texts(each.get("tariff_id") for each in _objects(periods)))


def _at_connector(location: dict[str, Any], record: dict[str, Any]) -> list[str]:
    place = record.get("cdr_location")
    if not isinstance(place, dict):
        return []
    evse_uid, connector_id = place.get("evse_uid"), place.get("connector_id")
    if not isinstance(evse_uid, str) or not isinstance(connector_id, str):
        return []
    evse = item_of(location, "evses", "uid", evse_uid)
    connector = None if evse is None else item_of(evse, "connectors", "id", connector_id)
    named = None if connector is None else connector.get("tariff_ids")
    return list(_texts(named)) if isinstance(named, list) else []


def _objects(items: Any) -> Iterator[dict[str, Any]]:
    yield from (each for each in (items if isinstance(items, list) else []) if isinstance(each, dict))


def _texts(items: Iterable[Any]) -> Iterator[str]:
    yield from (each for each in items if isinstance(each, str) and each)
