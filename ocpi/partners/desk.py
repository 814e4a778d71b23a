"""Desk: what the handshake may reach, and how we present ourselves in it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from app.domain.errors import NotFound
from app.domain.parties import Party, Role
from app.kit.clock import Clock
from app.store.database.engine import Store
from ocpi.client import PartnerClient, Peer
from ocpi.mapping.amounts import Body
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.partners.partner import Partner
from ocpi.partners.registry import PartnerRegistry
from ocpi.partners.tokens import Vault
from ocpi.versions import Version

PLATFORM = "cpo"
"""The platform for partners who want our stations only."""
HUB = "hub"
"""The platform for parties who want to reach each other through us."""

_HUB_PARTY = Party("NL", "VHB")
_FUNCTIONAL = tuple((module, role) for module in ModuleId if module.routed for role in InterfaceRole)

OFFERED: dict[str, tuple[tuple[ModuleId, InterfaceRole], ...]] = {
    PLATFORM: (
        (ModuleId.LOCATIONS, InterfaceRole.SENDER),
        (ModuleId.SESSIONS, InterfaceRole.SENDER),
        (ModuleId.CDRS, InterfaceRole.SENDER),
        (ModuleId.TARIFFS, InterfaceRole.SENDER),
        (ModuleId.TOKENS, InterfaceRole.RECEIVER),
        (ModuleId.COMMANDS, InterfaceRole.RECEIVER),
        (ModuleId.HUB_CLIENT_INFO, InterfaceRole.RECEIVER),
    ),
    HUB: (*_FUNCTIONAL, (ModuleId.HUB_CLIENT_INFO, InterfaceRole.SENDER)),
}
"""The interfaces of each platform of ours, beside credentials."""


class AtDesk:
    """Whoever has the desk has what lies on it."""

    __slots__ = ()
    desk: "Desk"

    @property
    def store(self) -> Store:
        """The database."""
        return self.desk.store

    @property
    def clock(self) -> Clock:
        """The one source of time."""
        return self.desk.clock

    @property
    def registry(self) -> PartnerRegistry:
        """All partners, in memory."""
        return self.desk.registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The tools of the handshake. `base_url` is the configured public URL, without a slash at the end.

    `name` is our own, as partners show it; `allow_private` lets every partner have http and private URLs;
    `listeners` are told of every new registration, after its commit. `ours` is our CPO, `hub` the party that the
    hub is on its own platform. `renewing` holds
    the partners that have our new credentials in hand: their call back proves nothing about which token they keep.
    """

    store: Store
    clock: Clock
    client: PartnerClient
    registry: PartnerRegistry
    vault: Vault
    base_url: str
    ours: Party
    name: str
    hub: Party = _HUB_PARTY
    allow_private: bool = False
    listeners: list[Callable[[Partner], None]] = field(default_factory=list)
    renewing: set[str] = field(default_factory=set)

    def registered(self, partner: Partner) -> None:
        """Tell who waits for registrations."""
        for listener in self.listeners:
            listener(partner)

    def partner(self, partner_id: str) -> Partner:
        """The partner with this id. Raises NotFound."""
        partner = self.registry.find(partner_id)
        if partner is None:
            raise NotFound(f"there is no partner {partner_id}")
        return partner

    def peer(self, partner: Partner, token: str | None = None) -> Peer:
        """How to call a partner: with the token we have from it, or with the one given."""
        if token is None:
            if partner.token_out is None:
                raise NotFound(f"partner {partner.id} has given us no token")
            token = self.vault.open(partner.token_out)
        return Peer(
            token=token,
            raw_token=partner.settings.raw_token,
            allow_private=self.allow_private or partner.settings.allow_private_url,
            name=partner.id,
        )

    def versions_url(self, platform: str) -> str:
        """Where partners of this platform begin."""
        return f"{self.base_url}/ocpi/{platform}/versions"

    def version_url(self, platform: str, version: Version) -> str:
        """The details of one version."""
        return f"{self.base_url}/ocpi/{platform}/{version}"

    def endpoint_url(self, platform: str, version: Version, module: ModuleId, role: InterfaceRole) -> str:
        """One of our interfaces; credentials have no role in their path."""
        base = self.version_url(platform, version)
        if module is ModuleId.CREDENTIALS:
            return f"{base}/{module}"
        return f"{base}/{role.lower()}/{module}"

    def identity(self, platform: str) -> Party:
        """Who we are on a platform."""
        return self.hub if platform == HUB else self.ours

    def is_ours(self, party: Party) -> bool:
        """Whether this is our CPO or the hub: no partner on any platform may be either."""
        return party.folded() in (self.ours.folded(), self.hub.folded())

    def credentials(self, platform: str, token: str) -> Body:
        """Our Credentials object with the token that the partner shall use at us.

        A hub names only itself: who is behind it is told by HubClientInfo (OCPI 2.2.1 mod_credentials).
        """
        identity = self.identity(platform)
        return {
            "token": token,
            "url": self.versions_url(platform),
            "roles": [
                {
                    "role": str(Role.HUB if platform == HUB else Role.CPO),
                    "business_details": {"name": self.name},
                    "party_id": identity.party_id,
                    "country_code": identity.country_code,
                }
            ],
        }
