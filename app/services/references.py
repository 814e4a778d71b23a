"""What locations and stations may refer to: checked before they are kept, in the words the operator used."""

import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from app.domain.errors import Invalid
from app.domain.locations import Location
from app.domain.stations import ConnectorLink, SetUp
from app.domain.status import EvseStatus
from app.services import locations as sites
from app.store import locations, stations, tariffs
from app.store.database.unit_of_work import UnitOfWork
from app.store.stations import StoredStation

_EVSE_ID = re.compile(r"[A-Z]{2}\*?[A-Z0-9]{3}\*?E[A-Z0-9*]+", re.IGNORECASE | re.ASCII)
_PAGE = 500


async def check_location(unit: UnitOfWork, location: Location) -> None:
    """Raise Invalid naming what cannot be: time zone, EVSE id, an EVSE uid of another location, an unknown tariff."""
    _check_time_zone(location.time_zone)
    for number, evse in enumerate(location.evses):
        if evse.evse_id is not None and not _EVSE_ID.fullmatch(evse.evse_id):
            raise Invalid(
                f"{evse.evse_id} is not an EVSE id such as NL*VBR*E1234", field=f"evses[{number}].evse_id"
            )
    await _check_uids(unit, location)
    await _check_tariffs(unit, location)


async def check_set_up(unit: UnitOfWork, station_id: str, wanted: SetUp) -> SetUp:
    """The set-up with ids as our location spells them.

    Raises Invalid naming the location, EVSE or connector that does not exist, is named twice, or belongs to
    another station.
    """
    _check_numbers(wanted)
    if wanted.location_id is None:
        if wanted.connectors:
            raise Invalid("connectors need a location_id", field="location_id")
        return wanted
    location = await locations.get(unit.session, wanted.location_id)
    if location is None:
        raise Invalid(f"there is no location {wanted.location_id}", field="location_id")
    links = tuple(_found(location, link, number) for number, link in enumerate(wanted.connectors))
    taken: dict[tuple[str, str], str] = {}
    for other in await stations_at(unit, location.id):
        if other.station.id != station_id:
            taken |= {_key(link): f"station {other.station.id}" for link in other.station.connectors}
    for number, link in enumerate(links):
        if _key(link) in taken:
            raise Invalid(
                f"connector {link.connector_id} of EVSE {link.evse_uid} belongs to {taken[_key(link)]}",
                field=f"connectors[{number}].connector_id",
            )
        taken[_key(link)] = "another connector of this station"
    return replace(wanted, location_id=location.id, connectors=links)


async def stations_at(unit: UnitOfWork, location_id: str) -> list[StoredStation]:
    """The stations set up at a location (id as stored)."""
    found: list[StoredStation] = []
    while True:
        page, total = await stations.find(
            unit.session, location_id=location_id, limit=_PAGE, offset=len(found)
        )
        found += page
        if not page or len(found) >= total:
            return found


async def attached(unit: UnitOfWork, location_id: str) -> set[str]:
    """The EVSEs (uid in upper case) of a location for which a station reports."""
    location = await locations.get(unit.session, location_id)
    if location is None:
        return set()
    return {
        link.evse_uid.upper()
        for each in await stations_at(unit, location.id)
        for link in each.station.connectors
    }


async def complete_capabilities(unit: UnitOfWork, location_id: str) -> None:
    """EVSEs that have just got a station are told to be startable by app, unless the operator said otherwise."""
    location = await locations.get(unit.session, location_id)
    reporting = await attached(unit, location_id)
    if location is None or all(e.capabilities or e.uid.upper() not in reporting for e in location.evses):
        return
    # The live status must not come back as the operator's own word.
    own = await locations.overrides(unit.session, location.id)
    evses = tuple(
        replace(evse, status=own.get(evse.uid.upper(), EvseStatus.UNKNOWN))
        if evse.uid.upper() in reporting
        else evse
        for evse in location.evses
    )
    await sites.put(unit, replace(location, evses=evses), attached=reporting)


def _check_time_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Invalid(
            f"{name} is not a time zone of the IANA database, such as Europe/Amsterdam", field="time_zone"
        ) from None


async def _check_uids(unit: UnitOfWork, location: Location) -> None:
    holders = await locations.holders(unit.session, [evse.uid for evse in location.evses])
    for number, evse in enumerate(location.evses):
        holder = holders.get(evse.uid.upper(), location.id)
        if holder.upper() != location.id.upper():
            raise Invalid(f"EVSE {evse.uid} belongs to location {holder}", field=f"evses[{number}].uid")


async def _check_tariffs(unit: UnitOfWork, location: Location) -> None:
    known: dict[str, bool] = {}
    for tariff_id, field in _tariffs_of(location):
        if tariff_id.upper() not in known:
            known[tariff_id.upper()] = await tariffs.get(unit.session, tariff_id) is not None
        if not known[tariff_id.upper()]:
            raise Invalid(f"there is no tariff {tariff_id}", field=field)


def _tariffs_of(location: Location) -> Iterator[tuple[str, str]]:
    for e, evse in enumerate(location.evses):
        if evse.status is EvseStatus.REMOVED:
            continue
        for c, connector in enumerate(evse.connectors):
            for t, tariff_id in enumerate(connector.tariff_ids):
                yield tariff_id, f"evses[{e}].connectors[{c}].tariff_ids[{t}]"


def _check_numbers(wanted: SetUp) -> None:
    seen: set[tuple[int, int]] = set()
    for number, link in enumerate(wanted.connectors):
        if (link.evse, link.connector) in seen:
            raise Invalid(
                f"connector {link.connector} of EVSE {link.evse} is named twice",
                field=f"connectors[{number}]",
            )
        seen.add((link.evse, link.connector))


def _found(location: Location, link: ConnectorLink, number: int) -> ConnectorLink:
    evse = location.evse(link.evse_uid)
    if evse is None:
        raise Invalid(
            f"location {location.id} has no EVSE {link.evse_uid}", field=f"connectors[{number}].evse_uid"
        )
    connector = evse.connector(link.connector_id)
    if connector is None:
        raise Invalid(
            f"EVSE {evse.uid} has no connector {link.connector_id}",
            field=f"connectors[{number}].connector_id",
        )
    return replace(link, evse_uid=evse.uid, connector_id=connector.id)


def _key(link: ConnectorLink) -> tuple[str, str]:
    return link.evse_uid.upper(), link.connector_id.upper()
