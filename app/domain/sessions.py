"""Charging sessions: what the driver's eMSP follows while the car charges, and the snapshot taken at the start."""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import msgspec

from app.domain.locations import Place
from app.domain.tariffs import Price, Tariff
from app.domain.tokens import SessionToken

PUSH_INTERVAL = timedelta(seconds=60)
"""How often a running session is told, at most, while only its energy grows."""

_FEEDBACK_AC = timedelta(minutes=15)
_FEEDBACK_DC = timedelta(minutes=5)


class SessionStatus(StrEnum):
    """OCPI 2.2.1 mod_sessions, SessionStatus enum."""

    ACTIVE = "ACTIVE"
    COMPLETED = "COMPLETED"
    INVALID = "INVALID"
    PENDING = "PENDING"
    RESERVATION = "RESERVATION"


class AuthMethod(StrEnum):
    """OCPI 2.2.1 mod_cdrs, AuthMethod enum."""

    AUTH_REQUEST = "AUTH_REQUEST"
    COMMAND = "COMMAND"
    WHITELIST = "WHITELIST"


class Dimension(msgspec.Struct, frozen=True):
    """One volume of a charging period: ENERGY in kWh, TIME and PARKING_TIME in hours (CdrDimension)."""

    type: str
    volume: Decimal


class ChargingPeriod(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a session in which nothing that matters for the price changes; ends where the next starts."""

    start: datetime
    dimensions: tuple[Dimension, ...]
    tariff_id: str | None = None


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What a session was started with. Later changes of place, tariff or token do not touch it."""

    place: Place | None
    tariff: Tariff | None
    token: SessionToken
    meter_id: str | None = None

    @property
    def feedback(self) -> timedelta:
        """How often a running session gets a new charging period for the driver's information."""
        dc = self.place is not None and self.place.connector.is_dc
        return _FEEDBACK_DC if dc else _FEEDBACK_AC


class ChargingSession(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """OCPI 2.2.1 mod_sessions, Session object; energy in kWh."""

    country_code: str
    party_id: str
    id: str
    start_date_time: datetime
    end_date_time: datetime | None = None
    kwh: Decimal = Decimal(0)
    token: SessionToken
    auth_method: AuthMethod
    authorization_reference: str | None = None
    location_id: str | None
    evse_uid: str | None
    connector_id: str | None
    meter_id: str | None = None
    currency: str
    periods: tuple[ChargingPeriod, ...] = ()
    total_cost: Price | None = None
    status: SessionStatus
    let_in: bool = True
    """Whether the driver was let in; if not, the session is the operator's alone until a record of it is released."""
    last_updated: datetime

    @property
    def published(self) -> bool:
        """Whether partners may see it: a station without a location has sessions of its own only."""
        return self.let_in and self.location_id is not None
