"""Session rows: the session partners follow, and the snapshot it was started with."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import BigInteger, Column, ColumnElement, Index, Text, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from app.domain.charging.state import StoredSession
from app.domain.parties import Party
from app.domain.sessions import ChargingSession, SessionStatus, Snapshot
from app.store.bulk.statements import Row, query, run, upsert
from app.store.database.columns import Document, UtcMicros, document, micros, moment
from app.store.paging import Page, Window
from app.store.paging import page as changed_since
from app.store.transactions import TransactionRow


class SessionRow(SQLModel, table=True):
    """One charging session; party columns are those of the token's eMSP, in upper case."""

    __tablename__ = "sessions"
    __table_args__ = (
        Index("ix_sessions_owner", "country_code", "party_id", "seq"),
        Index("ix_sessions_last_updated", "last_updated"),
        Index("ix_sessions_seq", "seq"),
        Index("ix_sessions_status", "status", "seq"),
    )

    id: str = Field(primary_key=True, sa_type=Text)
    ref: str | None = Field(default=None, unique=True, sa_type=Text)
    country_code: str = Field(sa_type=Text)
    party_id: str = Field(sa_type=Text)
    published: bool
    doc: ChargingSession = Field(sa_column=Column(Document(ChargingSession), nullable=False))
    snapshot: Snapshot = Field(sa_column=Column(Document(Snapshot), nullable=False))
    status: str = Field(sa_type=Text)
    seq: int = Field(sa_type=BigInteger)
    last_updated: datetime = Field(sa_type=UtcMicros)

    model_config = {"arbitrary_types_allowed": True}


COLUMNS = (
    "id", "ref", "country_code", "party_id", "published", "doc", "snapshot", "status", "seq", "last_updated"
)  # fmt: skip
UPSERT_SESSIONS = upsert(
    SessionRow,
    COLUMNS,
    ("id",),
    {
        "ref": "{new}.ref",
        "published": "{new}.published",
        "doc": "{new}.doc",
        "snapshot": "CASE WHEN {old}.ref IS NULL THEN {new}.snapshot ELSE {old}.snapshot END",
        "status": "{new}.status",
        "last_updated": "{greatest}({old}.last_updated + 1000, {new}.last_updated)",
    },
)
"""The creation number stays as first written, the snapshot as the transaction began; `last_updated` never goes back."""

SESSIONS_BY_ID = query("SELECT id, ref, doc, snapshot, last_updated FROM sessions WHERE id {any0}", "text")

_decode = msgspec.json.Decoder(ChargingSession).decode
_decode_snapshot = msgspec.json.Decoder(Snapshot).decode


def row(session: ChargingSession, snapshot: Snapshot, ref: str | None, now: datetime) -> Row:
    """The stored form, in the order of COLUMNS."""
    owner = Party(session.token.country_code, session.token.party_id).folded()
    stamp = micros(now)
    return (
        session.id, ref, owner.country_code, owner.party_id, session.published, document(session),
        document(snapshot), session.status.value, stamp, stamp,
    )  # fmt: skip


def from_batch(rows: Iterable[Row]) -> dict[str, StoredSession]:
    """Sessions by id, from the rows of SESSIONS_BY_ID."""
    return {
        id_: StoredSession(
            ref,
            msgspec.structs.replace(_decode(doc), last_updated=moment(updated)),
            _decode_snapshot(snapshot),
        )
        for id_, ref, doc, snapshot, updated in rows
    }


async def get(session: AsyncSession, session_id: str) -> ChargingSession | None:
    """The session with this id."""
    found = await session.get(SessionRow, session_id, populate_existing=True)
    return None if found is None else _value(found)


async def snapshot_of(session: AsyncSession, session_id: str) -> Snapshot | None:
    """What the session was started with."""
    found = await session.get(SessionRow, session_id, populate_existing=True)
    return None if found is None else found.snapshot


async def ref_of(session: AsyncSession, session_id: str) -> str | None:
    """The transaction of a session."""
    found = await session.get(SessionRow, session_id, populate_existing=True)
    return None if found is None else found.ref


async def save(
    session: AsyncSession, charging: ChargingSession, snapshot: Snapshot, ref: str | None, now: datetime
) -> None:
    """Creates or replaces a session; the snapshot of a stored one stays."""
    await run(session, UPSERT_SESSIONS, [row(charging, snapshot, ref, now)])


async def page(session: AsyncSession, window: Window, owners: Collection[Party] | None = None) -> Page:
    """Ids and versions; with `owners` only what these eMSPs may see."""
    filters: list[ColumnElement[bool]] = []
    if owners is not None:
        filters = [_of(owners), col(SessionRow.published).is_(True)]
    return await changed_since(session, SessionRow, window, filters)


async def bodies(session: AsyncSession, ids: Iterable[str]) -> dict[str, ChargingSession]:
    """The sessions with these ids."""
    found = await session.execute(select(SessionRow).where(col(SessionRow.id).in_(list(ids))))
    return {row.id: _value(row) for row in found.scalars()}


class Origin(NamedTuple):
    """Where a session comes from: its transaction and the station, as far as it has begun there."""

    ref: str | None
    station_id: str | None


async def origins(session: AsyncSession, ids: Iterable[str]) -> dict[str, Origin]:
    """The origins of these sessions."""
    wanted = (
        select(col(SessionRow.id), col(SessionRow.ref), col(TransactionRow.station_id))
        .join(TransactionRow, col(TransactionRow.ref) == col(SessionRow.ref), isouter=True)
        .where(col(SessionRow.id).in_(list(ids)))
    )
    return {row[0]: Origin(row[1], row[2]) for row in await session.execute(wanted)}


async def find(
    session: AsyncSession,
    *,
    status: SessionStatus | None = None,
    owners: Collection[Party] | None = None,
    station_id: str | None = None,
    date_from: datetime | None = None,
    date_to: datetime | None = None,
    limit: int,
    offset: int = 0,
) -> tuple[list[ChargingSession], int]:
    """Sessions newest first, those that no partner sees included, and how many there are in all.

    The dates bound the moment at which a session was made, [date_from, date_to).
    """
    filters: list[ColumnElement[bool]] = []
    if status is not None:
        filters.append(col(SessionRow.status) == status.value)
    if owners is not None:
        filters.append(_of(owners))
    if station_id is not None:
        here = select(col(TransactionRow.ref)).where(col(TransactionRow.station_id) == station_id)
        filters.append(col(SessionRow.ref).in_(here))
    if date_from is not None:
        filters.append(col(SessionRow.seq) >= micros(date_from))
    if date_to is not None:
        filters.append(col(SessionRow.seq) < micros(date_to))
    total = (await session.execute(select(func.count()).select_from(SessionRow).where(*filters))).scalar_one()
    newest_first = (col(SessionRow.seq).desc(), col(SessionRow.id).desc())
    wanted = select(SessionRow).where(*filters).order_by(*newest_first).limit(limit).offset(offset)
    return [_value(row) for row in (await session.execute(wanted)).scalars()], total


def _value(stored: SessionRow) -> ChargingSession:
    return msgspec.structs.replace(stored.doc, last_updated=stored.last_updated)


def _of(owners: Collection[Party]) -> ColumnElement[bool]:
    parties = tuple_(col(SessionRow.country_code), col(SessionRow.party_id))
    folded = [owner.folded() for owner in owners]
    return parties.in_([(owner.country_code, owner.party_id) for owner in folded])
