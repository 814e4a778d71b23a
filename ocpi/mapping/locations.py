"""Locations, EVSEs and connectors, to the wire and from it (OCPI 2.2.1 mod_locations)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.domain.locations import Connector, Evse, GeoPoint, Location
from app.domain.parties import Party
from app.domain.status import EvseStatus
from ocpi.errors import InvalidParameterError
from ocpi.mapping.amounts import Body, add_present, leftovers
from ocpi.times import write_time
from ocpi.wire import locations as wire


def location_body(location: Location) -> Body:
    """The whole Location with its EVSEs."""
    body: Body = {
        "country_code": location.country_code,
        "party_id": location.party_id,
        "id": location.id,
        "publish": location.publish,
    }
    add_present(body, name=location.name)
    body |= {"address": location.address, "city": location.city}
    add_present(body, postal_code=location.postal_code, state=location.state)
    body |= {
        "country": location.country,
        "coordinates": geo_body(location.coordinates),
        "time_zone": location.time_zone,
    }
    add_present(body, evses=[evse_body(evse) for evse in location.evses])
    return body | location.details | {"last_updated": write_time(location.last_updated)}


def evse_body(evse: Evse) -> Body:
    """One EVSE with its connectors and its present status."""
    body = add_present({"uid": evse.uid}, evse_id=evse.evse_id)
    body["status"] = str(evse.status)
    add_present(body, capabilities=list(evse.capabilities))
    body["connectors"] = [connector_body(connector) for connector in evse.connectors]
    return body | evse.details | {"last_updated": write_time(evse.last_updated)}


def connector_body(connector: Connector) -> Body:
    """One connector."""
    body: Body = {
        "id": connector.id,
        "standard": connector.standard,
        "format": connector.format,
        "power_type": connector.power_type,
        "max_voltage": connector.max_voltage,
        "max_amperage": connector.max_amperage,
    }
    add_present(body, max_electric_power=connector.max_electric_power, tariff_ids=list(connector.tariff_ids))
    return body | connector.details | {"last_updated": write_time(connector.last_updated)}


def evse_patch(status: EvseStatus, last_updated: datetime) -> Body:
    """What partners hear of a change of status: nothing but the status and when it changed."""
    return {"status": str(status), "last_updated": write_time(last_updated)}


def geo_body(point: GeoPoint) -> Body:
    """OCPI 2.2.1 types, GeoLocation."""
    return {"latitude": point.latitude, "longitude": point.longitude}


def location_from(body: object, *, ours: Party, location_id: str, now: datetime, roaming: bool) -> Location:
    """The Location that an operator put, in OCPI's form without the fields that we set ourselves.

    `country_code`, `party_id` and every `last_updated` are set here, given or not; a missing EVSE status is
    UNKNOWN. Raises InvalidParameterError naming the field at fault.
    """
    model = wire.Location.read(_completed(body, ours, location_id, write_time(now)))
    return Location(
        country_code=ours.country_code,
        party_id=ours.party_id,
        id=location_id,
        publish=model.publish,
        roaming=roaming,
        name=model.name,
        address=model.address,
        city=model.city,
        postal_code=model.postal_code,
        state=model.state,
        country=model.country,
        coordinates=GeoPoint(latitude=model.coordinates.latitude, longitude=model.coordinates.longitude),
        time_zone=model.time_zone,
        evses=tuple(_evse(evse, now) for evse in model.evses),
        details=leftovers(model.to_wire(), _LOCATION_FIELDS),
        last_updated=now,
    )


def _evse(model: wire.EVSE, now: datetime) -> Evse:
    return Evse(
        uid=model.uid,
        evse_id=model.evse_id,
        status=EvseStatus(model.status),
        capabilities=tuple(model.capabilities),
        connectors=tuple(_connector(connector, now) for connector in model.connectors),
        details=leftovers(model.to_wire(), _EVSE_FIELDS),
        last_updated=now,
    )


def _connector(model: wire.Connector, now: datetime) -> Connector:
    return Connector(
        id=model.id,
        standard=str(model.standard),
        format=str(model.format),
        power_type=str(model.power_type),
        max_voltage=model.max_voltage,
        max_amperage=model.max_amperage,
        max_electric_power=model.max_electric_power,
        tariff_ids=tuple(model.tariff_ids),
        details=leftovers(model.to_wire(), _CONNECTOR_FIELDS),
        last_updated=now,
    )


_CONNECTOR_FIELDS = frozenset(
    [
        "id",
        "standard",
        "format",
        "power_type",
        "max_voltage",
        "max_amperage",
        "max_electric_power",
        "tariff_ids",
        "last_updated",
    ]
)
_EVSE_FIELDS = frozenset(["uid", "evse_id", "status", "capabilities", "connectors", "last_updated"])
_LOCATION_FIELDS = frozenset(
    [
        "country_code",
        "party_id",
        "id",
        "publish",
        "roaming",
        "name",
        "address",
        "city",
        "postal_code",
        "state",
        "country",
        "coordinates",
        "time_zone",
        "evses",
        "last_updated",
    ]
)


def _completed(body: object, ours: Party, location_id: str, stamp: str) -> dict[str, Any]:
    given = _object(body, "the location")
    return given | {
        "country_code": ours.country_code,
        "party_id": ours.party_id,
        "id": location_id,
        "last_updated": stamp,
        "evses": [_completed_evse(evse, stamp) for evse in _entries(given, "evses")],
    }


def _completed_evse(body: object, stamp: str) -> dict[str, Any]:
    given = _object(body, "an EVSE")
    return given | {
        "status": given.get("status") or str(EvseStatus.UNKNOWN),
        "last_updated": stamp,
        "connectors": [
            _object(connector, "a connector") | {"last_updated": stamp}
            for connector in _entries(given, "connectors")
        ],
    }


def _entries(body: Mapping[str, Any], name: str) -> list[Any]:
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidParameterError(f"{name} must be a list")
    return value


def _object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidParameterError(f"{what} must be an object")
    return value
