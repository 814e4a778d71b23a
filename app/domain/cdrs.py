"""Charge detail records: the bill of one session, made once and never changed."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from app.domain.locations import Place
from app.domain.sessions import AuthMethod, ChargingPeriod
from app.domain.tariffs import Price, Tariff
from app.domain.tokens import SessionToken


class CdrState(StrEnum):
    """Held for the operator, issued to the eMSP, or thrown away by the operator with a reason."""

    HELD = "held"
    ISSUED = "issued"
    DISCARDED = "discarded"


class HoldReason(StrEnum):
    """Why a CDR waits for an operator."""

    NO_TARIFF = "no_tariff"
    ABSURD_ENERGY = "absurd_energy"
    METER_RESET = "meter_reset"
    NO_STOP = "no_stop"
    TOKEN_INVALID = "token_invalid"  # noqa: S105 - a reason, not a secret
    OVERLAP = "overlap"
    MIXED_CLOCKS = "mixed_clocks"
    NO_EVSE_ID = "no_evse_id"
    PRICING_FAILED = "pricing_failed"


class SignedValue(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One signed meter value, byte for byte as the station sent it, and what the station said of its signature."""

    nature: str
    plain_data: str
    signed_data: str
    encoding_method: str = "unknown"
    public_key: str | None = None


class SignedData(msgspec.Struct, frozen=True, kw_only=True):
    """Signed meter values of a session (OCPI 2.2.1 mod_cdrs, SignedData)."""

    encoding_method: str
    public_key: str | None = None
    signed_values: tuple[SignedValue, ...]


class ChargeDetailRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """OCPI 2.2.1 mod_cdrs, CDR object; energy in kWh, times in hours, costs in `currency`.

    `total_cost` is None only while the record is held for want of a tariff: no tariff is never 0.00.
    """

    country_code: str
    party_id: str
    id: str
    start_date_time: datetime
    end_date_time: datetime
    session_id: str
    token: SessionToken
    auth_method: AuthMethod
    authorization_reference: str | None = None
    place: Place | None
    meter_id: str | None = None
    currency: str
    tariffs: tuple[Tariff, ...] = ()
    periods: tuple[ChargingPeriod, ...]
    signed_data: SignedData | None = None
    total_cost: Price | None
    total_fixed_cost: Price | None = None
    total_energy: Decimal
    total_energy_cost: Price | None = None
    total_time: Decimal
    total_time_cost: Price | None = None
    total_parking_time: Decimal | None = None
    total_parking_cost: Price | None = None
    total_reservation_cost: Price | None = None
    remark: str | None = None
    credit: bool | None = None
    credit_reference_id: str | None = None
    last_updated: datetime
