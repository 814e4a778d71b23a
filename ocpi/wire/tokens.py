"""The Tokens module, real-time authorization included."""

from enum import StrEnum

from ocpi.wire.base import CiString36, CountryCode, DateTime, Flag, Language, PartyId, Text64, WireModel
from ocpi.wire.types import DisplayText, TokenType


class WhitelistType(StrEnum):
    """When a token may, or must, be allowed without asking its issuer."""

    ALWAYS = "ALWAYS"
    ALLOWED = "ALLOWED"
    ALLOWED_OFFLINE = "ALLOWED_OFFLINE"
    NEVER = "NEVER"


class AllowedType(StrEnum):
    """The issuer's verdict on a token."""

    ALLOWED = "ALLOWED"
    BLOCKED = "BLOCKED"
    EXPIRED = "EXPIRED"
    NO_CREDIT = "NO_CREDIT"
    NOT_ALLOWED = "NOT_ALLOWED"


class ProfileType(StrEnum):
    """What a driver prefers of charging."""

    CHEAP = "CHEAP"
    FAST = "FAST"
    GREEN = "GREEN"
    REGULAR = "REGULAR"


class EnergyContract(WireModel):
    """The driver's own energy contract, to be used at the charge point."""

    supplier_name: Text64
    contract_id: Text64 | None = None


class Token(WireModel):
    """A means of identification; its identity is country, party, uid and type together."""

    country_code: CountryCode
    party_id: PartyId
    uid: CiString36
    type: TokenType
    contract_id: CiString36
    visual_number: Text64 | None = None
    issuer: Text64
    group_id: CiString36 | None = None
    valid: Flag
    whitelist: WhitelistType
    language: Language | None = None
    default_profile_type: ProfileType | None = None
    energy_contract: EnergyContract | None = None
    last_updated: DateTime


class LocationReferences(WireModel):
    """A location, and those of its EVSEs that are meant; none named means all."""

    location_id: CiString36
    evse_uids: list[CiString36] = []


class AuthorizationInfo(WireModel):
    """The issuer's answer to real-time authorization."""

    allowed: AllowedType
    token: Token
    location: LocationReferences | None = None
    authorization_reference: CiString36 | None = None
    info: DisplayText | None = None
