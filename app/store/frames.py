"""What stations sent, as bytes: the wire log, the quarantine, and the notices worth keeping."""

from datetime import datetime
from typing import Any, NamedTuple, TypeVar, cast

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Computed,
    CursorResult,
    Index,
    LargeBinary,
    Select,
    Text,
    delete,
    func,
    literal,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from app.store.bulk.statements import Row, insert, run
from app.store.database.columns import UtcMicros, identity, micros, micros_or_none

T = TypeVar("T", bound=SQLModel)

BLOCK = 2048
"""So many neighbouring ids are a block."""
FEW_BLOCKS = 8
"""How many blocks are looked at first; each further look takes four times as many."""


class FrameRow(SQLModel, table=True):
    """One call with its answer; `direction` is that of the call: `in` from the station, `out` to it.

    Frames are the most of all rows, so their index must not be touched all over by every batch: it goes by
    blocks of neighbouring ids first, and a station's frames are looked for in every block.
    """

    __tablename__ = "frames"
    __table_args__ = (Index("ix_frames_block", "block", "station_id", "id"),)

    id: int | None = Field(default=None, sa_column=identity())
    station_id: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=UtcMicros)
    direction: str = Field(sa_type=Text)
    message_id: str = Field(sa_type=Text)
    action: str = Field(sa_type=Text)
    request: bytes = Field(sa_type=LargeBinary)
    answer: bytes | None = Field(default=None, sa_type=LargeBinary)
    answered_at: datetime | None = Field(default=None, sa_type=UtcMicros)
    outcome: str | None = Field(default=None, sa_type=Text)
    deviations: str | None = Field(default=None, sa_type=Text)
    block: int | None = Field(
        default=None, sa_column=Column(BigInteger, Computed(f"id / {BLOCK}", persisted=True))
    )


class QuarantineRow(SQLModel, table=True):
    """A frame that could not be stored as what it says, kept as it came, with the reason."""

    __tablename__ = "quarantine"
    __table_args__ = (Index("ix_quarantine_station", "station_id", "id"),)

    id: int | None = Field(default=None, sa_column=identity())
    station_id: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=UtcMicros)
    frame: bytes = Field(sa_type=LargeBinary)
    reason: str = Field(sa_type=Text)


class StationEventRow(SQLModel, table=True):
    """A notice of a station: security event, firmware, diagnostics or log status; `doc` is its payload."""

    __tablename__ = "station_events"
    __table_args__ = (Index("ix_station_events_station", "station_id", "id"),)

    id: int | None = Field(default=None, sa_column=identity())
    station_id: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=UtcMicros)
    received_at: datetime = Field(sa_type=UtcMicros)
    kind: str = Field(sa_type=Text)
    doc: str = Field(sa_type=Text)


class Frame(NamedTuple):
    """One call as kept. `outcome`: result, error, timeout; `deviations`: what was tolerated, as JSON."""

    station_id: str
    at: datetime
    direction: str
    message_id: str
    action: str
    request: bytes
    answer: bytes | None = None
    answered_at: datetime | None = None
    outcome: str | None = None
    deviations: str | None = None


class Quarantined(NamedTuple):
    """A frame in quarantine."""

    station_id: str
    at: datetime
    frame: bytes
    reason: str


class StationEvent(NamedTuple):
    """A notice of a station; `doc` is its payload as JSON."""

    station_id: str
    at: datetime
    received_at: datetime
    kind: str
    doc: str


INSERT_FRAMES = insert(FrameRow, Frame._fields)
INSERT_QUARANTINE = insert(QuarantineRow, Quarantined._fields)
INSERT_STATION_EVENTS = insert(StationEventRow, StationEvent._fields)


def row(frame: Frame) -> Row:
    """The stored form, for INSERT_FRAMES."""
    return (frame[0], micros(frame.at), *frame[2:7], micros_or_none(frame.answered_at), *frame[8:])


def answered_row(
    station_id: str,
    stamp: int,
    *,
    message_id: str,
    action: str,
    request: bytes,
    answer: bytes,
    outcome: str,
    deviations: str | None,
) -> Row:
    """The stored form of a station's call, received and answered in one batch; `stamp` in micros."""
    return (station_id, stamp, "in", message_id, action, request, answer, stamp, outcome, deviations)


def quarantine_row(kept: Quarantined) -> Row:
    """The stored form, for INSERT_QUARANTINE."""
    return (kept.station_id, micros(kept.at), kept.frame, kept.reason)


def event_row(event: StationEvent) -> Row:
    """The stored form, for INSERT_STATION_EVENTS."""
    return (event.station_id, micros(event.at), micros(event.received_at), event.kind, event.doc)


async def add(session: AsyncSession, frame: Frame) -> None:
    """Keeps one frame in an ordinary unit of work."""
    await run(session, INSERT_FRAMES, [row(frame)])


async def find(
    session: AsyncSession, station_id: str, *, limit: int, offset: int = 0
) -> tuple[list[Frame], int]:
    """A station's wire log, newest first, and how many frames it has."""
    return await latest(session, station_id, limit=limit, offset=offset), await count(session, station_id)


async def latest(session: AsyncSession, station_id: str, *, limit: int, offset: int = 0) -> list[Frame]:
    """A station's wire log, newest first; where it speaks often, only the newest blocks are looked at."""
    first, last = await _blocks(session)
    ids: list[int] = []
    wide = FEW_BLOCKS
    while last >= first and len(ids) < offset + limit:
        mine = _ids_of(station_id, max(first, last - wide + 1), last).order_by(col(FrameRow.id).desc())
        ids += [each for each in await session.scalars(mine.limit(offset + limit - len(ids))) if each]
        last, wide = last - wide, wide * 4
    wanted = select(FrameRow).where(col(FrameRow.id).in_(ids[offset:])).order_by(col(FrameRow.id).desc())
    found = (await session.execute(wanted)).scalars()
    return [Frame(*(getattr(row, name) for name in Frame._fields)) for row in found]


