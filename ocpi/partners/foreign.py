"""Foreign hubs: partners of our CPO that other parties are behind, learned as they are told of or first speak.

OCPI 2.2.1 mod_hub_client_info and transport, message routing. What such a hub passes on names the party it is from,
and what it tells everybody is the party's in URL and body, while the headers name the hub.
"""

from collections.abc import Sequence

import msgspec

from app.domain.parties import Party, Role
from app.store import foreign_clients as rows
from app.store.database.unit_of_work import UnitOfWork
from app.store.foreign_clients import ForeignClientRow
from ocpi.headers import read_party
from ocpi.partners import tables
from ocpi.partners.desk import PLATFORM, Desk
from ocpi.partners.invitations import change_within
from ocpi.partners.partner import Partner, PartnerParty
from ocpi.wire.clients import ClientInfo, ConnectionStatus

MOST = 2000
"""Parties that one hub may bring."""

_THERE = frozenset({ConnectionStatus.CONNECTED, ConnectionStatus.OFFLINE})


def is_hub(partner: Partner) -> bool:
    """Whether a partner of our CPO is a hub."""
    return partner.platform == PLATFORM and Role.HUB in partner.roles


async def learn(desk: Desk, partner: Partner, party: Party, role: Role = Role.EMSP) -> Partner:
    """The partner with a party that is behind it; as it was where it can have none, or not this one.

    Whoever is registered with us directly, or behind another hub already, is behind no other.
    """
    return await _learn_all(desk, partner, [(party, role)])


async def told(desk: Desk, partner: Partner, clients: Sequence[ClientInfo]) -> int:
    """Keep what a hub says of the parties behind it where it is news, and know from then on whose drivers they are.

    Says how many were news. Whoever is only planned, or gone, is known when it first speaks.
    """
    async with desk.store.unit_of_work(desk.clock) as unit:
        named = {_id(partner, each): each for each in clients}
        known = await rows.by_id(unit.session, named)
        room = MOST - await rows.count(unit.session, partner.id)
        news = 0
        for id_, client in named.items():
            row = known.get(id_)
            if (row is None and room <= 0) or (row is not None and row.last_updated > client.last_updated):
                continue
            room -= row is None
            news += row is None or row.last_updated < client.last_updated
            _keep(unit, row or _row(partner, id_, client), client)
    there = [each for each in clients if each.status in _THERE]
    await _learn_all(
        desk, partner, [(Party(each.country_code, each.party_id), Role(each.role)) for each in there]
    )
    return news


async def client_of(desk: Desk, partner: Partner, party: Party) -> ClientInfo | None:
    """What a hub last said of a party behind it; the URL of a client names no role: the newest of several."""
    async with desk.store.reading() as session:
        found = await rows.of_party(session, partner.id, party)
    return None if not found else _info(found[0])


async def _learn_all(desk: Desk, partner: Partner, parties: Sequence[tuple[Party, Role]]) -> Partner:
    wanted = [each for each in dict.fromkeys(parties) if _may_bring(desk, partner, *each)]
    if not wanted:
        return partner

    async def learned(stored: Partner, unit: UnitOfWork) -> Partner:
        for party, role in wanted:
            owner = await tables.owner_of(unit.session, PLATFORM, party)
            if stored.owns(party, role) or owner not in (None, stored.id) or len(stored.parties) >= MOST:
                continue
            folded = party.folded()
            new = PartnerParty(role, folded.country_code, folded.party_id, learned=True)
            stored = msgspec.structs.replace(stored, parties=(*stored.parties, new))
        return stored

    await change_within(desk, partner.id, learned)
    return desk.partner(partner.id)


def _may_bring(desk: Desk, partner: Partner, party: Party, role: Role) -> bool:
    if not is_hub(partner) or role in (Role.CPO, Role.HUB) or partner.owns(party, role):
        return False
    if desk.is_ours(party) or read_party(str(party)) is None:
        return False
    owner = desk.registry.by_party(PLATFORM, party)
    return owner is None or owner.id == partner.id


def _id(partner: Partner, client: ClientInfo) -> str:
    return f"{partner.id}/{client.country_code}/{client.party_id}".upper() + f"/{client.role}"


def _row(partner: Partner, id_: str, client: ClientInfo) -> ForeignClientRow:
    return ForeignClientRow(
        id=id_,
        partner_id=partner.id,
        country_code=client.country_code.upper(),
        party_id=client.party_id.upper(),
        role=str(client.role),
        status=str(client.status),
        last_updated=client.last_updated,
    )


def _keep(unit: UnitOfWork, row: ForeignClientRow, client: ClientInfo) -> None:
    row.status, row.last_updated = str(client.status), client.last_updated
    unit.session.add(row)


def _info(row: ForeignClientRow) -> ClientInfo:
    return ClientInfo(
        party_id=row.party_id,
        country_code=row.country_code,
        role=Role(row.role),
        status=ConnectionStatus(row.status),
        last_updated=row.last_updated,
    )
