"""The Credentials module: who a platform is, where its versions are, and the token to call it with."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from ocpi.wire.base import CountryCode, PartyId, Url, WireModel, checked_pattern
from ocpi.wire.types import BusinessDetails, Role

CredentialsToken = Annotated[
    str,
    Field(repr=False),
    checked_pattern(r"[\x21-\x7e]{1,64}", "a token of 1 to 64 printable ASCII characters without space"),
]


class CredentialsRole(WireModel):
    """One party of a platform, in one role."""

    role: Role
    business_details: BusinessDetails
    party_id: PartyId
    country_code: CountryCode


class Credentials(WireModel):
    """What both sides of a registration tell each other."""

    token: CredentialsToken
    url: Url
    roles: Annotated[list[CredentialsRole], Field(min_length=1)]

    @model_validator(mode="after")
    def _each_role_once(self) -> Self:
        named = [(each.role, each.country_code.upper(), each.party_id.upper()) for each in self.roles]
        if len(set(named)) != len(named):
            raise ValueError("a party is named twice in the same role")
        return self
