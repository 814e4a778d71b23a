"""Node rows: the processes that share this database. What belongs to one that is gone is found by its missing row."""

from datetime import datetime

from sqlalchemy import Column, ColumnElement, Text, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped
from sqlmodel import Field, SQLModel, col

from app.store.bulk.statements import query
from app.store.database.columns import Serial, UtcMicros


class NodeRow(SQLModel, table=True):
    """One running process: what it does (`role`), and when it last said that it is alive."""

    __tablename__ = "nodes"

    number: int = Field(sa_column=Column("number", Serial, primary_key=True, autoincrement=True))
    role: str = Field(sa_type=Text)
    started_at: datetime = Field(sa_type=UtcMicros)
    heard_at: datetime = Field(sa_type=UtcMicros)


NEXT_NUMBER = "SELECT nextval(pg_get_serial_sequence('nodes', 'number'))"
"""A number for a new process (PostgreSQL): taken before its row is there, so that it can be locked first."""


AROUND = query(
    "SELECT last_value, (SELECT count(*) FROM nodes), (SELECT count(*) FROM nodes WHERE number {any0}) "
    "FROM nodes_number_seq",
    "bigint",
)
"""The newest number that was ever given out, how many processes there are, and how many of them are asked for
(PostgreSQL)."""


def lost(node: Mapped[int | None]) -> ColumnElement[bool]:
    """Whether what names this process belongs to nobody: the process has no row."""
    return or_(node.is_(None), node.not_in(select(col(NodeRow.number))))


async def join(session: AsyncSession, number: int, role: str, now: datetime) -> None:
    """A process begins, under a number that nobody has had before it."""
    session.add(NodeRow(number=number, role=role, started_at=now, heard_at=now))
    await session.flush()


async def heard(session: AsyncSession, number: int, now: datetime) -> bool:
    """The process lives; False where the others have given it up."""
    found = await session.execute(
        update(NodeRow)
        .where(col(NodeRow.number) == number)
        .values(heard_at=now)
        .returning(col(NodeRow.number))
        .execution_options(synchronize_session=False)
    )
    return found.scalar_one_or_none() is not None


async def leave(session: AsyncSession, number: int) -> bool:
    """The process is gone; False where that is known already."""
    gone = await session.execute(
        delete(NodeRow).where(col(NodeRow.number) == number).returning(col(NodeRow.number))
    )
    return gone.scalar_one_or_none() is not None


async def all_of(session: AsyncSession) -> list[NodeRow]:
    """Every process that is thought to be alive, the oldest first."""
    return list(await session.scalars(select(NodeRow).order_by(col(NodeRow.number))))
