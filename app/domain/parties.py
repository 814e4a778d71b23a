"""Parties: who is on the market, and in what role."""

from enum import StrEnum

import msgspec


class Role(StrEnum):
    """Roles of OCPI 2.2.1 (mod_credentials, Role enum)."""

    CPO = "CPO"
    EMSP = "EMSP"
    HUB = "HUB"
    NAP = "NAP"
    NSP = "NSP"
    OTHER = "OTHER"
    SCSP = "SCSP"


class Party(msgspec.Struct, frozen=True):
    """Country code (ISO 3166 alpha-2) and party id (3 characters); compared without case."""

    country_code: str
    party_id: str

    def folded(self) -> "Party":
        """The form in which two parties are compared (CiString)."""
        return Party(self.country_code.upper(), self.party_id.upper())

    def __str__(self) -> str:
        return f"{self.country_code}-{self.party_id}"
