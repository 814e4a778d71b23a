"""The Sessions module."""

from enum import StrEnum

from ocpi.wire.base import (
    CiString36,
    CountryCode,
    Currency,
    DateTime,
    Flag,
    OcpiNumber,
    PartyId,
    Text255,
    WireModel,
)
from ocpi.wire.tokens import ProfileType
from ocpi.wire.types import AuthMethod, CdrToken, ChargingPeriod, Price


class SessionStatus(StrEnum):
    """Where a session is in its life; COMPLETED and INVALID are final."""

    ACTIVE = "ACTIVE"
    COMPLETED = "COMPLETED"
    INVALID = "INVALID"
    PENDING = "PENDING"
    RESERVATION = "RESERVATION"


class Session(WireModel):
    """A session as it runs; a missing `total_cost` means that it is not known, not that it is free."""

    country_code: CountryCode
    party_id: PartyId
    id: CiString36
    start_date_time: DateTime
    end_date_time: DateTime | None = None
    kwh: OcpiNumber
    cdr_token: CdrToken
    auth_method: AuthMethod
    authorization_reference: CiString36 | None = None
    location_id: CiString36
    evse_uid: CiString36
    connector_id: CiString36
    meter_id: Text255 | None = None
    currency: Currency
    charging_periods: list[ChargingPeriod] = []
    total_cost: Price | None = None
    status: SessionStatus
    last_updated: DateTime


class ChargingPreferencesResponse(StrEnum):
    """What came of a driver's preferences."""

    ACCEPTED = "ACCEPTED"
    DEPARTURE_REQUIRED = "DEPARTURE_REQUIRED"
    ENERGY_NEED_REQUIRED = "ENERGY_NEED_REQUIRED"
    NOT_POSSIBLE = "NOT_POSSIBLE"
    PROFILE_TYPE_NOT_SUPPORTED = "PROFILE_TYPE_NOT_SUPPORTED"


class ChargingPreferences(WireModel):
    """What a driver prefers for a running session; `energy_need` in kWh."""

    profile_type: ProfileType
    departure_time: DateTime | None = None
    energy_need: OcpiNumber | None = None
    discharge_allowed: Flag | None = None
