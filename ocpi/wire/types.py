"""Objects and enums that several modules share."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from ocpi.wire.base import (
    CiString4,
    CiString36,
    CountryCode,
    DateTime,
    Integer,
    Language,
    OcpiNumber,
    PartyId,
    Text64,
    Text100,
    Text512,
    Url,
    WireModel,
    checked_pattern,
)


class Role(StrEnum):
    """What a party does on the market."""

    CPO = "CPO"
    EMSP = "EMSP"
    HUB = "HUB"
    NAP = "NAP"
    NSP = "NSP"
    OTHER = "OTHER"
    SCSP = "SCSP"


class TokenType(StrEnum):
    """What kind of identification a token is."""

    AD_HOC_USER = "AD_HOC_USER"
    APP_USER = "APP_USER"
    OTHER = "OTHER"
    RFID = "RFID"


class AuthMethod(StrEnum):
    """How a session was authorized."""

    AUTH_REQUEST = "AUTH_REQUEST"
    COMMAND = "COMMAND"
    WHITELIST = "WHITELIST"


class CdrDimensionType(StrEnum):
    """What a charging period measures; energy in kWh, times in hours, power in kW, current in A."""

    CURRENT = "CURRENT"
    ENERGY = "ENERGY"
    ENERGY_EXPORT = "ENERGY_EXPORT"
    ENERGY_IMPORT = "ENERGY_IMPORT"
    MAX_CURRENT = "MAX_CURRENT"
    MIN_CURRENT = "MIN_CURRENT"
    MAX_POWER = "MAX_POWER"
    MIN_POWER = "MIN_POWER"
    PARKING_TIME = "PARKING_TIME"
    POWER = "POWER"
    RESERVATION_TIME = "RESERVATION_TIME"
    STATE_OF_CHARGE = "STATE_OF_CHARGE"
    TIME = "TIME"


SESSION_ONLY = frozenset(
    {
        CdrDimensionType.CURRENT,
        CdrDimensionType.ENERGY_EXPORT,
        CdrDimensionType.ENERGY_IMPORT,
        CdrDimensionType.POWER,
        CdrDimensionType.STATE_OF_CHARGE,
    }
)
"""Dimensions that a Session may report and a CDR must not."""


class ImageCategory(StrEnum):
    """What an image shows."""

    CHARGER = "CHARGER"
    ENTRANCE = "ENTRANCE"
    LOCATION = "LOCATION"
    NETWORK = "NETWORK"
    OPERATOR = "OPERATOR"
    OTHER = "OTHER"
    OWNER = "OWNER"


class EnergySourceCategory(StrEnum):
    """Where electricity comes from."""

    NUCLEAR = "NUCLEAR"
    GENERAL_FOSSIL = "GENERAL_FOSSIL"
    COAL = "COAL"
    GAS = "GAS"
    GENERAL_GREEN = "GENERAL_GREEN"
    SOLAR = "SOLAR"
    WIND = "WIND"
    WATER = "WATER"


class EnvironmentalImpactCategory(StrEnum):
    """What making the electricity leaves behind."""

    NUCLEAR_WASTE = "NUCLEAR_WASTE"
    CARBON_DIOXIDE = "CARBON_DIOXIDE"


class DisplayText(WireModel):
    """A text for people, in one language, without markup."""

    language: Language
    text: Text512


class Price(WireModel):
    """An amount of money; a missing `incl_vat` means that it is not known, not that there is no VAT."""

    excl_vat: OcpiNumber
    incl_vat: OcpiNumber | None = None


class GeoLocation(WireModel):
    """A place on earth, WGS 84, in decimal degrees with five to seven decimals."""

    latitude: Annotated[str, checked_pattern(r"-?[0-9]{1,2}\.[0-9]{5,7}", "a latitude such as 52.370216")]
    longitude: Annotated[str, checked_pattern(r"-?[0-9]{1,3}\.[0-9]{5,7}", "a longitude such as 4.895168")]


class AdditionalGeoLocation(GeoLocation):
    """A further place that belongs to a location, such as its entrance."""

    name: DisplayText | None = None


class Image(WireModel):
    """A picture on the web; `type` is its file type, such as `jpeg`; sizes in pixels."""

    url: Url
    thumbnail: Url | None = None
    category: ImageCategory
    type: CiString4
    width: Annotated[Integer, Field(le=99_999)] | None = None
    height: Annotated[Integer, Field(le=99_999)] | None = None


class BusinessDetails(WireModel):
    """A company as drivers know it."""

    name: Text100
    website: Url | None = None
    logo: Image | None = None


class EnergySource(WireModel):
    """One part of an energy mix, in per cent."""

    source: EnergySourceCategory
    percentage: OcpiNumber


class EnvironmentalImpact(WireModel):
    """What one kWh leaves behind, in grams."""

    category: EnvironmentalImpactCategory
    amount: OcpiNumber


class EnergyMix(WireModel):
    """Where the electricity of a location or tariff comes from."""

    is_green_energy: Annotated[bool, Field(strict=True)]
    energy_sources: list[EnergySource] = []
    environ_impact: list[EnvironmentalImpact] = []
    supplier_name: Text64 | None = None
    energy_product_name: Text64 | None = None


class CdrToken(WireModel):
    """The token that a session was charged with, as it was then."""

    country_code: CountryCode
    party_id: PartyId
    uid: CiString36
    type: TokenType
    contract_id: CiString36


class CdrDimension(WireModel):
    """One measured volume."""

    type: CdrDimensionType
    volume: OcpiNumber


class ChargingPeriod(WireModel):
    """A stretch of a session, up to where the next one starts; without `tariff_id` no tariff applies."""

    start_date_time: DateTime
    dimensions: Annotated[list[CdrDimension], Field(min_length=1)]
    tariff_id: CiString36 | None = None
