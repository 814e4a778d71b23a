"""Tariffs as SENDER (OCPI 2.2.1 mod_tariffs)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.store import tariffs
from app.store.paging import Page, Window
from ocpi.mapping.rendering import render
from ocpi.mapping.tariffs import tariff_body
from ocpi.modules import ModuleId
from ocpi.server.calling import Call, Operation, Reply
from ocpi.server.listing import listed
from ocpi.wire import tariffs as wire


async def list_tariffs(call: Call) -> Reply:
    """All tariffs that are not withdrawn and meant for the caller."""
    hidden = call.context.registry.hidden_from(call.partner)

    async def select(session: AsyncSession, window: Window) -> Page:
        return await tariffs.page(session, window, without=hidden)

    return await listed(call, ModuleId.TARIFFS, select, _load, audience=hidden)


async def _load(session: AsyncSession, ids: Sequence[str]) -> dict[str, tuple[datetime, bytes]]:
    found = await tariffs.bodies(session, ids)
    return {id_: (each.last_updated, render(tariff_body(each))) for id_, each in found.items()}


OPERATIONS = [
    Operation(method="GET", path="", handler=list_tariffs, summary="Our tariffs", data=wire.Tariff, many=True)
]
