"""Remote commands under way: rows that are sent at most once, and never after their deadline."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Index, Text, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from app.store.database.columns import UtcMicros
from app.store.nodes import lost


class CommandRow(SQLModel, table=True):
    """One call to a station, made by the process `node`. `late`: the answer that came after its end."""

    __tablename__ = "commands"
    __table_args__ = (
        Index("ix_commands_station_open", "station_id", "answered_at"),
        Index("ix_commands_open_deadline", "answered_at", "deadline"),
    )

    id: str = Field(primary_key=True, sa_type=Text)
    station_id: str = Field(sa_type=Text)
    action: str = Field(sa_type=Text)
    message_id: str = Field(sa_type=Text)
    payload: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UtcMicros)
    deadline: datetime = Field(sa_type=UtcMicros)
    sent_at: datetime | None = Field(default=None, sa_type=UtcMicros)
    answered_at: datetime | None = Field(default=None, sa_type=UtcMicros)
    outcome: str | None = Field(default=None, sa_type=Text)
    response: str | None = Field(default=None, sa_type=Text)
    origin: str = Field(sa_type=Text)
    node: int | None = Field(default=None, sa_type=BigInteger)
    late: str | None = Field(default=None, sa_type=Text)


class StoredCommand(NamedTuple):
    """A call to a station: `payload` and `response` are JSON text; `origin` says who wanted it."""

    id: str
    station_id: str
    action: str
    message_id: str
    payload: str
    created_at: datetime
    deadline: datetime
    origin: str
    sent_at: datetime | None = None
    answered_at: datetime | None = None
    outcome: str | None = None
    response: str | None = None
    node: int | None = None
    late: str | None = None


async def add(session: AsyncSession, command: StoredCommand) -> None:
    """A new command. Raises RowRefused where its id is taken."""
    session.add(CommandRow(**command._asdict()))
    await session.flush()


async def get(session: AsyncSession, command_id: str) -> StoredCommand | None:
    """The command with this id."""
    found = await session.get(CommandRow, command_id, populate_existing=True)
    return None if found is None else _value(found)


async def mark_sent(session: AsyncSession, command_id: str, now: datetime) -> bool:
    """Claims the one sending of a command; commit before writing to the station.

    False where it was sent or ended before, or its deadline has passed: then it must not be sent.
    """
    claimed = await session.execute(
        update(CommandRow)
        .where(
            col(CommandRow.id) == command_id,
            col(CommandRow.sent_at).is_(None),
            col(CommandRow.answered_at).is_(None),
            col(CommandRow.deadline) > now,
        )
        .values(sent_at=now)
        .returning(col(CommandRow.id))
        .execution_options(synchronize_session=False)
    )
    return claimed.scalar_one_or_none() is not None


async def finish(
    session: AsyncSession, command_id: str, now: datetime, *, outcome: str, response: str | None = None
) -> bool:
    """Records the one outcome of a command; False where it has one already."""
    ended = await session.execute(
        update(CommandRow)
        .where(col(CommandRow.id) == command_id, col(CommandRow.answered_at).is_(None))
        .values(answered_at=now, outcome=outcome, response=response)
        .returning(col(CommandRow.id))
        .execution_options(synchronize_session=False)
    )
    return ended.scalar_one_or_none() is not None


async def wanted_of(session: AsyncSession, node: int, now: datetime) -> list[StoredCommand]:
    """Calls that others want of stations at this process and that it has not sent, the oldest first."""
    wanted = (
        select(CommandRow)
        .where(
            col(CommandRow.answered_at).is_(None),
            col(CommandRow.deadline) > now,
            col(CommandRow.node) == node,
            col(CommandRow.sent_at).is_(None),
        )
        .order_by(col(CommandRow.created_at), col(CommandRow.id))
    )
    return [_value(row) for row in (await session.execute(wanted)).scalars()]


async def came_late(session: AsyncSession, command_id: str, outcome: str) -> None:
    """Keeps an answer that came after the end, for whoever made the call."""
    await session.execute(
        update(CommandRow)
        .where(col(CommandRow.id) == command_id)
        .values(late=outcome)
        .execution_options(synchronize_session=False)
    )


async def late_ones(session: AsyncSession, command_ids: Sequence[str]) -> dict[str, str]:
    """The late answers to these calls."""
    found = await session.execute(
        select(col(CommandRow.id), col(CommandRow.late)).where(
            col(CommandRow.id).in_(command_ids), col(CommandRow.late).is_not(None)
        )
    )
    return {id_: late for id_, late in found if late is not None}


async def give_up_lost(session: AsyncSession, now: datetime, *, outcome: str) -> None:
    """Calls of processes that are gone end: nobody hears their answers any more."""
    await session.execute(
        update(CommandRow)
        .where(col(CommandRow.answered_at).is_(None), lost(col(CommandRow.node)))
        .values(answered_at=now, outcome=outcome)
        .execution_options(synchronize_session=False)
    )


async def expired(session: AsyncSession, now: datetime, *, limit: int = 100) -> list[StoredCommand]:
    """Commands without an outcome whose deadline has passed, the oldest first."""
    wanted = (
        select(CommandRow)
        .where(col(CommandRow.answered_at).is_(None), col(CommandRow.deadline) <= now)
        .order_by(col(CommandRow.deadline), col(CommandRow.id))
        .limit(limit)
    )
    return [_value(row) for row in (await session.execute(wanted)).scalars()]


async def find(
    session: AsyncSession, *, station_id: str | None = None, limit: int, offset: int = 0
) -> tuple[list[StoredCommand], int]:
    """Commands newest first, and how many there are in all."""
    filters: list[ColumnElement[bool]] = []
    if station_id is not None:
        filters.append(col(CommandRow.station_id) == station_id)
    total = (await session.execute(select(func.count()).select_from(CommandRow).where(*filters))).scalar_one()
    newest_first = (col(CommandRow.created_at).desc(), col(CommandRow.id).desc())
    wanted = select(CommandRow).where(*filters).order_by(*newest_first).limit(limit).offset(offset)
    return [_value(row) for row in (await session.execute(wanted)).scalars()], total


def _value(row: CommandRow) -> StoredCommand:
    return StoredCommand(*(getattr(row, name) for name in StoredCommand._fields))
