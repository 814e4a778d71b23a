"""Sessions as SENDER: each partner sees those of its own drivers (OCPI 2.2.1 mod_sessions)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.parties import Role
from app.store import sessions
from app.store.paging import Page, Window
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


OPERATIONS = [
    Operation(
        method="GET",
        path="",
        handler=list_sessions,
        summary="Sessions of your drivers",
        data=wire.Session,
        many=True,
    )
]
