"""What partners were told in a period, counted by driver's party."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.cdrs import ChargeDetailRecord
from app.domain.parties import Party
from app.outbox.tables import DeliveryRow
from app.store.cdrs import CdrRow
from app.store.sessions import SessionRow


async def sessions_told(
    session: AsyncSession, partner_ids: Collection[str], start: datetime, end: datetime
) -> list[tuple[Party, int]]:
    """Of how many sessions these partners were first to be told in [start, end), and were."""
    party = (col(SessionRow.country_code), col(SessionRow.party_id))
    found = await session.execute(
        select(*party, func.count())
        .join(DeliveryRow, col(DeliveryRow.object_id) == col(SessionRow.id))
        .where(
            col(DeliveryRow.kind) == "session",
            col(DeliveryRow.partner_id).in_(list(partner_ids)),
            col(DeliveryRow.confirmed).is_not(None),
            col(DeliveryRow.created_at) >= start,
            col(DeliveryRow.created_at) < end,
        )
        .group_by(*party)
    )
    return [(Party(country, party_id), many) for country, party_id, many in found]


async def records_told(
    session: AsyncSession, partner_ids: Collection[str], start: datetime, end: datetime
) -> list[ChargeDetailRecord]:
    """The records that these partners took in [start, end)."""
    found = await session.scalars(
        select(CdrRow)
        .join(DeliveryRow, col(DeliveryRow.object_id) == col(CdrRow.id))
        .where(
            col(DeliveryRow.kind) == "cdr",
            col(DeliveryRow.partner_id).in_(list(partner_ids)),
            col(DeliveryRow.confirmed).is_not(None),
            col(DeliveryRow.delivered_at) >= start,
            col(DeliveryRow.delivered_at) < end,
        )
    )
    return [row.doc for row in found]
