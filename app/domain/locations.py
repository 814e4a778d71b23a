"""Locations, EVSEs and connectors: what drivers see.

Fields that no rule of the house reads travel in `details`, in their OCPI 2.2.1 form.
"""

from datetime import datetime
from typing import Any

import msgspec

from app.domain.status import EvseStatus


class GeoPoint(msgspec.Struct, frozen=True, kw_only=True):
    """WGS 84 position in decimal degrees, as text so that no digit changes."""

    latitude: str
    longitude: str


class Connector(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One socket or cable of an EVSE (V, A, W)."""

    id: str
    standard: str
    format: str
    power_type: str
    max_voltage: int
    max_amperage: int
    max_electric_power: int | None = None
    tariff_ids: tuple[str, ...] = ()
    details: dict[str, Any] = {}
    last_updated: datetime

    @property
    def is_dc(self) -> bool:
        """Whether the vehicle is fed with direct current."""
        return self.power_type == "DC"


class Evse(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One place where one vehicle charges at a time; `status` is the live one when read from the store."""

    uid: str
    evse_id: str | None = None
    status: EvseStatus = EvseStatus.UNKNOWN
    capabilities: tuple[str, ...] = ()
    connectors: tuple[Connector, ...]
    details: dict[str, Any] = {}
    last_updated: datetime

    def connector(self, connector_id: str) -> Connector | None:
        """The connector with this id, compared without case."""
        return next((c for c in self.connectors if c.id.upper() == connector_id.upper()), None)


class Location(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A site with its EVSEs. `roaming=False` keeps it out of OCPI altogether."""

    country_code: str
    party_id: str
    id: str
    publish: bool
    roaming: bool = True
    name: str | None = None
    address: str
    city: str
    postal_code: str | None = None
    state: str | None = None
    country: str
    coordinates: GeoPoint
    time_zone: str
    evses: tuple[Evse, ...] = ()
    details: dict[str, Any] = {}
    last_updated: datetime

    def evse(self, uid: str) -> Evse | None:
        """The EVSE with this uid, compared without case."""
        return next((e for e in self.evses if e.uid.upper() == uid.upper()), None)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a transaction happens: the location with this one EVSE and connector picked out."""

    location: Location
    evse: Evse
    connector: Connector
