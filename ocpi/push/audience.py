"""Who is told: partners that take the module, and have a right to the object."""

from app.domain.parties import Party, Role
from ocpi.headers import RoutedParty
from ocpi.hub.reach import Reach
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.partners.desk import PLATFORM
from ocpi.partners.partner import Partner
from ocpi.partners.registry import PartnerRegistry

_INTERESTED = frozenset({Role.EMSP, Role.NSP, Role.NAP, Role.HUB, Role.OTHER})
"""The roles that hear of locations and tariffs."""


def everyone(registry: PartnerRegistry, module: ModuleId, reach: Reach | None = None) -> list[Partner]:
    """All partners that hear of our locations (or tariffs): directly, or, by `reach`, behind our hub."""
    direct = [partner for partner in registry.receivers(PLATFORM, module) if partner.roles & _INTERESTED]
    return direct if reach is None else direct + reach.takers(reach.ours, module)


def owner(
    registry: PartnerRegistry, module: ModuleId, party: Party, reach: Reach | None = None
) -> Partner | None:
    """The one partner that hears of a session or CDR: the eMSP of its token, if it takes pushes."""
    partner = registry.by_party(PLATFORM, party)
    if partner is None and reach is not None:
        partner = reach.of_driver(party, module)
    if partner is None or not partner.hears or not partner.owns(party, Role.EMSP):
        return None
    return partner if partner.endpoint(module, InterfaceRole.RECEIVER) is not None else None


def addressees(partner: Partner) -> list[RoutedParty]:
    """The parties of a partner that each get a request, or only the first where it wants one per platform."""
    found = {
        p.party: RoutedParty(p.country_code, p.party_id)
        for p in partner.parties
        if p.role in _INTERESTED and not p.learned
    }
    each = list(found.values())
    return each[:1] if partner.settings.broadcast == "per_platform" else each
