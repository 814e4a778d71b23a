"""Our locations: put and withdrawn by the operator, told to partners."""

from collections.abc import Collection

from msgspec.structs import replace

from app.domain.errors import Invalid
from app.domain.events import LocationChanged
from app.domain.locations import Evse, Location
from app.domain.status import EvseStatus
from app.store import locations
from app.store.database.unit_of_work import UnitOfWork

OF_A_STATION = ("REMOTE_START_STOP_CAPABLE", "RFID_READER", "UNLOCK_CAPABLE")
"""What an EVSE with a station can do, unless the operator says: without it, apps hide the start button."""


async def put(
    unit: UnitOfWork, location: Location, *, attached: Collection[str] = ()
) -> tuple[Location, bool]:
    """Create or replace a location; gives it as stored, and whether it is new.

    `attached` names the EVSEs (uid) that a station reports for. An EVSE that is no longer named becomes REMOVED
    and stays, with its connectors: partners may know it. Raises Invalid for an EVSE that is to be published and
    has no evse_id, and for ids given twice.
    """
    _check(location)
    before = await locations.get(unit.session, location.id)
    reporting = {uid.upper() for uid in attached}
    whole = replace(
        location,
        evses=(
            *(_able(evse) if evse.uid.upper() in reporting else evse for evse in location.evses),
            *(_removed(evse) for evse in _vanished(before, location)),
        ),
    )
    stored = await locations.save(unit.session, whole, unit.now(), attached=reporting)
    roaming = stored.roaming or (before is not None and before.roaming)
    unit.emit(LocationChanged(location_id=stored.id, roaming=roaming, at=stored.last_updated))
    return stored, before is None


async def withdraw(unit: UnitOfWork, location_id: str) -> bool:
    """Mark all its EVSEs REMOVED: locations never vanish. False where there is none."""
    location = await locations.get(unit.session, location_id)
    if location is None:
        return False
    await put(unit, replace(location, evses=tuple(_removed(evse) for evse in location.evses)))
    return True


def _vanished(before: Location | None, location: Location) -> list[Evse]:
    return [] if before is None else [evse for evse in before.evses if location.evse(evse.uid) is None]


def _removed(evse: Evse) -> Evse:
    return replace(evse, status=EvseStatus.REMOVED)


def _able(evse: Evse) -> Evse:
    return evse if evse.capabilities else replace(evse, capabilities=OF_A_STATION)


def _check(location: Location) -> None:
    seen: set[str] = set()
    for number, evse in enumerate(location.evses):
        if evse.uid.upper() in seen:
            raise Invalid(f"two EVSEs have the uid {evse.uid}", field=f"evses[{number}].uid")
        seen.add(evse.uid.upper())
        # A removed EVSE may lose its evse_id, every other one is billed by it.
        if location.publish and evse.evse_id is None and evse.status is not EvseStatus.REMOVED:
            raise Invalid(
                f"EVSE {evse.uid} needs an evse_id to be published", field=f"evses[{number}].evse_id"
            )
        connectors = [connector.id.upper() for connector in evse.connectors]
        if len(set(connectors)) != len(connectors):
            raise Invalid(
                f"two connectors of EVSE {evse.uid} have the same id", field=f"evses[{number}].connectors"
            )
