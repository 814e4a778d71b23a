"""Sessions as SENDER: each partner sees those of its own drivers (OCPI 2.2.1 mod_sessions)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.charging.preferences import capable, judge
from app.domain.parties import Party, Role
from app.store import sessions
from app.store.paging import Page, Window
from ocpi.errors import InvalidParameterError, NotFoundError
from ocpi.mapping.rendering import render
from ocpi.mapping.sessions import session_body
from ocpi.modules import ModuleId
from ocpi.server.calling import Call, Operation, Reply
from ocpi.server.listing import listed
from ocpi.wire import sessions as wire


async def list_sessions(call: Call) -> Reply:
    """The sessions of the caller's drivers; `date_from` may be missing although it is called required."""
    owners = call.partner.parties_as(Role.EMSP)
    ours = call.context.ours

    async def select(session: AsyncSession, window: Window) -> Page:
        return await sessions.page(session, window, owners)

    async def load(session: AsyncSession, ids: Sequence[str]) -> dict[str, tuple[datetime, bytes]]:
        found = await sessions.bodies(session, ids)
        return {id_: (each.last_updated, render(session_body(each, ours))) for id_, each in found.items()}

    return await listed(call, ModuleId.SESSIONS, select, load, audience=owners)


async def put_preferences(call: Call, session_id: str) -> Reply:
    """What a driver prefers for a running session; an EVSE that takes no preferences has no such interface."""
    wanted = wire.ChargingPreferences.read(call.body())
    async with call.context.store.reading() as session:
        found = await sessions.get(session, session_id)
        snapshot = await sessions.snapshot_of(session, session_id)
    owners = call.partner.parties_as(Role.EMSP)
    own = found is not None and Party(found.token.country_code, found.token.party_id).folded() in owners
    if found is None or not own or not found.published:
        raise NotFoundError("there is no such session")
    place = snapshot.place if snapshot is not None else None
    if not capable(place.evse if place is not None else None):
        raise InvalidParameterError("this EVSE takes no charging preferences", http_status=404)
    return call.reply(str(judge(found, wanted.profile_type)))


OPERATIONS = [
    Operation(
        method="GET",
        path="",
        handler=list_sessions,
        summary="Sessions of your drivers",
        data=wire.Session,
        many=True,
    ),
    Operation(
        method="PUT",
        path="/{session_id}/charging_preferences",
        handler=put_preferences,
        summary="What a driver prefers; `data` is a ChargingPreferencesResponse",
        body=wire.ChargingPreferences,
    ),
]
