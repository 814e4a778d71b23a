"""Locations as SENDER: the list, and single Locations, EVSEs and Connectors (OCPI 2.2.1 mod_locations)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.audiences import location_for
from app.domain.locations import Location
from app.store import locations
from ocpi.errors import NotFoundError
from ocpi.mapping.locations import connector_body, evse_body, location_body
from ocpi.mapping.rendering import render
from ocpi.modules import ModuleId
from ocpi.server.calling import Call, Operation, Reply
from ocpi.server.listing import listed
from ocpi.wire import locations as wire


async def list_locations(call: Call) -> Reply:
    """All locations that may roam, `publish` as the operator gave it."""
    prices = call.partner.prices

    async def load(session: AsyncSession, ids: Sequence[str]) -> dict[str, tuple[datetime, bytes]]:
        found = await locations.bodies(session, ids)
        return {
            id_: (each.last_updated, render(location_body(location_for(prices, each))))
            for id_, each in found.items()
        }

    return await listed(call, ModuleId.LOCATIONS, locations.page, load, audience=call.partner.audience)


async def get_location(call: Call, location_id: str) -> Reply:
    """One location with its EVSEs."""
    return call.reply(location_body(await _location(call, location_id)))


async def get_evse(call: Call, location_id: str, evse_uid: str) -> Reply:
    """One EVSE with its connectors."""
    evse = (await _location(call, location_id)).evse(evse_uid)
    if evse is None:
        raise NotFoundError("there is no such EVSE")
    return call.reply(evse_body(evse))


async def get_connector(call: Call, location_id: str, evse_uid: str, connector_id: str) -> Reply:
    """One connector."""
    evse = (await _location(call, location_id)).evse(evse_uid)
    connector = None if evse is None else evse.connector(connector_id)
    if connector is None:
        raise NotFoundError("there is no such connector")
    return call.reply(connector_body(connector))


async def _location(call: Call, location_id: str) -> Location:
    await call.context.store.pass_gate()
    async with call.context.store.reading() as session:
        location = await locations.get(session, location_id)
    if location is None or not location.roaming:
        raise NotFoundError("there is no such location")
    return location_for(call.partner.prices, location)


OPERATIONS = [
    Operation(
        method="GET",
        path="",
        handler=list_locations,
        summary="Our locations",
        data=wire.Location,
        many=True,
    ),
    Operation(
        method="GET",
        path="/{location_id}",
        handler=get_location,
        summary="One location",
        data=wire.Location,
    ),
    Operation(
        method="GET",
        path="/{location_id}/{evse_uid}",
        handler=get_evse,
        summary="One EVSE",
        data=wire.EVSE,
    ),
    Operation(
        method="GET",
        path="/{location_id}/{evse_uid}/{connector_id}",
        handler=get_connector,
        summary="One connector",
        data=wire.Connector,
    ),
]
