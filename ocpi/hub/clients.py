"""Clients: the parties behind the hub and whether they can be reached, as every one of them sees the others.

OCPI 2.2.1 mod_hub_client_info. What a party is told is the state of the platform that another is on, or PLANNED as
long as the two have no agreement; nobody is told of itself.
"""

from collections.abc import Sequence
from typing import NamedTuple

from app.domain.events import HubClientChanged
from app.domain.parties import Party, Role
from app.kit.clock import Clock
from app.store.database.columns import micros
from app.store.database.engine import Store
from app.store.hub import clients as rows
from app.store.hub.objects import HubClientRow
from ocpi.hub.agreements import Agreements
from ocpi.hub.liveness import Liveness
from ocpi.partners.desk import HUB
from ocpi.partners.partner import Partner, PartnerState
from ocpi.partners.registry import PartnerRegistry
from ocpi.wire.clients import ClientInfo, ConnectionStatus

OURS = ""
"""In place of a partner's id for our own CPO, which is on no partner's platform."""

_STATUS = {
    PartnerState.INVITED: ConnectionStatus.PLANNED,
    PartnerState.REGISTERING: ConnectionStatus.PLANNED,
    PartnerState.REGISTERED: ConnectionStatus.CONNECTED,
    PartnerState.PAUSED: ConnectionStatus.SUSPENDED,
    PartnerState.SUSPENDED: ConnectionStatus.SUSPENDED,
}


class Client(NamedTuple):
    """A party in one role, in folded form, the platform it is on, and its status to those who may reach it."""

    party: Party
    role: Role
    partner_id: str
    status: ConnectionStatus

    @property
    def id(self) -> str:
        """Its name: one party may have several roles."""
        return client_id(self.party, self.role)


def client_id(party: Party, role: Role) -> str:
    """The name of a party in a role."""
    folded = party.folded()
    return f"{folded.country_code}/{folded.party_id}/{role}"


class Clients:
    """All of them. What differs from what was told is written, and only then anybody is told.

    A party that is no longer on any platform stays, as SUSPENDED (OCPI 2.2.1 knows no way to take one back).
    """

    def __init__(
        self, store: Store, clock: Clock, registry: PartnerRegistry, ours: Party, liveness: Liveness
    ) -> None:
        self._store = store
        self._clock = clock
        self._registry = registry
        self._ours = ours.folded()
        self._liveness = liveness
        self._began = False

    async def all(self) -> Sequence[HubClientRow]:
        """Every client as it was last told, in the order of coming."""
        async with self._store.reading() as session:
            return await rows.all_of_them(session)

    async def refresh(self) -> None:
        """Write what has changed and have the others told; done every few seconds, by one process alone."""
        known = await self.all()
        if not self._began:
            self._began = True
            self._liveness.begin(row.partner_id for row in known if row.status == ConnectionStatus.OFFLINE)
        wanted = self._present()
        wanted += _gone(known, {each.id for each in wanted})
        told = {row.id: (row.partner_id, row.status) for row in known}
        changed = [each for each in wanted if told.get(each.id) != (each.partner_id, each.status)]
        if changed:
            await self._write(changed)

    def _present(self) -> list[Client]:
        found = [Client(self._ours, Role.CPO, OURS, ConnectionStatus.CONNECTED)]
        for partner in self._registry.all():
            if partner.platform == HUB:
                status = self._status(partner)
                found += [Client(each.party, each.role, partner.id, status) for each in partner.parties]
        return found

    def _status(self, partner: Partner) -> ConnectionStatus:
        status = _STATUS[partner.state]
        if status is ConnectionStatus.CONNECTED and self._liveness.is_away(partner.id):
            return ConnectionStatus.OFFLINE
        return status

    async def _write(self, changed: Sequence[Client]) -> None:
        async with self._store.unit_of_work(self._clock) as unit:
            now = micros(unit.now())
            await rows.put(unit.session, [_row(each, now) for each in changed])
            for each in changed:
                unit.emit(HubClientChanged(id=each.id, partner_id=each.partner_id, at=unit.now()))


def _gone(known: Sequence[HubClientRow], present: set[str]) -> list[Client]:
    return [
        Client(
            Party(row.country_code, row.party_id), Role(row.role), row.partner_id, ConnectionStatus.SUSPENDED
        )
        for row in known
        if row.id not in present
    ]


def _row(client: Client, now: int) -> tuple[object, ...]:
    country, party = client.party.country_code, client.party.party_id
    return (
        client.id, country, party, client.role.value, client.partner_id, client.status.value, now, now,
    )  # fmt: skip


def as_seen(row: HubClientRow, viewer: Partner, agreements: Agreements) -> ClientInfo:
    """What a platform is told of a client; it is as new as the last change of either, client or agreement."""
    party = Party(row.country_code, row.party_id)
    mine = {each.party for each in viewer.parties}
    status = ConnectionStatus(row.status)
    if status is not ConnectionStatus.SUSPENDED and not any(agreements.known(party, each) for each in mine):
        status = ConnectionStatus.PLANNED
    changes = [at for each in mine if (at := agreements.updated(party, each)) is not None]
    return ClientInfo(
        party_id=row.party_id,
        country_code=row.country_code,
        role=Role(row.role),
        status=status,
        last_updated=max([row.last_updated, *changes]),
    )
