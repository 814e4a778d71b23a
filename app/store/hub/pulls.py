"""Lists of partners that we read: when, what came of it, and what stopped it."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Text, delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from app.store.database.columns import UtcMicros


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


class Counts(NamedTuple):
    """What came of a reading; see PullRow."""

    entries: int
    kept: int
    skipped: int
    withdrawn: int = 0


async def every(session: AsyncSession, partner_id: str | None = None) -> Sequence[PullRow]:
    """All of them, or those of one partner, by partner and module."""
    ordered = select(PullRow).order_by(col(PullRow.partner_id), col(PullRow.module))
    if partner_id is not None:
        ordered = ordered.where(col(PullRow.partner_id) == partner_id)
    return (await session.scalars(ordered.execution_options(populate_existing=True))).all()


async def note(
    session: AsyncSession,
    partner_id: str,
    module: str,
    began: datetime,
    counts: Counts,
    *,
    whole: bool,
    error: str | None,
) -> None:
    """Keeps what came of a reading that began then; one that failed leaves the times of those before it."""
    row = await session.get(PullRow, (partner_id, module), populate_existing=True)
    row = row or PullRow(partner_id=partner_id, module=module, tried_at=began)
    row.tried_at, row.error = began, error
    row.pulled_at = began if error is None else row.pulled_at
    row.whole_at = began if error is None and whole else row.whole_at
    row.entries, row.kept, row.skipped, row.withdrawn = counts
    session.add(row)


async def forget(session: AsyncSession, partner_id: str) -> None:
    """No list of this platform was read."""
    await session.execute(delete(PullRow).where(col(PullRow.partner_id) == partner_id))
