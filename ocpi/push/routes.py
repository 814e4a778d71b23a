"""Routes: a session whose eMSP is on both platforms is told to the end on the one where it was first told."""

from app.domain.cdrs import ChargeDetailRecord
from app.domain.events import Mark
from app.domain.parties import Party, Role
from app.domain.sessions import ChargingSession
from app.outbox import enqueue, inspect
from app.outbox.outcomes import Claim
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.partners.desk import HUB, PLATFORM, Desk
from ocpi.partners.partner import Partner
from ocpi.push.subscribers import RANKS


async def turned(
    desk: Desk, partner: Partner, claim: Claim, thing: ChargingSession | ChargeDetailRecord
) -> bool:
    """Whether a session, or its record, was begun with the same eMSP on our other platform; then it is marked there.

    Only an operator moves a record to another route. Costs a look-up only where an eMSP is on both platforms.
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
        mark = Mark(
            partner_id=other.id,
            kind=claim.kind,
            object_id=claim.object_id,
            rank=RANKS[claim.kind],
            whole=claim.whole,
            wanted=unit.now(),
        )
        await enqueue.mark(unit.session, [mark], unit.now())
    return True


def _elsewhere(desk: Desk, partner: Partner, owner: Party, module: ModuleId) -> Partner | None:
    """The same eMSP's platform on the other side, if it still takes pushes."""
    other = desk.registry.by_party(HUB if partner.platform == PLATFORM else PLATFORM, owner)
    if other is None or not other.hears or not other.owns(owner, Role.EMSP):
        return None
    return other if other.endpoint(module, InterfaceRole.RECEIVER) is not None else None
