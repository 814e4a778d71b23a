"""Hub: what the rooms of the hub share, made once in the roof."""

import asyncio
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from app.domain.parties import Party
from ocpi.client import Relay
from ocpi.headers import RoutedParty
from ocpi.hub.accounting import Accounts
from ocpi.hub.agreements import Agreements
from ocpi.hub.clients import Clients
from ocpi.hub.fairness import Crossings
from ocpi.hub.links import Links
from ocpi.hub.liveness import Liveness
from ocpi.hub.owners import Owners
from ocpi.hub.reach import Reach
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.partners.desk import HUB, AtDesk, Desk
from ocpi.versions import Version

FORWARD_SECONDS = 10.0
"""How long a receiver may take; then the sender is told 4002."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub(AtDesk):
    """`seconds` is the time a receiver has, `authorize_seconds` that of a token's issuer."""

    desk: Desk
    relay: Relay
    agreements: Agreements
    owners: Owners
    links: Links
    reach: Reach
    liveness: Liveness
    clients: Clients
    crossings: Crossings = field(default_factory=Crossings)
    accounts: Accounts
    turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = field(default_factory=WeakValueDictionary)
    """One after the other, where CDRs of one CPO have the same id: the second has to see what became of the first."""
    seconds: float = FORWARD_SECONDS
    authorize_seconds: float = 5.0

    @property
    def party(self) -> Party:
        """The hub's own."""
        return self.desk.hub

    @property
    def routed_party(self) -> RoutedParty:
        """The hub's own, as headers name it."""
        return RoutedParty(self.desk.hub.country_code, self.desk.hub.party_id)

    def url(self, version: Version, module: ModuleId, role: InterfaceRole) -> str:
        """One of the hub's interfaces."""
        return self.desk.endpoint_url(HUB, version, module, role)

    def results_url(self, version: Version, name: str) -> str:
        """Where results of commands come back to."""
        return f"{self.desk.version_url(HUB, version)}/{RESULTS}/{name}"


RESULTS = "results"
"""The path of the interface that takes results for others; it is in no version details."""


def open_hub(
    desk: Desk,
    relay: Relay,
    *,
    everybody: bool = False,
    seconds: float = FORWARD_SECONDS,
    authorize_seconds: float = 5.0,
) -> Hub:
    """A hub with nothing in memory yet; `everybody`: no agreements are needed."""
    agreements = Agreements(desk.store, desk.clock, everybody=everybody)
    liveness = Liveness(desk)
    return Hub(
        desk=desk,
        relay=relay,
        agreements=agreements,
        reach=Reach(desk.registry, agreements, desk.ours),
        owners=Owners(desk.store, desk.clock, desk.ours),
        links=Links(desk.vault),
        accounts=Accounts(desk.store, desk.clock),
        liveness=liveness,
        clients=Clients(desk.store, desk.clock, desk.registry, desk.ours, liveness),
        seconds=seconds,
        authorize_seconds=authorize_seconds,
    )
