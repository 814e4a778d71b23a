"""OCPI traffic in both directions, as kept for the operator: masked before it comes here."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Index,
    Select,
    Text,
    TextClause,
    and_,
    case,
    delete,
    func,
    or_,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from app.store.bulk.statements import insert, run
from app.store.database.columns import UtcMicros, identity, micros

_ABOUT = TextClause("subject IS NOT NULL")


ROUTED_AMONG = 10_000
"""Among so many of the newest messages routed ones are looked for."""


class MessageRow(SQLModel, table=True):
    """One request with its answer."""

    __tablename__ = "messages"
    __table_args__ = (
        Index("ix_messages_partner", "partner_id", "id"),
        Index("ix_messages_correlation", "correlation_id"),
        Index("ix_messages_at", "at"),
        Index("ix_messages_subject", "subject", postgresql_where=_ABOUT, sqlite_where=_ABOUT),
    )

    id: int | None = Field(default=None, sa_column=identity())
    at: datetime = Field(sa_type=UtcMicros)
    partner_id: str | None = Field(default=None, sa_type=Text)
    direction: str = Field(sa_type=Text)
    method: str = Field(sa_type=Text)
    url: str = Field(sa_type=Text)
    request_id: str = Field(sa_type=Text)
    correlation_id: str = Field(sa_type=Text)
    http_status: int | None = Field(default=None, sa_type=BigInteger)
    ocpi_status: int | None = Field(default=None, sa_type=BigInteger)
    duration_ms: int | None = Field(default=None, sa_type=BigInteger)
    request: str | None = Field(default=None, sa_type=Text)
    response: str | None = Field(default=None, sa_type=Text)
    routed: str | None = Field(default=None, sa_type=Text)
    subject: str | None = Field(default=None, sa_type=Text)


class Message(NamedTuple):
    """One OCPI request with its answer; `direction` is `in` or `out`, bodies are text.

    `routed`: why the hub passed it on, and to whom. `subject`: what it is about, where we asked: `session/<id>`,
    `cdr/<id>`, `authorize/<uid>`.
    """

    at: datetime
    partner_id: str | None
    direction: str
    method: str
    url: str
    request_id: str
    correlation_id: str
    http_status: int | None = None
    ocpi_status: int | None = None
    duration_ms: int | None = None
    request: str | None = None
    response: str | None = None
    routed: str | None = None
    subject: str | None = None


INSERT_MESSAGES = insert(MessageRow, Message._fields)


async def add(session: AsyncSession, kept: Sequence[Message]) -> None:
    """Keeps messages. A NUL in a body is written as the picture of one: no database would take it."""
    await run(session, INSERT_MESSAGES, [_row(message) for message in kept])


async def find(
    session: AsyncSession,
    *,
    partner_id: str | None = None,
    correlation_id: str | None = None,
    subject: str | None = None,
    routed: bool = False,
    limit: int,
    offset: int = 0,
    counted: bool = True,
) -> tuple[list[Message], int | None]:
    """Messages newest first, and how many there are in all; None where that is not to be `counted`.

    `routed`: those that the hub passed on or answered, among the newest ROUTED_AMONG of everybody.
    """
    filters: list[ColumnElement[bool]] = []
    if partner_id is not None:
        filters.append(col(MessageRow.partner_id) == partner_id)
    if correlation_id is not None:
        filters.append(col(MessageRow.correlation_id) == correlation_id)
    if subject is not None:
        filters.append(col(MessageRow.subject) == subject)
    if routed:
        newest = select(func.coalesce(func.max(col(MessageRow.id)), 0)).scalar_subquery()
        filters += [col(MessageRow.id) > newest - ROUTED_AMONG, col(MessageRow.routed).is_not(None)]
    total = None
    if counted:
        number = select(func.count()).select_from(MessageRow).where(*filters)
        total = (await session.execute(number)).scalar_one()
    newest_first = col(MessageRow.id).desc()
    wanted = select(MessageRow).where(*filters).order_by(newest_first).limit(limit).offset(offset)
    rows = (await session.execute(wanted)).scalars()
    return [Message(*(getattr(row, name) for name in Message._fields)) for row in rows], total


class Tally(NamedTuple):
    """Of the newest requests with a partner: how many, and how many of them came to nothing."""

    requests: int
    failed: int


async def tallies(session: AsyncSession, partner_ids: Sequence[str], newest: int) -> dict[str, Tally]:
    """Both directions, at most `newest` of each partner; partners without any are left out."""
    if not partner_ids:
        return {}
    parts = [_newest_of(each, newest) for each in partner_ids]
    looked = union_all(*parts).subquery() if len(parts) > 1 else parts[0].subquery()
    failed = func.sum(case((looked.c.failed, 1), else_=0))
    wanted = select(looked.c.partner_id, func.count(), failed).group_by(looked.c.partner_id)
    return {who: Tally(count, int(bad)) for who, count, bad in (await session.execute(wanted)).all()}


def _newest_of(partner_id: str, newest: int) -> Select[tuple[str | None, bool]]:
    http, ocpi = col(MessageRow.http_status), col(MessageRow.ocpi_status)
    failed = or_(http.is_(None), http >= 400, and_(ocpi.is_not(None), ocpi >= 2000))
    latest = (
        select(col(MessageRow.partner_id), failed.label("failed"))
        .where(col(MessageRow.partner_id) == partner_id)
        .order_by(col(MessageRow.id).desc())
        .limit(newest)
        .subquery()
    )
    return select(latest.c.partner_id, latest.c.failed)


async def about(
    session: AsyncSession,
    subjects: Collection[str],
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int,
) -> list[Message]:
    """Requests of ours about any of these, oldest first; sent in [since, until]."""
    filters: list[ColumnElement[bool]] = [col(MessageRow.subject).in_(list(subjects))]
    if since is not None:
        filters.append(col(MessageRow.at) >= since)
    if until is not None:
        filters.append(col(MessageRow.at) <= until)
    wanted = select(MessageRow).where(*filters).order_by(col(MessageRow.id)).limit(limit)
    rows = (await session.execute(wanted)).scalars()
    return [Message(*(getattr(row, name) for name in Message._fields)) for row in rows]


async def forget_before(session: AsyncSession, at: datetime) -> int:
    """Deletes messages older than `at` and says how many."""
    gone = await session.execute(
        delete(MessageRow).where(col(MessageRow.at) < at).returning(col(MessageRow.id))
    )
    return len(gone.all())


def _row(message: Message) -> tuple[str | int | None, ...]:
    plain = (_storable(value) if isinstance(value, str) else value for value in message[1:])
    return (micros(message.at), *plain)


def _storable(text: str) -> str:
    return text.replace("\0", "\u2400").encode(errors="replace").decode()
