"""What foreign hubs, partners of our CPO, said of the parties behind them."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Index, Text, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from app.domain.parties import Party
from app.store.database.columns import UtcMicros


class ForeignClientRow(SQLModel, table=True):
    """A party in one role behind a hub, as the hub last told of it; `id` is the hub's, the party's and the role's."""

    __tablename__ = "foreign_clients"
    __table_args__ = (Index("ix_foreign_clients_party", "partner_id", "country_code", "party_id"),)

    id: str = Field(primary_key=True, sa_type=Text)
    partner_id: str = Field(sa_type=Text)
    country_code: str = Field(sa_type=Text)
    party_id: str = Field(sa_type=Text)
    role: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    last_updated: datetime = Field(sa_type=UtcMicros)


async def by_id(session: AsyncSession, ids: Iterable[str]) -> dict[str, ForeignClientRow]:
    """Some of them."""
    found = await session.scalars(
        select(ForeignClientRow)
        .where(col(ForeignClientRow.id).in_(list(ids)))
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in found}


async def of_party(session: AsyncSession, partner_id: str, party: Party) -> Sequence[ForeignClientRow]:
    """A party behind a hub in all of its roles, the one that changed last first."""
    found = await session.scalars(
        select(ForeignClientRow)
        .where(
            col(ForeignClientRow.partner_id) == partner_id,
            col(ForeignClientRow.country_code) == party.country_code.upper(),
            col(ForeignClientRow.party_id) == party.party_id.upper(),
        )
        .order_by(col(ForeignClientRow.last_updated).desc(), col(ForeignClientRow.role))
    )
    return found.all()


async def count(session: AsyncSession, partner_id: str) -> int:
    """How many a hub has told of."""
    rows = select(func.count()).select_from(ForeignClientRow)
    return int(
        (await session.execute(rows.where(col(ForeignClientRow.partner_id) == partner_id))).scalar_one()
    )
