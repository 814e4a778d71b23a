"""Availability rows: from when an EVSE stood how, one row per turn; and what share of a period it could serve."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    CTE,
    BigInteger,
    CursorResult,
    Text,
    case,
    delete,
    exists,
    func,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import Field, SQLModel, col

from app.domain.charging.availability import Standing, Turn
from app.store.bulk.statements import Row, run, upsert
from app.store.database.columns import UtcMicros, micros, moment
from app.store.nodes import lost
from app.store.stations import ConnectorRow, StationRow

DAY_MICROS = 86_400_000_000


class AvailabilityRow(SQLModel, table=True):
    """An EVSE (the station's own number) stood so from `at` until its next row."""

    __tablename__ = "availability"
    __table_args__ = {"sqlite_with_rowid": False}

    station_id: str = Field(primary_key=True, sa_type=Text)
    evse: int = Field(primary_key=True, sa_type=BigInteger)
    at: datetime = Field(primary_key=True, sa_type=UtcMicros)
    standing: str = Field(sa_type=Text)
    error_code: str | None = Field(default=None, sa_type=Text)


class Share(NamedTuple):
    """For how many seconds EVSEs were known, and for how many of these they could serve."""

    known: float
    served: float

    @property
    def ratio(self) -> float | None:
        """Their availability, 0 to 1; None where nothing is known."""
        return self.served / self.known if self.known > 0 else None


class Span(NamedTuple):
    """A time in which an EVSE stood the same way."""

    evse: int
    standing: Standing
    error_code: str | None
    since: datetime
    until: datetime


Shares = dict[str | None, Share]
"""By station, location or day."""

PUT_TURNS = upsert(
    AvailabilityRow,
    ("station_id", "evse", "at", "standing", "error_code"),
    ("station_id", "evse", "at"),
    ("standing", "error_code"),
)


def row(station_id: str, turn: Turn, at: datetime) -> Row:
    """The stored form, for PUT_TURNS."""
    return (station_id, turn.evse, micros(at), turn.standing.value, turn.error_code)


async def turn_lost(session: AsyncSession, now: datetime) -> None:
    """The EVSEs of stations whose process is gone are offline; call it before these are given up (`stations`)."""
    gone = (
        select(col(ConnectorRow.station_id), col(ConnectorRow.evse))
        .distinct()
        .join(StationRow, col(StationRow.id) == col(ConnectorRow.station_id))
        .where(col(StationRow.online).is_(True), lost(col(StationRow.node)), col(ConnectorRow.evse) != 0)
    )
    found = (await session.execute(gone)).all()
    await run(session, PUT_TURNS, [row(each[0], Turn(each[1], Standing.OFFLINE), now) for each in found])


async def oldest(session: AsyncSession) -> datetime | None:
    """The first turn that is kept; None where there is none."""
    return (await session.execute(select(func.min(AvailabilityRow.at)))).scalar_one_or_none()


async def by_station(session: AsyncSession, since: datetime, until: datetime) -> Shares:
    """Availability in [since, until) of every station by what is kept of its turns; `until` is not in the future."""
    return await _shares(session, since, until, lambda spans: spans.c.station_id)


async def by_location(session: AsyncSession, since: datetime, until: datetime) -> Shares:
    """The same by the location where stations stand now; None for those that stand nowhere."""
    return await _shares(session, since, until, lambda _spans: col(StationRow.location_id))


async def _shares(
    session: AsyncSession, since: datetime, until: datetime, key: Callable[[CTE], Any]
) -> Shares:
    spans = _spans(since, until)
    length = spans.c.ended - spans.c.began
    wanted = (
        select(key(spans), func.sum(length), func.sum(_serving(spans) * length))
        .join_from(spans, StationRow, col(StationRow.id) == spans.c.station_id)
        .group_by(key(spans))
    )
    found = (await session.execute(wanted)).all()
    return {each[0]: Share(int(each[1]) / 1e6, int(each[2]) / 1e6) for each in found}


async def by_day(session: AsyncSession, since: datetime, until: datetime) -> Shares:
    """The same of the whole network for each day of UTC."""
    spans = _spans(since, until)

    async def parts_of(at: Any, part: Callable[[Any], Any]) -> dict[int, list[int]]:
        """By day: how many spans, how many of them serving, and the micros of both that lie in this day."""
        day, serving = at // DAY_MICROS, _serving(spans)
        length = part(day)
        sums = (func.count(), func.sum(serving), func.sum(length), func.sum(serving * length))
        wanted = select(day, *sums).where(spans.c.ended > spans.c.began).group_by(day)
        return {int(key): [int(each) for each in found] for key, *found in await session.execute(wanted)}

    began, ended = spans.c.began, spans.c.ended
    first = await parts_of(began, lambda day: (day + 1) * DAY_MICROS - began)
    last = await parts_of(ended, lambda day: ended - day * DAY_MICROS)
    return _days(first, last)


def _days(first: dict[int, list[int]], last: dict[int, list[int]]) -> Shares:
    """Sums by day from the first and the last days of spans; a span fills the days between. Within one day it is
    counted whole as beginning and as ending there, which is one day too much.
    """
    found: Shares = {}
    under_way = [0, 0]
    for day in range(min(first, default=0), max(last, default=-1) + 1):
        begun, over = first.get(day, [0] * 4), last.get(day, [0] * 4)
        whole = [going - ending for going, ending in zip(under_way, over, strict=False)]
        known, served = (whole[n] * DAY_MICROS + begun[n + 2] + over[n + 2] for n in (0, 1))
        if known:
            found[moment(day * DAY_MICROS).date().isoformat()] = Share(known / 1e6, served / 1e6)
        under_way = [left + new for left, new in zip(whole, begun, strict=False)]
    return found


async def spans_of(session: AsyncSession, station_id: str, since: datetime, until: datetime) -> list[Span]:
    """How each EVSE of a station stood in [since, until), by EVSE, oldest first; `until` is not in the future."""
    spans = _spans(since, until, station_id)
    wanted = select(
        spans.c.evse, spans.c.standing, spans.c.error_code, spans.c.began, spans.c.ended
    ).order_by(spans.c.evse, spans.c.began)
    found: list[Span] = []
    for evse, standing, error_code, began, ended in await session.execute(wanted):
        span = Span(evse, Standing(standing), error_code, moment(began), moment(ended))
        if found and found[-1][:3] == span[:3]:
            span = span._replace(since=found.pop().since)
        found.append(span)
    return found


async def forget_before(session: AsyncSession, at: datetime) -> int:
    """Deletes rows from before `at`, and says how many; how each EVSE stood at that moment stays known."""
    later = aliased(AvailabilityRow)
    newer = exists().where(
        col(later.station_id) == col(AvailabilityRow.station_id),
        col(later.evse) == col(AvailabilityRow.evse),
        col(later.at) > col(AvailabilityRow.at),
        col(later.at) <= at,
    )
    old = delete(AvailabilityRow).where(col(AvailabilityRow.at) < at, newer)
    gone = await session.execute(old, execution_options={"synchronize_session": False})
    return cast("CursorResult[Any]", gone).rowcount


async def forget_station(session: AsyncSession, station_id: str) -> None:
    """A station that is no more is not missed either."""
    await session.execute(delete(AvailabilityRow).where(col(AvailabilityRow.station_id) == station_id))


def _serving(spans: CTE) -> Any:
    return case((spans.c.standing == Standing.SERVING.value, 1), else_=0)


def _spans(since: datetime, until: datetime, station_id: str | None = None) -> CTE:
    """Each EVSE's rows of the period as spans cut to it, the last one from before it among them."""
    row = AvailabilityRow
    begin, end = literal(micros(since), BigInteger()), literal(micros(until), BigInteger())
    evses = (
        select(col(ConnectorRow.station_id), col(ConnectorRow.evse))
        .distinct()
        .where(col(ConnectorRow.evse) != 0)
    )
    if station_id is not None:
        evses = evses.where(col(ConnectorRow.station_id) == station_id)
    known = evses.cte("evses")
    before = (
        select(func.max(type_coerce(col(row.at), BigInteger)))
        .where(col(row.station_id) == known.c.station_id, col(row.evse) == known.c.evse, col(row.at) <= since)
        .scalar_subquery()
    )
    from_when = select(known, func.coalesce(before, begin).label("first")).cte("from_when")
    at = type_coerce(col(row.at), BigInteger)
    following = func.lead(at).over(partition_by=(col(row.station_id), col(row.evse)), order_by=at)
    return (
        select(
            col(row.station_id),
            col(row.evse),
            col(row.standing),
            col(row.error_code),
            case((at < begin, begin), else_=at).label("began"),
            func.coalesce(following, end).label("ended"),
        )
        .join_from(
            from_when,
            row,
            (col(row.station_id) == from_when.c.station_id) & (col(row.evse) == from_when.c.evse),
        )
        .where(at >= from_when.c.first, at < end)
        .cte("spans")
    )
