"""Routes: a session whose eMSP is on both platforms is told to the end on the one where it was first told."""

from app.domain.cdrs import ChargeDetailRecord
from app.domain.errors import Conflict
from app.domain.events import Mark
from app.domain.parties import Party, Role
from app.domain.sessions import ChargingSession
from app.outbox import enqueue, inspect
from app.outbox.outcomes import Claim
from app.outbox.tables import DeliveryRow
from app.store import cdrs
from app.store.database.unit_of_work import UnitOfWork
from ocpi.hub.reach import Reach
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.partners.desk import HUB, PLATFORM, Desk
from ocpi.partners.partner import Partner
from ocpi.push.subscribers import RANKS


async def turned(
    desk: Desk, partner: Partner, claim: Claim, thing: ChargingSession | ChargeDetailRecord
) -> bool:
    """Whether a session, or its record, was begun with the same eMSP on our other platform; then it is marked there.

    Only an operator moves a record to another route: what was discarded there is told here. Costs a look-up only where an eMSP is on both platforms.
    """
    module = ModuleId.CDRS if isinstance(thing, ChargeDetailRecord) else ModuleId.SESSIONS
    other = _elsewhere(desk, partner, Party(thing.token.country_code, thing.token.party_id), module)
    if other is None:
        return False
    session_id = thing.session_id if isinstance(thing, ChargeDetailRecord) else thing.id
    async with desk.store.unit_of_work(desk.clock) as unit:
        first = await inspect.first_told(unit.session, "session", session_id, (partner.id, other.id))
        if first != other.id:
            return False
        there = inspect.About(claim.kind, claim.object_id, [other.id])
        if (await inspect.find(unit.session, state="discarded", about=there, limit=1))[1]:
            return False
        await _mark(unit, other, claim.kind, claim.object_id, whole=claim.whole)
    return True


async def move(desk: Desk, reach: Reach, delivery_id: int, reason: str) -> DeliveryRow:
    """Tell a record on our other platform instead, by an operator's wish; the delivery there.

    Raises NotFound; Conflict where it is none of a record, under way or done, or its eMSP cannot be told there.
    """
    async with desk.store.unit_of_work(desk.clock) as unit:
        row = await inspect.get(unit.session, delivery_id)
        stored = await cdrs.get(unit.session, row.object_id) if row.kind == "cdr" else None
        if stored is None:
            raise Conflict("only a CDR can be told on our other platform")
        owner = Party(stored.record.token.country_code, stored.record.token.party_id)
        other = _elsewhere(desk, desk.partner(row.partner_id), owner, ModuleId.CDRS)
        if other is None:
            raise Conflict(f"{owner} takes no CDRs on our other platform")
        if other.platform == HUB and not reach.agreements.allow(reach.ours, owner, ModuleId.CDRS):
            raise Conflict(f"our CPO and {owner} have no agreement on CDRs behind the hub")
        await inspect.discard(unit.session, delivery_id, f"moved to {other.id}: {reason}")
        await _mark(unit, other, row.kind, row.object_id, whole=True)
        there = inspect.About(row.kind, row.object_id, [other.id])
        found, _ = await inspect.find(unit.session, about=there, limit=1)
    return found[0]


async def _mark(unit: UnitOfWork, partner: Partner, kind: str, object_id: str, *, whole: bool) -> None:
    mark = Mark(
        partner_id=partner.id,
        kind=kind,
        object_id=object_id,
        rank=RANKS[kind],
        whole=whole,
        wanted=unit.now(),
    )
    await enqueue.mark(unit.session, [mark], unit.now())


def _elsewhere(desk: Desk, partner: Partner, owner: Party, module: ModuleId) -> Partner | None:
    """The same eMSP's platform on the other side, if it still takes pushes."""
    other = desk.registry.by_party(HUB if partner.platform == PLATFORM else PLATFORM, owner)
    if other is None or not other.hears or not other.owns(owner, Role.EMSP):
        return None
    return other if other.endpoint(module, InterfaceRole.RECEIVER) is not None else None
