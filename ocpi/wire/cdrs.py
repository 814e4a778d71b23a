"""The CDRs module."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from ocpi.wire.base import (
    CiString32,
    CiString36,
    CiString39,
    CiString48,
    Country,
    CountryCode,
    Currency,
    DateTime,
    Flag,
    Integer,
    Lines512,
    Lines5000,
    OcpiNumber,
    PartyId,
    Text10,
    Text20,
    Text45,
    Text255,
    Text512,
    WireModel,
)
from ocpi.wire.locations import ConnectorFormat, ConnectorType, PowerType
from ocpi.wire.tariffs import Tariff
from ocpi.wire.types import SESSION_ONLY, AuthMethod, CdrToken, ChargingPeriod, GeoLocation, Price

_NORMAL_ID_LENGTH = 36


class CdrLocation(WireModel):
    """The place of a session as it was then; address and state are shorter than those of a Location."""

    id: CiString36
    name: Text255 | None = None
    address: Text45
    city: Text45
    postal_code: Text10 | None = None
    state: Text20 | None = None
    country: Country
    coordinates: GeoLocation
    evse_uid: CiString36
    evse_id: CiString48
    connector_id: CiString36
    connector_standard: ConnectorType
    connector_format: ConnectorFormat
    connector_power_type: PowerType


class SignedValue(WireModel):
    """A meter value with its signature, as the meter made it."""

    nature: CiString32
    plain_data: Lines5000
    signed_data: Lines5000


class SignedData(WireModel):
    """Signed meter values and what is needed to verify them."""

    encoding_method: CiString36
    encoding_method_version: Integer | None = None
    public_key: Lines512 | None = None
    signed_values: Annotated[list[SignedValue], Field(min_length=1)]
    url: Text512 | None = None


class CDR(WireModel):
    """What a finished session costs; never changes. Energy in kWh, times in hours."""

    country_code: CountryCode
    party_id: PartyId
    id: CiString39
    start_date_time: DateTime
    end_date_time: DateTime
    session_id: CiString36 | None = None
    cdr_token: CdrToken
    auth_method: AuthMethod
    authorization_reference: CiString36 | None = None
    cdr_location: CdrLocation
    meter_id: Text255 | None = None
    currency: Currency
    tariffs: list[Tariff] = []
    charging_periods: Annotated[list[ChargingPeriod], Field(min_length=1)]
    signed_data: SignedData | None = None
    total_cost: Price
    total_fixed_cost: Price | None = None
    total_energy: OcpiNumber
    total_energy_cost: Price | None = None
    total_time: OcpiNumber
    total_time_cost: Price | None = None
    total_parking_time: OcpiNumber | None = None
    total_parking_cost: Price | None = None
    total_reservation_cost: Price | None = None
    remark: Text255 | None = None
    invoice_reference_id: CiString39 | None = None
    credit: Flag | None = None
    credit_reference_id: CiString39 | None = None
    home_charging_compensation: Flag | None = None
    last_updated: DateTime

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.credit and self.credit_reference_id is None:
            raise ValueError("credit_reference_id is required in a credit CDR")
        if not self.credit and len(self.id) > _NORMAL_ID_LENGTH:
            raise ValueError("id may be longer than 36 characters in credit CDRs only")
        for period in self.charging_periods:
            if any(dimension.type in SESSION_ONLY for dimension in period.dimensions):
                raise ValueError("charging_periods hold a dimension that only sessions may report")
        return self
