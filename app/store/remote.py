"""Rows of remote commands: what was asked, until when it must end, how it ended; and results on their way."""

from datetime import datetime

from sqlalchemy import Column, Index, Text, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from app.domain.remote import CommandResult, RemoteCommand, Told
from app.store.database.columns import Document, UtcMicros


class RemoteCommandRow(SQLModel, table=True):
    """One command. `result` is the one that was told; `late` what the station said after a TIMEOUT.

    `start_due_at`: until then a transaction must have followed a start that was agreed to.
    """

    __tablename__ = "remote_commands"
    __table_args__ = (
        Index("ix_remote_commands_due", "result", "due_at"),
        Index("ix_remote_commands_start_due", "start_due_at"),
    )

    id: str = Field(primary_key=True, sa_type=Text)
    station_id: str = Field(sa_type=Text)
    doc: RemoteCommand = Field(sa_column=Column(Document(RemoteCommand), nullable=False))
    result: str | None = Field(default=None, sa_type=Text)
    late: str | None = Field(default=None, sa_type=Text)
    due_at: datetime = Field(sa_type=UtcMicros)
    start_due_at: datetime | None = Field(default=None, sa_type=UtcMicros)
    created_at: datetime = Field(sa_type=UtcMicros)
    ended_at: datetime | None = Field(default=None, sa_type=UtcMicros)

    model_config = {"arbitrary_types_allowed": True}


class ToldRow(SQLModel, table=True):
    """A result that a partner is told, or was."""

    __tablename__ = "command_results"

    id: str = Field(primary_key=True, sa_type=Text)
    doc: Told = Field(sa_column=Column(Document(Told), nullable=False))
    created_at: datetime = Field(sa_type=UtcMicros)

    model_config = {"arbitrary_types_allowed": True}


async def add(session: AsyncSession, command: RemoteCommand) -> None:
    """A new command."""
    session.add(
        RemoteCommandRow(
            id=command.id,
            station_id=command.station_id,
            doc=command,
            due_at=command.due_at,
            created_at=command.created_at,
        )
    )
    await session.flush()


async def end(session: AsyncSession, command_id: str, result: CommandResult, now: datetime) -> bool:
    """Records the one result of a command; False where it has one already."""
    ended = await session.execute(
        update(RemoteCommandRow)
        .where(col(RemoteCommandRow.id) == command_id, col(RemoteCommandRow.result).is_(None))
        .values(result=result.value, ended_at=now)
        .returning(col(RemoteCommandRow.id))
        .execution_options(synchronize_session=False)
    )
    return ended.scalar_one_or_none() is not None


async def came_late(session: AsyncSession, command_id: str, result: CommandResult) -> None:
    """Notes what the station said when nobody waited for it any more."""
    await _change(session, command_id, late=result.value)


async def await_start(session: AsyncSession, command_id: str, until: datetime | None) -> None:
    """Until when a transaction must follow; None: no longer awaited."""
    await _change(session, command_id, start_due_at=until)


async def overdue(session: AsyncSession, now: datetime, *, limit: int = 100) -> list[RemoteCommand]:
    """Commands without a result whose time is over, the oldest first."""
    wanted = (
        select(RemoteCommandRow)
        .where(col(RemoteCommandRow.result).is_(None), col(RemoteCommandRow.due_at) <= now)
        .order_by(col(RemoteCommandRow.due_at))
        .limit(limit)
    )
    return [row.doc for row in (await session.execute(wanted)).scalars()]


async def starts_overdue(session: AsyncSession, now: datetime, *, limit: int = 100) -> list[RemoteCommand]:
    """Commands whose start was awaited long enough, the oldest first."""
    wanted = (
        select(RemoteCommandRow)
        .where(col(RemoteCommandRow.start_due_at) <= now)
        .order_by(col(RemoteCommandRow.start_due_at))
        .limit(limit)
    )
    return [row.doc for row in (await session.execute(wanted)).scalars()]


async def tell(session: AsyncSession, told: Told) -> None:
    """A result to be POSTed; its delivery is announced by the caller."""
    session.add(ToldRow(id=told.id, doc=told, created_at=told.created_at))
    await session.flush()


async def told(session: AsyncSession, ids: list[str]) -> dict[str, Told]:
    """Results by id."""
    found = await session.execute(select(ToldRow).where(col(ToldRow.id).in_(ids)))
    return {row.id: row.doc for row in found.scalars()}


async def _change(session: AsyncSession, command_id: str, **values: object) -> None:
    await session.execute(
        update(RemoteCommandRow)
        .where(col(RemoteCommandRow.id) == command_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
