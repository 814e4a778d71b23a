"""The Tariffs module."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from ocpi.wire.base import (
    CiString36,
    CountryCode,
    Currency,
    DateTime,
    Integer,
    OcpiNumber,
    PartyId,
    TimeOfDay,
    Url,
    WireModel,
    checked_pattern,
)
from ocpi.wire.types import DisplayText, EnergyMix, Price

LocalDate = Annotated[
    str,
    checked_pattern(r"[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])", "a date such as 2026-01-31"),
]


class TariffType(StrEnum):
    """For which sessions a tariff is meant."""

    AD_HOC_PAYMENT = "AD_HOC_PAYMENT"
    PROFILE_CHEAP = "PROFILE_CHEAP"
    PROFILE_FAST = "PROFILE_FAST"
    PROFILE_GREEN = "PROFILE_GREEN"
    REGULAR = "REGULAR"


class TariffDimensionType(StrEnum):
    """What a price component charges for."""

    ENERGY = "ENERGY"
    FLAT = "FLAT"
    PARKING_TIME = "PARKING_TIME"
    TIME = "TIME"


class DayOfWeek(StrEnum):
    """A day, in the local time of the location."""

    MONDAY = "MONDAY"
    TUESDAY = "TUESDAY"
    WEDNESDAY = "WEDNESDAY"
    THURSDAY = "THURSDAY"
    FRIDAY = "FRIDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"


class ReservationRestrictionType(StrEnum):
    """Whether an element is for reservations that were used, or for those that expired."""

    RESERVATION = "RESERVATION"
    RESERVATION_EXPIRES = "RESERVATION_EXPIRES"


class PriceComponent(WireModel):
    """A price per kWh, per hour or flat, without VAT; a missing `vat` means that none applies."""

    type: TariffDimensionType
    price: OcpiNumber
    vat: OcpiNumber | None = None
    step_size: Integer


class TariffRestrictions(WireModel):
    """When an element applies; all that are given must hold. Energy in kWh, power in kW, durations in seconds."""

    start_time: TimeOfDay | None = None
    end_time: TimeOfDay | None = None
    start_date: LocalDate | None = None
    end_date: LocalDate | None = None
    min_kwh: OcpiNumber | None = None
    max_kwh: OcpiNumber | None = None
    min_current: OcpiNumber | None = None
    max_current: OcpiNumber | None = None
    min_power: OcpiNumber | None = None
    max_power: OcpiNumber | None = None
    min_duration: Integer | None = None
    max_duration: Integer | None = None
    day_of_week: list[DayOfWeek] = []
    reservation: ReservationRestrictionType | None = None


class TariffElement(WireModel):
    """Price components that apply under the same restrictions."""

    price_components: Annotated[list[PriceComponent], Field(min_length=1)]
    restrictions: TariffRestrictions | None = None


class Tariff(WireModel):
    """A tariff; a missing `type` means that it is for all sessions."""

    country_code: CountryCode
    party_id: PartyId
    id: CiString36
    currency: Currency
    type: TariffType | None = None
    tariff_alt_text: list[DisplayText] = []
    tariff_alt_url: Url | None = None
    min_price: Price | None = None
    max_price: Price | None = None
    elements: Annotated[list[TariffElement], Field(min_length=1)]
    start_date_time: DateTime | None = None
    end_date_time: DateTime | None = None
    energy_mix: EnergyMix | None = None
    last_updated: DateTime
