"""Partner: the platform at the other end of one credentials exchange, as a value."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from app.domain.parties import Party, Role
from app.domain.records.clearing import Rules
from ocpi.modules import InterfaceRole, ModuleId


class PartnerState(StrEnum):
    """How far the exchange of credentials has come.

    `suspended` has unregistered: its tokens are void and nothing travels until it is invited again.
    """

    INVITED = "invited"
    REGISTERING = "registering"
    REGISTERED = "registered"
    PAUSED = "paused"
    SUSPENDED = "suspended"


class PartnerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an operator may set for one partner, and what the partner gets wrong, as flags.

    `authorize_unknown`: ask it about tokens nobody knows; None: as its role says. `broadcast`: one request per receiving party or one
    per platform. `empty_ack`: HTTP 2xx with an empty body counts as received. `raw_token`: it wants the token
    without Base64. `allow_private_url`: its URLs may be http or private. `page_limit`: objects per page of our
    lists, at most. `pace`: requests per second while everything is sent after registration. `clearing`: what becomes of
    its CDRs on their way through the hub. `rate`, `at_once`, `largest_body`: requests per second, requests under way and
    bytes of a body that it may ask of us; None: as for everybody. `both_platforms`: its parties may be registered on our
    other platform too.
    """

    authorize_unknown: bool | None = None
    broadcast: str = "per_party"
    empty_ack: bool = False
    raw_token: bool = False
    allow_private_url: bool = False
    page_limit: int | None = None
    pace: float = 20.0
    clearing: Rules = Rules()
    rate: float | None = None
    at_once: int | None = None
    largest_body: int | None = None
    both_platforms: bool = False


class Endpoint(msgspec.Struct, frozen=True):
    """One interface that a partner offers."""

    module: str
    role: InterfaceRole
    url: str


class PartnerParty(msgspec.Struct, frozen=True):
    """One role of a partner (OCPI 2.2.1 mod_credentials, CredentialsRole).

    `learned`: the partner is a hub, and this party is behind it.
    """

    role: Role
    country_code: str
    party_id: str
    business_details: dict[str, Any] = {}
    learned: bool = False

    @property
    def party(self) -> Party:
        """The party in the form in which parties are compared."""
        return Party(self.country_code, self.party_id).folded()


class Partner(msgspec.Struct, frozen=True, kw_only=True):
    """A partner. Tokens: SHA-256 of the ones it uses at us; encrypted the one we use at it.

    `prices` says which of our tariffs it gets in place of which, by the id in upper case of the one replaced.
    """

    id: str
    platform: str
    name: str
    state: PartnerState
    token_hash: str | None = None
    previous_token_hash: str | None = None
    previous_until: datetime | None = None
    token_out: str | None = None
    versions_url: str | None = None
    version: str | None = None
    settings: PartnerSettings = PartnerSettings()
    prices: dict[str, str] = {}
    endpoints: tuple[Endpoint, ...] = ()
    parties: tuple[PartnerParty, ...] = ()
    created_at: datetime
    last_contact: datetime | None = None
    last_updated: datetime

    def endpoint(self, module: ModuleId, role: InterfaceRole) -> str | None:
        """The URL of this interface of the partner, without a slash at the end; None if it has none."""
        found = (e.url for e in self.endpoints if e.module == module and e.role is role)
        url = next(found, None)
        return None if url is None else url.rstrip("/")

    @property
    def audience(self) -> str:
        """What tells apart those who see different prices; empty for everybody without prices of its own."""
        return (
            ""
            if not self.prices
            else ";".join(f"{ours}={theirs}" for ours, theirs in sorted(self.prices.items()))
        )

    @property
    def roles(self) -> frozenset[Role]:
        """The roles it has on the market."""
        return frozenset(p.role for p in self.parties)

    @property
    def hears(self) -> bool:
        """Whether what happens is noted for it: it is registered, or was and will be again."""
        return self.token_out is not None and self.state is not PartnerState.SUSPENDED

    @property
    def reachable(self) -> bool:
        """Whether requests may be sent to it now."""
        return self.token_out is not None and self.state is PartnerState.REGISTERED

    @property
    def asked_of_unknown(self) -> bool:
        """Whether it is asked about tokens nobody knows: as set, and a hub unless it was set otherwise."""
        chosen = self.settings.authorize_unknown
        return Role.HUB in self.roles if chosen is None else chosen

    def parties_as(self, role: Role) -> tuple[Party, ...]:
        """Its parties in this role."""
        return tuple(p.party for p in self.parties if p.role is role)

    def owns(self, party: Party, *roles: Role) -> bool:
        """Whether it registered this party, in one of these roles if any are named."""
        folded = party.folded()
        return any(p.party == folded and (not roles or p.role in roles) for p in self.parties)
