"""Where a remote command leads: from the names that drivers' apps use to one station and its EVSE."""

from enum import StrEnum

import msgspec

from app.domain.locations import Evse, Location
from app.domain.remote import CommandReply
from app.domain.stations import Admission, ChargingStation, ConnectorLink
from app.domain.status import EvseStatus
from app.store import locations, stations, transactions
from app.store.database.engine import Store

_MOST = 1000
_CONNECTOR_REQUIRED = "START_SESSION_CONNECTOR_REQUIRED"


class Wrong(StrEnum):
    """What is wrong with a command itself, where more than its refusal has to be told."""

    LOCATION = "location"
    PARAMETER = "parameter"


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a command at once; `seconds` is how long its result may take."""

    result: CommandReply
    message: str | None = None
    wrong: Wrong | None = None
    command_id: str | None = None
    seconds: int = 0


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """A station of ours and one of its EVSEs; `evse` None: the station may choose. `busy`: a car charges there."""

    station_id: str
    location_id: str
    evse: int | None = None
    evse_uid: str | None = None
    busy: bool = False


def rejected(message: str, wrong: Wrong | None = None) -> Reply:
    """A refusal that says why."""
    return Reply(result=CommandReply.REJECTED, message=message, wrong=wrong)


async def spot(
    store: Store, location_id: str, evse_uid: str | None, connector_id: str | None
) -> Spot | Reply:
    """The station that is meant, or the answer where none can be."""
    async with store.reading() as session:
        location = await locations.get(session, location_id)
        if location is None or not location.roaming:
            return rejected("there is no such location", Wrong.LOCATION)
        found, _ = await stations.find(
            session, state=Admission.ACCEPTED, location_id=location.id, limit=_MOST
        )
        chosen = _chosen(location, [each.station for each in found], evse_uid, connector_id)
        if isinstance(chosen, Reply):
            return chosen
        station, link = chosen
        open_ones, _ = await transactions.find(session, station_id=station.id, active=True, limit=_MOST)
    taken = {each.evse for each in open_ones}
    wanted = {link.evse} if link is not None else {each.evse for each in station.connectors}
    return Spot(
        station_id=station.id,
        location_id=location.id,
        evse=link.evse if link is not None else None,
        evse_uid=link.evse_uid if link is not None else None,
        busy=bool(wanted) and wanted <= taken,
    )


def _chosen(
    location: Location, here: list[ChargingStation], evse_uid: str | None, connector_id: str | None
) -> tuple[ChargingStation, ConnectorLink | None] | Reply:
    if evse_uid is not None:
        return _at_evse(location, here, evse_uid, connector_id)
    if connector_id is not None:
        return rejected("connector_id without evse_uid says nothing", Wrong.PARAMETER)
    if len(here) > 1:
        return rejected("several stations stand here: evse_uid is needed", Wrong.PARAMETER)
    if not here:
        return Reply(result=CommandReply.NOT_SUPPORTED, message="no station is connected to this location")
    links = here[0].connectors
    return here[0], links[0] if len(links) == 1 else None


def _at_evse(
    location: Location, here: list[ChargingStation], evse_uid: str, connector_id: str | None
) -> tuple[ChargingStation, ConnectorLink] | Reply:
    evse = location.evse(evse_uid)
    if evse is None or evse.status is EvseStatus.REMOVED:
        return rejected("there is no such EVSE at this location", Wrong.LOCATION)
    if connector_id is None and _CONNECTOR_REQUIRED in evse.capabilities and len(evse.connectors) > 1:
        return rejected("this EVSE needs a connector_id", Wrong.PARAMETER)
    if connector_id is not None and evse.connector(connector_id) is None:
        return rejected("there is no such connector at this EVSE", Wrong.LOCATION)
    for station in here:
        for link in station.connectors:
            if _is(link, evse, connector_id):
                return station, link
    return Reply(result=CommandReply.NOT_SUPPORTED, message="no station is connected to this EVSE")


def _is(link: ConnectorLink, evse: Evse, connector_id: str | None) -> bool:
    return link.evse_uid.upper() == evse.uid.upper() and (
        connector_id is None or link.connector_id.upper() == connector_id.upper()
    )
