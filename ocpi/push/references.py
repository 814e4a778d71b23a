"""What an object names, and which of it a partner was never told: that has to go first."""

from app.domain.cdrs import ChargeDetailRecord
from app.domain.events import Mark
from app.domain.locations import Location
from app.domain.sessions import ChargingSession
from app.outbox import inspect
from app.outbox.outcomes import Claim
from app.store.database.columns import moment
from app.store.database.engine import Store
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.partners.partner import Partner
from ocpi.push.loading import Thing
from ocpi.push.subscribers import RANKS

_MODULES = {"tariff": ModuleId.TARIFFS, "location": ModuleId.LOCATIONS, "session": ModuleId.SESSIONS}


async def untold(store: Store, partner: Partner, claim: Claim, thing: Thing) -> tuple[Mark, ...]:
    """Marks for what this object names and the partner takes but never confirmed."""
    named = [
        (kind, id_)
        for kind, id_ in _named(thing)
        if partner.endpoint(_MODULES[kind], InterfaceRole.RECEIVER) is not None
    ]
    async with store.reading() as session:
        confirmed = await inspect.confirmed_among(session, partner.id, named)
    return tuple(
        Mark(
            partner_id=partner.id,
            kind=kind,
            object_id=id_,
            rank=RANKS[kind],
            whole=True,
            wanted=moment(claim.wanted),
        )
        for kind, id_ in named
        if (kind, id_) not in confirmed
    )


def _named(thing: Thing) -> list[tuple[str, str]]:
    match thing:
        case Location():
            tariffs = {id_ for evse in thing.evses for c in evse.connectors for id_ in c.tariff_ids}
            return [("tariff", id_) for id_ in sorted(tariffs)]
        case ChargingSession():
            return [] if thing.location_id is None else [("location", thing.location_id)]
        case ChargeDetailRecord():
            location = [] if thing.place is None else [("location", thing.place.location.id)]
            return [*location, ("session", thing.session_id)]
        case _:
            return []
