"""Putting objects on a partner's list, inside the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.events import Mark
from app.outbox.tables import UPSERT_DELIVERIES, DeliveryRow, delivery_row, keep
from app.store.bulk.statements import run


async def mark(session: AsyncSession, marks: Sequence[Mark], now: datetime) -> None:
    """The partners have to be told of these objects, from now on; an object marked twice is told once."""
    await keep(session, marks, (), now)


async def schedule(session: AsyncSession, marks: Sequence[tuple[Mark, datetime]]) -> None:
    """As `mark`, each object from its own time on: how a full push is spread over time.

    What comes later in time neither holds up nor waits for what was marked before it.
    """
    await run(session, UPSERT_DELIVERIES, [delivery_row(each, due) for each, due in marks])


async def forget_confirmed(session: AsyncSession, partner_id: str) -> None:
    """The partner may have lost what it was told: every object travels whole again."""
    await session.execute(
        update(DeliveryRow)
        .where(col(DeliveryRow.partner_id) == partner_id)
        .values(confirmed=None)
        .execution_options(synchronize_session=False)
    )
