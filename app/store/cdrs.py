"""Records of sessions: written once, never changed; only their state goes on."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace
from sqlalchemy import BigInteger, Column, ColumnElement, Index, Text, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from app.domain.cdrs import CdrState, ChargeDetailRecord, HoldReason
from app.domain.parties import Party
from app.store.bulk.statements import Row, insert, query, run, update
from app.store.database.columns import Document, UtcMicros, document, micros
from app.store.paging import Page, Window
from app.store.paging import page as changed_since

_STEP = timedelta(milliseconds=1)


class CdrRow(SQLModel, table=True):
    """One charge detail record; party columns are those of the token's eMSP, in upper case."""

    __tablename__ = "cdrs"
    __table_args__ = (
        Index("ix_cdrs_owner", "country_code", "party_id", "seq"),
        Index("ix_cdrs_state", "state", "seq"),
        Index("ix_cdrs_session_id", "session_id"),
        Index("ix_cdrs_last_updated", "last_updated"),
        Index("ix_cdrs_seq", "seq"),
    )

    id: str = Field(primary_key=True, sa_type=Text)
    session_id: str = Field(sa_type=Text)
    ref: str | None = Field(default=None, unique=True, sa_type=Text)
    country_code: str = Field(sa_type=Text)
    party_id: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    reason: str | None = Field(default=None, sa_type=Text)
    doc: ChargeDetailRecord = Field(sa_column=Column(Document(ChargeDetailRecord), nullable=False))
    seq: int = Field(sa_type=BigInteger)
    created_at: datetime = Field(sa_type=UtcMicros)
    last_updated: datetime = Field(sa_type=UtcMicros)
    decided_at: datetime | None = Field(default=None, sa_type=UtcMicros)
    note: str | None = Field(default=None, sa_type=Text)

    model_config = {"arbitrary_types_allowed": True}


class StoredCdr(NamedTuple):
    """A record, with the version under which it is listed, and what became of it."""

    record: ChargeDetailRecord
    ref: str | None
    state: CdrState
    reason: str | None
    created_at: datetime
    decided_at: datetime | None
    note: str | None


COLUMNS = (
    "id", "session_id", "ref", "country_code", "party_id", "state", "reason", "doc", "seq", "created_at",
    "last_updated",
)  # fmt: skip
INSERT_CDRS = insert(CdrRow, COLUMNS, ignore=("ref",))
"""One record per transaction: a second one for the same `ref` is passed over."""

SETTLE_CDRS = update(
    CdrRow,
    COLUMNS,
    ("id",),
    {name: "{new}." + name for name in ("state", "reason", "doc")}
    | {"last_updated": "{greatest}({old}.last_updated + 1000, {new}.last_updated)"},
    where="{old}.state = 'held'",
)
"""The true stop of a session that was closed without one: its held record is made anew. Nothing else changes."""

DECIDED_BY_OCPP_ID = query(
    "SELECT t.station_id, t.ocpp_id, c.state FROM transactions t JOIN cdrs c ON c.ref = t.ref "
    "WHERE (t.station_id, t.ocpp_id) {pairs} {for_share}",
    "text",
    "bigint",
)
"""What became of the records of these transactions. Nobody decides about them until the batch is committed."""

CDR_REFS = query("SELECT ref, id FROM cdrs WHERE ref {any0}", "text")


def row(
    record: ChargeDetailRecord, ref: str | None, state: CdrState, reason: HoldReason | None, now: datetime
) -> Row:
    """The stored form, in the order of COLUMNS."""
    owner = Party(record.token.country_code, record.token.party_id).folded()
    stamp = micros(now)
    return (
        record.id, record.session_id, ref, owner.country_code, owner.party_id, state.value,
        None if reason is None else reason.value, document(record), stamp, stamp, stamp,
    )  # fmt: skip


async def add(
    session: AsyncSession,
    record: ChargeDetailRecord,
    *,
    ref: str | None,
    state: CdrState,
    reason: HoldReason | None,
    now: datetime,
) -> None:
    """Stores a record; a second one for the same transaction is passed over."""
    await run(session, INSERT_CDRS, [row(record, ref, state, reason, now)])


async def get(session: AsyncSession, cdr_id: str, *, to_change: bool = False) -> StoredCdr | None:
    """The record with its state; `to_change` keeps others from changing it before this transaction ends."""
    found = await session.get(CdrRow, cdr_id, populate_existing=True, with_for_update=to_change or None)
    return None if found is None else _stored(found)


