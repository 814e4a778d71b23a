"""Transaction rows with their samples: what stations metered, kept whole."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

import msgspec
from sqlalchemy import BigInteger, Column, ColumnElement, Index, Text, UniqueConstraint, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from app.domain.metering import Reading
from app.domain.sessions import ChargingSession, Snapshot
from app.domain.transactions import Flag, StartAnswer, Transaction
from app.store.bulk.statements import Row, insert, query, run, upsert
from app.store.database.columns import (
    Document,
    Exact,
    UtcMicros,
    document,
    exact,
    identity,
    micros,
    micros_or_none,
    moment,
)
from app.store.stations import StationRow


class TransactionRow(SQLModel, table=True):
    """One transaction: searchable columns, and in `state` all that is needed to go on after a restart."""

    __tablename__ = "transactions"
    __table_args__ = (
        UniqueConstraint("station_id", "start_key", name="uq_transactions_start_key"),
        UniqueConstraint("station_id", "ocpp_id", name="uq_transactions_ocpp_id"),
        Index("ix_transactions_station_active", "station_id", "active"),
        Index("ix_transactions_active_started_at", "active", "started_at"),
        Index("ix_transactions_received_at", "received_at"),
        Index("ix_transactions_stopped_at", "stopped_at"),
    )

    ref: str = Field(primary_key=True, sa_type=Text)
    station_id: str = Field(sa_type=Text)
    start_key: str = Field(sa_type=Text)
    ocpp_id: int | None = Field(default=None, sa_type=BigInteger)
    id_tag: str | None = Field(default=None, sa_type=Text)
    evse: int = Field(sa_type=BigInteger)
    connector: int = Field(sa_type=BigInteger)
    started_at: datetime | None = Field(default=None, sa_type=UtcMicros)
    stopped_at: datetime | None = Field(default=None, sa_type=UtcMicros)
    received_at: datetime = Field(sa_type=UtcMicros)
    meter_start: Decimal | None = Field(default=None, sa_type=Exact)
    meter_stop: Decimal | None = Field(default=None, sa_type=Exact)
    stop_reason: str | None = Field(default=None, sa_type=Text)
    energy_wh: Decimal | None = Field(default=None, sa_type=Exact)
    session_id: str | None = Field(default=None, sa_type=Text)
    flags: list[str] = Field(sa_column=Column(Document(list[str]), nullable=False))
    active: bool
    state: Transaction = Field(sa_column=Column(Document(Transaction), nullable=False))
    answer: StartAnswer | None = Field(default=None, sa_column=Column(Document(StartAnswer)))
    last_updated: datetime = Field(sa_type=UtcMicros)

    model_config = {"arbitrary_types_allowed": True}


class SampleRow(SQLModel, table=True):
    """What a station metered at one moment: `doc` as received (JSON), `reading` as understood."""

    __tablename__ = "samples"
    __table_args__ = (Index("ix_samples_ref", "ref"),)

    id: int | None = Field(default=None, sa_column=identity())
    station_id: str = Field(sa_type=Text)
    evse: int = Field(sa_type=BigInteger)
    connector: int = Field(sa_type=BigInteger)
    ref: str | None = Field(default=None, sa_type=Text)
    at: datetime = Field(sa_type=UtcMicros)
    received_at: datetime = Field(sa_type=UtcMicros)
    doc: str = Field(sa_type=Text)
    reading: Reading = Field(sa_column=Column(Document(Reading), nullable=False))

    model_config = {"arbitrary_types_allowed": True}


class StoredSample(NamedTuple):
    """One sample: `document` is JSON text as received, `reading` what it says in Wh, kW and A."""

    at: datetime
    received_at: datetime
    document: str
    reading: Reading


class Resumed(NamedTuple):
    """A stored transaction with its samples as they came; session and snapshot where it has a session."""

    transaction: Transaction
    session: ChargingSession | None
    snapshot: Snapshot | None
    samples: list[StoredSample]


COLUMNS = (
    "ref", "station_id", "start_key", "ocpp_id", "id_tag", "evse", "connector", "started_at", "stopped_at",
    "received_at", "meter_start", "meter_stop", "stop_reason", "energy_wh", "session_id", "flags", "active",
    "state", "answer", "last_updated",
)  # fmt: skip
UPSERT_TRANSACTIONS = upsert(TransactionRow, COLUMNS, ("ref",), COLUMNS[3:])
"""A second start with a known (station, start_key) under another `ref` is refused, not merged."""

SAMPLE_COLUMNS = ("station_id", "evse", "connector", "ref", "at", "received_at", "doc", "reading")
INSERT_SAMPLES = insert(SampleRow, SAMPLE_COLUMNS)

_RESUMED = (
    "SELECT t.ref, t.state, s.doc, s.snapshot, s.last_updated "
    "FROM transactions t LEFT JOIN sessions s ON s.id = t.session_id WHERE "
)
OPEN_TRANSACTIONS = query(_RESUMED + "t.station_id {any0} AND t.active", "text")
STARTED_BY_KEY = query("SELECT state FROM transactions WHERE (station_id, start_key) {pairs}", "text", "text")
STOPPED_AT = query("SELECT state FROM transactions WHERE (stopped_at, station_id) {pairs}", "bigint", "text")
"""Transactions alone, for `alone`: what is repeated needs no more."""

TRANSACTIONS_BY_OCPP_ID = query(_RESUMED + "(t.station_id, t.ocpp_id) {pairs}", "text", "bigint")
TRANSACTIONS_BY_REF = query(_RESUMED + "t.ref {any0}", "text")
"""All three give the same columns, for `resumed`."""

SAMPLES_BY_REF = query(
    "SELECT ref, at, received_at, doc, reading FROM samples WHERE ref {any0} ORDER BY ref, id", "text"
)
"""As they came, not by their time: what came late was judged by what had come before it."""

_decode = msgspec.json.Decoder(Transaction).decode
_decode_reading = msgspec.json.Decoder(Reading).decode
_decode_session = msgspec.json.Decoder(ChargingSession).decode
_decode_snapshot = msgspec.json.Decoder(Snapshot).decode


def resumed(rows: Iterable[Row], samples: Iterable[Row]) -> list[Resumed]:
    """Transactions from the rows of one of the look-ups and of SAMPLES_BY_REF for their refs."""
    of_ref: dict[str, list[StoredSample]] = {}
    for ref, at, received_at, doc, reading in samples:
        sample = StoredSample(moment(at), moment(received_at), doc, _decode_reading(reading))
        of_ref.setdefault(ref, []).append(sample)
    return [
        Resumed(_decode(state), *_session_of(session, snapshot, version), of_ref.get(ref, []))
        for ref, state, session, snapshot, version in rows
    ]


def _session_of(
    session: str | None, snapshot: str | None, version: int | None
) -> tuple[ChargingSession | None, Snapshot | None]:
    if session is None or snapshot is None or version is None:
        return None, None
    value = msgspec.structs.replace(_decode_session(session), last_updated=moment(version))
    return value, _decode_snapshot(snapshot)


def alone(rows: Iterable[Row]) -> list[Transaction]:
    """Transactions from the rows of STARTED_BY_KEY or STOPPED_AT."""
    return [_decode(state) for (state,) in rows]


def row(transaction: Transaction, now: datetime) -> Row:
    """The stored form, in the order of COLUMNS."""
    t = transaction
    return (
        t.ref, t.station_id, t.start_key, _number(t), t.id_tag, t.evse, t.connector, micros_or_none(t.started_at),
        micros_or_none(t.stopped_at), micros(t.received_at), _text(t.meter_start), _text(t.meter_stop),
        t.stop_reason, _text(t.energy_wh), t.session_id, document(t.flags), t.active, document(t),
        None if t.answer is None else document(t.answer), micros(now),
    )  # fmt: skip


def sample_row(
    station_id: str,
    evse: int,
    connector: int,
    *,
    ref: str | None,
    at: datetime,
    received: int,
    doc: str,
    reading: Reading,
) -> Row:
    """The stored form, in the order of SAMPLE_COLUMNS; `received` in micros, `doc` is JSON as received."""
    return (station_id, evse, connector, ref, micros(at), received, doc, document(reading))


async def save(session: AsyncSession, transaction: Transaction, now: datetime) -> None:
    """Creates or replaces a transaction. Raises RowRefused where its start is known under another `ref`."""
    await run(session, UPSERT_TRANSACTIONS, [row(transaction, now)])


async def get(session: AsyncSession, ref: str) -> Transaction | None:
    """The transaction with this name of ours."""
    found = await session.get(TransactionRow, ref, populate_existing=True)
    return None if found is None else found.state


async def find(
    session: AsyncSession,
    *,
    station_id: str | None = None,
    id_tag: str | None = None,
    active: bool | None = None,
    limit: int,
    offset: int = 0,
) -> tuple[list[Transaction], int]:
    """Transactions newest first (by the time we heard of them), and how many there are in all."""
    filters: list[ColumnElement[bool]] = []
    if station_id is not None:
        filters.append(col(TransactionRow.station_id) == station_id)
    if id_tag is not None:
        filters.append(col(TransactionRow.id_tag) == id_tag)
    if active is not None:
        filters.append(col(TransactionRow.active).is_(active))
    counted = select(func.count()).select_from(TransactionRow).where(*filters)
    total = (await session.execute(counted)).scalar_one()
    newest_first = (col(TransactionRow.received_at).desc(), col(TransactionRow.ref).desc())
    wanted = select(TransactionRow).where(*filters).order_by(*newest_first).limit(limit).offset(offset)
    return [row.state for row in (await session.execute(wanted)).scalars()], total


async def stations_with_active(session: AsyncSession) -> list[str]:
    """Ids of the stations without a socket at which a transaction is under way."""
    connected = select(col(StationRow.id)).where(col(StationRow.online).is_(True))
    wanted = (
        select(col(TransactionRow.station_id))
        .where(col(TransactionRow.active).is_(True), col(TransactionRow.station_id).not_in(connected))
        .distinct()
    )
    return list((await session.execute(wanted)).scalars())


async def count_active(session: AsyncSession) -> int:
    """How many transactions are under way."""
    counted = select(func.count()).select_from(TransactionRow).where(col(TransactionRow.active).is_(True))
    return (await session.execute(counted)).scalar_one()


async def samples_of(session: AsyncSession, ref: str) -> list[StoredSample]:
    """All samples of a transaction, oldest first."""
    wanted = select(SampleRow).where(col(SampleRow.ref) == ref).order_by(col(SampleRow.at), col(SampleRow.id))
    return [
        StoredSample(s.at, s.received_at, s.doc, s.reading) for s in (await session.execute(wanted)).scalars()
    ]


def _text(value: Decimal | None) -> str | None:
    return None if value is None else exact(value)


def _number(transaction: Transaction) -> int | None:
    """The station's number, as far as it is one transaction's alone: orphans may share theirs."""
    return None if Flag.ORPHAN in transaction.flags else transaction.ocpp_id
