"""Foreign hubs: partners of our CPO that other parties are behind, learned as they are told of or first speak.

OCPI 2.2.1 mod_hub_client_info and transport, message routing. What such a hub passes on names the party it is from,
and what it tells everybody is the party's in URL and body, while the headers name the hub.
"""

import msgspec

from app.domain.parties import Party, Role
from app.store.unit_of_work import UnitOfWork
from ocpi.headers import read_party
from ocpi.partners import tables
from ocpi.partners.desk import PLATFORM, Desk
from ocpi.partners.invitations import change_within
from ocpi.partners.partner import Partner, PartnerParty

MOST = 2000
"""Parties that one hub may bring."""


def is_hub(partner: Partner) -> bool:
    """Whether a partner of our CPO is a hub."""
    return partner.platform == PLATFORM and Role.HUB in partner.roles


async def learn(desk: Desk, partner: Partner, party: Party, role: Role = Role.EMSP) -> Partner:
    """The partner with a party that is behind it; as it was where it can have none, or not this one.

    Whoever is registered with us directly, or behind another hub already, is behind no other.
    """
    if not _may_bring(desk, partner, party, role):
        return partner

    async def learned(stored: Partner, unit: UnitOfWork) -> Partner:
        owner = await tables.owner_of(unit.session, PLATFORM, party)
        if stored.owns(party, role) or owner not in (None, stored.id) or len(stored.parties) >= MOST:
            return stored
        folded = party.folded()
        new = PartnerParty(role, folded.country_code, folded.party_id, learned=True)
        return msgspec.structs.replace(stored, parties=(*stored.parties, new))

    await change_within(desk, partner.id, learned)
    return desk.partner(partner.id)


def _may_bring(desk: Desk, partner: Partner, party: Party, role: Role) -> bool:
    if not is_hub(partner) or role in (Role.CPO, Role.HUB) or partner.owns(party, role):
        return False
    if desk.is_ours(party) or read_party(str(party)) is None:
        return False
    owner = desk.registry.by_party(PLATFORM, party)
    return owner is None or owner.id == partner.id
