"""CDRs as SENDER: each partner sees the issued ones of its own drivers (OCPI 2.2.1 mod_cdrs)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.parties import Role
from app.store import cdrs
from app.store.paging import Page, Window
from ocpi.mapping.cdrs import cdr_body
from ocpi.mapping.rendering import render
from ocpi.modules import ModuleId
from ocpi.server.calling import Call, Operation, Reply
from ocpi.server.listing import listed
from ocpi.wire import cdrs as wire


async def list_cdrs(call: Call) -> Reply:
    """The issued records of the caller's drivers; held ones are invisible."""
    owners = call.partner.parties_as(Role.EMSP)

    async def select(session: AsyncSession, window: Window) -> Page:
        return await cdrs.page(session, window, owners)

    return await listed(call, ModuleId.CDRS, select, _load, audience=owners)


async def _load(session: AsyncSession, ids: Sequence[str]) -> dict[str, tuple[datetime, bytes]]:
    found = await cdrs.bodies(session, ids)
    return {id_: (each.last_updated, render(cdr_body(each))) for id_, each in found.items()}


OPERATIONS = [
    Operation(
        method="GET", path="", handler=list_cdrs, summary="CDRs of your drivers", data=wire.CDR, many=True
    )
]
