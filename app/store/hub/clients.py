"""Parties behind the hub as rows: what others were told of them, who is gone included."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.store.bulk.statements import Row, run, upsert
from app.store.hub.objects import HubClientRow

_COLUMNS = tuple(HubClientRow.model_fields)
_UPSERT = upsert(
    HubClientRow,
    _COLUMNS,
    _COLUMNS[:1],
    {
        "partner_id": "{new}.partner_id",
        "status": "{new}.status",
        "last_updated": "{new}.last_updated",
    },
)


async def all_of_them(session: AsyncSession) -> Sequence[HubClientRow]:
    """Every party in every role, in the order of coming."""
    ordered = select(HubClientRow).order_by(col(HubClientRow.seq), col(HubClientRow.id))
    return (await session.scalars(ordered.execution_options(populate_existing=True))).all()


async def by_id(session: AsyncSession, ids: Iterable[str]) -> dict[str, HubClientRow]:
    """Some of them."""
    found = await session.scalars(
        select(HubClientRow)
        .where(col(HubClientRow.id).in_(list(ids)))
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in found}


async def put(session: AsyncSession, rows: Sequence[Row]) -> None:
    """Write them, in the order of the columns and stored form; whoever is known keeps its place in the list."""
    await run(session, _UPSERT, rows)