async def decide(
    session: AsyncSession,
    cdr_id: str,
    state: CdrState,
    now: datetime,
    *,
    note: str | None = None,
    corrected: ChargeDetailRecord | None = None,
) -> bool:
    """An operator's word on a held record: issue it (as corrected, if so) or discard it.

    False where it is not held (any more): what was issued never changes.
    """
    found = await session.get(CdrRow, cdr_id, populate_existing=True, with_for_update=True)
    if found is None or found.state != CdrState.HELD:
        return False
    stamp = max(now, found.last_updated + _STEP)
    found.state, found.decided_at, found.note, found.last_updated = state.value, now, note, stamp
    if corrected is not None:
        found.doc = corrected
    await session.flush()
    return True


async def page(session: AsyncSession, window: Window, owners: Collection[Party] | None = None) -> Page:
    """Ids and versions of issued records; with `owners` only those of these eMSPs."""
    filters: list[ColumnElement[bool]] = [col(CdrRow.state) == CdrState.ISSUED.value]
    if owners is not None:
        filters.append(_of(owners))
    return await changed_since(session, CdrRow, window, filters)


async def bodies(session: AsyncSession, ids: Iterable[str]) -> dict[str, ChargeDetailRecord]:
    """The records with these ids."""
    found = await session.execute(select(CdrRow).where(col(CdrRow.id).in_(list(ids))))
    return {row.id: _stored(row).record for row in found.scalars()}


async def find(
    session: AsyncSession,
    *,
    state: CdrState | None = None,
    owners: Collection[Party] | None = None,
    session_id: str | None = None,
    date_from: datetime | None = None,
    date_to: datetime | None = None,
    limit: int,
    offset: int = 0,
) -> tuple[list[StoredCdr], int]:
    """Records newest first, and how many there are in all; made in [date_from, date_to)."""
    filters: list[ColumnElement[bool]] = []
    if state is not None:
        filters.append(col(CdrRow.state) == state.value)
    if owners is not None:
        filters.append(_of(owners))
    if session_id is not None:
        filters.append(col(CdrRow.session_id) == session_id)
    if date_from is not None:
        filters.append(col(CdrRow.created_at) >= date_from)
    if date_to is not None:
        filters.append(col(CdrRow.created_at) < date_to)
    total = (await session.execute(select(func.count()).select_from(CdrRow).where(*filters))).scalar_one()
    newest_first = (col(CdrRow.seq).desc(), col(CdrRow.id).desc())
    wanted = select(CdrRow).where(*filters).order_by(*newest_first).limit(limit).offset(offset)
    return [_stored(row) for row in (await session.execute(wanted)).scalars()], total


async def of_session(session: AsyncSession, session_id: str) -> list[StoredCdr]:
    """The records of a session, in the order of their making: the first, credits, corrected ones."""
    wanted = (
        select(CdrRow)
        .where(col(CdrRow.session_id) == session_id)
        .order_by(col(CdrRow.seq), col(CdrRow.id))
        .limit(100)
    )
    return [_stored(row) for row in (await session.execute(wanted)).scalars()]


async def issued_within(
    session: AsyncSession,
    begin: datetime,
    end: datetime,
    *,
    owners: Collection[Party] | None = None,
    limit: int,
    offset: int = 0,
) -> list[StoredCdr]:
    """Records that were issued in [begin, end), by eMSP and then in the order of their making.

    One that was held counts when it was released, so that a month that is over never changes.
    """
    issued_at = func.coalesce(col(CdrRow.decided_at), col(CdrRow.created_at), type_=UtcMicros)
    filters = [col(CdrRow.state) == CdrState.ISSUED.value, issued_at >= begin, issued_at < end]
    if owners is not None:
        filters.append(_of(owners))
    order = (CdrRow.country_code, CdrRow.party_id, CdrRow.seq, CdrRow.id)
    wanted = select(CdrRow).where(*filters).order_by(*map(col, order)).limit(limit).offset(offset)
    return [_stored(row) for row in (await session.execute(wanted)).scalars()]


def _stored(row: CdrRow) -> StoredCdr:
    return StoredCdr(
        record=replace(row.doc, last_updated=row.last_updated),
        ref=row.ref,
        state=CdrState(row.state),
        reason=row.reason,
        created_at=row.created_at,
        decided_at=row.decided_at,
        note=row.note,
    )


def _of(owners: Collection[Party]) -> ColumnElement[bool]:
    parties = tuple_(col(CdrRow.country_code), col(CdrRow.party_id))
    folded = [owner.folded() for owner in owners]
    return parties.in_([(owner.country_code, owner.party_id) for owner in folded])
