"""Lists of partners that we read: when, what came of it, and what stopped it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Text, delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from app.store.columns import UtcMicros


class PullRow(SQLModel, table=True):
    """The last reading of a list, and two before it: `pulled_at` is the beginning of the last one that came to its
    end, `whole_at` of the last one of the whole list.

    Of `entries` read, `kept` were new or newer than what was known and `skipped` were none of the partner's objects;
    `withdrawn` were known before and in the list no more.
    """

    __tablename__ = "hub_pulls"

    partner_id: str = Field(primary_key=True, sa_type=Text)
    module: str = Field(primary_key=True, sa_type=Text)
    tried_at: datetime = Field(sa_type=UtcMicros)
    pulled_at: datetime | None = Field(default=None, sa_type=UtcMicros)
    whole_at: datetime | None = Field(default=None, sa_type=UtcMicros)
    entries: int = 0
    kept: int = 0
    skipped: int = 0
    withdrawn: int = 0
    error: str | None = Field(default=None, sa_type=Text)


async def every(session: AsyncSession) -> Sequence[PullRow]:
    """All of them, by partner and module."""
    ordered = select(PullRow).order_by(col(PullRow.partner_id), col(PullRow.module))
    return (await session.scalars(ordered.execution_options(populate_existing=True))).all()


async def forget(session: AsyncSession, partner_id: str) -> None:
    """No list of this platform was read."""
    await session.execute(delete(PullRow).where(col(PullRow.partner_id) == partner_id))