async def count(session: AsyncSession, station_id: str) -> int:
    """How many frames a station's wire log has: all of them are looked at."""
    first, last = await _blocks(session)
    mine = _ids_of(station_id, first, last)
    total: int = (await session.execute(select(func.count()).select_from(mine.subquery()))).scalar_one()
    return total


async def _blocks(session: AsyncSession) -> tuple[int, int]:
    """The first and the last block; of an empty log the last lies before the first."""
    ends = (select(each(FrameRow.block)).scalar_subquery() for each in (func.min, func.max))
    first, last = (await session.execute(select(*ends))).one()  # both at once would read the whole index
    return (0, -1) if first is None else (first, last)


def _ids_of(station_id: str, oldest: int, newest: int) -> Select[int | None]:
    """The ids of a station's frames, by one look into the index for each block."""
    blocks = select(literal(newest).label("block")).cte("blocks", recursive=True)
    blocks = blocks.union_all(select(blocks.c.block - 1).where(blocks.c.block > oldest))
    return select(col(FrameRow.id)).join_from(
        blocks,
        FrameRow,
        (col(FrameRow.block) == blocks.c.block) & (col(FrameRow.station_id) == station_id),
    )


async def quarantined(
    session: AsyncSession, station_id: str, *, limit: int, offset: int = 0
) -> tuple[list[Quarantined], int]:
    """A station's quarantine, newest first, and how many frames are in it."""
    mine = col(QuarantineRow.station_id) == station_id
    found = await _newest_first(session, QuarantineRow, mine, limit, offset)
    return [Quarantined(row.station_id, row.at, row.frame, row.reason) for row in found[0]], found[1]


async def events(
    session: AsyncSession, station_id: str, *, limit: int, offset: int = 0
) -> tuple[list[StationEvent], int]:
    """A station's notices, newest first, and how many there are."""
    mine = col(StationEventRow.station_id) == station_id
    found = await _newest_first(session, StationEventRow, mine, limit, offset)
    return [StationEvent(*(getattr(row, name) for name in StationEvent._fields)) for row in found[0]], found[
        1
    ]


async def forget_before(session: AsyncSession, at: datetime) -> int:
    """Deletes the frames stored before the first one of `at` or later, and says how many.

    Quarantine and notices stay. Ids rise with time, so no index on the time slows down every frame.
    """
    first_kept = select(col(FrameRow.id)).where(col(FrameRow.at) >= at).order_by(col(FrameRow.id)).limit(1)
    bound = (await session.execute(first_kept)).scalar_one_or_none()
    old = delete(FrameRow).where(col(FrameRow.at) < at if bound is None else col(FrameRow.id) < bound)
    gone = await session.execute(old)
    return cast("CursorResult[Any]", gone).rowcount


async def _newest_first(
    session: AsyncSession, table: type[T], mine: ColumnElement[bool], limit: int, offset: int
) -> tuple[list[T], int]:
    columns: Any = table
    total = (await session.execute(select(func.count()).select_from(table).where(mine))).scalar_one()
    wanted = select(table).where(mine).order_by(columns.id.desc()).limit(limit).offset(offset)
    return list((await session.execute(wanted)).scalars()), total


async def within(
    session: AsyncSession, station_id: str, since: datetime, until: datetime, *, limit: int
) -> list[Frame]:
    """A station's calls of [since, until], oldest first; ids rise with time, so only their blocks are looked at."""
    first, last = await _blocks(session)
    oldest = await _block_of(session, since, first, last)
    newest = await _block_of(session, until, oldest, last)
    wanted = (
        select(FrameRow)
        .where(
            col(FrameRow.id).in_(_ids_of(station_id, oldest, newest)),
            col(FrameRow.at) >= since,
            col(FrameRow.at) <= until,
        )
        .order_by(col(FrameRow.id))
        .limit(limit)
    )
    found = (await session.execute(wanted)).scalars()
    return [Frame(*(getattr(row, name) for name in Frame._fields)) for row in found]


async def _block_of(session: AsyncSession, at: datetime, oldest: int, newest: int) -> int:
    """The last block that begins before this moment, or the oldest."""
    while oldest < newest:
        middle = (oldest + newest + 1) // 2
        first = (
            select(col(FrameRow.at))
            .where(col(FrameRow.id) >= middle * BLOCK)
            .order_by(col(FrameRow.id))
            .limit(1)
        )
        begins = (await session.execute(first)).scalar_one_or_none()
        if begins is None or begins >= at:
            newest = middle - 1
        else:
            oldest = middle
    return oldest


async def find_calls(session: AsyncSession, station_id: str, action: str, *, limit: int) -> list[Frame]:
    """A station's newest calls of one kind, newest first; answers of ours are with them."""
    oldest, newest = await _blocks(session)
    wanted = (
        select(FrameRow)
        .where(
            col(FrameRow.id).in_(_ids_of(station_id, oldest, newest)),
            col(FrameRow.action) == action,
            col(FrameRow.direction) == "in",
        )
        .order_by(col(FrameRow.id).desc())
        .limit(limit)
    )
    found = (await session.execute(wanted)).scalars()
    return [Frame(*(getattr(row, name) for name in Frame._fields)) for row in found]
