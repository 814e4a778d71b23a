"""Reach: whom behind the hub something is told that is meant for everybody."""

from collections.abc import Iterator

from app.domain.parties import Party, Role
from ocpi.headers import RoutedParty
from ocpi.hub.agreements import Agreements
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.partners.desk import HUB, PLATFORM
from ocpi.partners.partner import Partner, PartnerParty
from ocpi.partners.registry import PartnerRegistry

_INTERESTED = {
    ModuleId.LOCATIONS: frozenset({Role.EMSP, Role.NSP, Role.NAP, Role.OTHER}),
    ModuleId.TARIFFS: frozenset({Role.EMSP, Role.NSP, Role.NAP, Role.OTHER}),
    ModuleId.TOKENS: frozenset({Role.CPO}),
}
"""Roles that hear what is told to everybody (OCPI 2.2.1 transport, broadcast push)."""


class Reach:
    """Parties behind the hub as the owner of an object sees them. `ours` is our CPO.

    `agreements` say who may reach whom. Of our CPO's own objects nobody hears twice: who is registered with it directly is told there.
    """

    def __init__(self, registry: PartnerRegistry, agreements: Agreements, ours: Party) -> None:
        self._registry = registry
        self.agreements = agreements
        self.ours = ours.folded()

    def takers(self, owner: Party, module: ModuleId, *, but: str = "") -> list[Partner]:
        """The platforms that have to be told of an object of this owner, all `but` the one it came from."""
        return [
            partner
            for partner in self._registry.receivers(HUB, module)
            if partner.id != but and next(self._parties(partner, owner, module), None) is not None
        ]

    def addressees(self, partner: Partner, owner: Party, module: ModuleId) -> list[RoutedParty]:
        """The parties of a platform that each get a request, or one of them where it wants one per platform."""
        found = {
            each.party: RoutedParty(each.country_code, each.party_id)
            for each in self._parties(partner, owner, module)
        }
        each = list(found.values())
        return each[:1] if partner.settings.broadcast == "per_platform" else each

    def of_driver(self, party: Party, module: ModuleId) -> Partner | None:
        """The platform of an eMSP that is behind the hub only and has an agreement with our CPO."""
        partner = self._registry.by_party(HUB, party)
        if partner is None or self._is_direct(party) or not partner.owns(party, Role.EMSP):
            return None
        return partner if self.agreements.allow(self.ours, party, module) else None

    def is_admitted(self, party: Party) -> bool:
        """Whether drivers of an eMSP may use our stations: one that is or was behind the hub only needs an agreement."""
        if party.folded() == self.ours or self._is_direct(party):
            return True
        behind = self._registry.by_party(HUB, party) is not None
        if not behind and self.agreements.updated(self.ours, party) is None:
            return True
        return self.agreements.allow(self.ours, party, ModuleId.TOKENS)

    def issuers(self, asker: Party, *, but: str = "") -> list[tuple[Partner, RoutedParty]]:
        """The eMSPs that are asked about a token nobody knows, all `but` those on one platform."""
        return [
            (partner, RoutedParty(each.country_code, each.party_id))
            for partner in self._registry.all()
            if partner.platform == HUB and partner.id != but and partner.reachable
            if partner.settings.authorize_unknown is not False
            if partner.endpoint(ModuleId.TOKENS, InterfaceRole.SENDER) is not None
            for each in partner.parties
            if each.role is Role.EMSP and self.agreements.allow(asker, each.party, ModuleId.TOKENS)
        ]

    def _parties(self, partner: Partner, owner: Party, module: ModuleId) -> Iterator[PartnerParty]:
        own = owner.folded() == self.ours
        for each in partner.parties:
            if each.role not in _INTERESTED[module] or each.party == owner.folded():
                continue
            if self.agreements.allow(owner, each.party, module) and not (own and self._is_direct(each.party)):
                yield each

    def _is_direct(self, party: Party) -> bool:
        return self._registry.by_party(PLATFORM, party) is not None
