"""Availability by whole days: what is left of the turns of EVSEs, and what statistics add up."""

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Text, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from app.store.bulk.statements import run, upsert
from app.store.database.columns import micros, moment
from app.store.stations import StationRow
from app.store.views import availability
from app.store.views.availability import DAY_MICROS, Share, Shares

DAY = timedelta(days=1)


class AvailabilityDayRow(SQLModel, table=True):
    """One day (UTC, counted from 1970) of a station: seconds in which its EVSEs were known, and could serve."""

    __tablename__ = "availability_days"
    __table_args__ = {"sqlite_with_rowid": False}

    day: int = Field(primary_key=True, sa_type=BigInteger)
    station_id: str = Field(primary_key=True, sa_type=Text)
    known: int = Field(sa_type=BigInteger)
    served: int = Field(sa_type=BigInteger)


PUT_DAYS = upsert(
    AvailabilityDayRow,
    ("day", "station_id", "known", "served"),
    ("day", "station_id"),
    ("known", "served"),
)


class _Parts(NamedTuple):
    """A period as whole days that are summed up (`first` to before `end`), and what lies around them."""

    first: int
    end: int
    around: tuple[tuple[datetime, datetime], ...]


async def by_station(session: AsyncSession, since: datetime, until: datetime) -> Shares:
    """Availability in [since, until) of every station of which anything is known; `until` is not in the future.

    Of days whose turns are forgotten only whole ones count.
    """
    parts = await _parts(session, since, until)
    found = await _whole(session, parts, col(AvailabilityDayRow.station_id))
    for begin, end in parts.around:
        _add(found, await availability.by_station(session, begin, end))
    return found


async def by_location(session: AsyncSession, since: datetime, until: datetime) -> Shares:
    """The same by the location where stations stand now; None for those that stand nowhere."""
    parts = await _parts(session, since, until)
    found = await _whole(session, parts, col(StationRow.location_id))
    for begin, end in parts.around:
        _add(found, await availability.by_location(session, begin, end))
    return found


async def by_day(session: AsyncSession, since: datetime, until: datetime) -> Shares:
    """The same of the whole network for each day of UTC."""
    parts = await _parts(session, since, until)
    whole = await _whole(session, parts, col(AvailabilityDayRow.day))
    found: Shares = {_date(day).isoformat(): share for day, share in whole.items()}
    for begin, end in parts.around:
        _add(found, await availability.by_day(session, begin, end))
    return found


async def summed_until(session: AsyncSession) -> datetime | None:
    """The end of the last day that is summed up; None where none is."""
    last = (await session.execute(select(func.max(AvailabilityDayRow.day)))).scalar_one_or_none()
    return None if last is None else moment((last + 1) * DAY_MICROS)


async def put(session: AsyncSession, day: datetime, shares: Shares) -> None:
    """Keeps a day (its midnight) as `availability.by_station` tells it."""
    number = micros(day) // DAY_MICROS
    rows = [(number, key, round(share.known), round(share.served)) for key, share in shares.items()]
    await run(session, PUT_DAYS, rows)


async def forget_before(session: AsyncSession, at: datetime) -> None:
    """Deletes the days before this one."""
    await session.execute(
        delete(AvailabilityDayRow).where(col(AvailabilityDayRow.day) < micros(at) // DAY_MICROS)
    )


async def forget_station(session: AsyncSession, station_id: str) -> None:
    """A station that is no more is not missed either."""
    await availability.forget_station(session, station_id)
    await session.execute(delete(AvailabilityDayRow).where(col(AvailabilityDayRow.station_id) == station_id))


async def _parts(session: AsyncSession, since: datetime, until: datetime) -> _Parts:
    summed = await summed_until(session)
    first = -(-micros(since) // DAY_MICROS)
    end = 0 if summed is None else min(micros(until), micros(summed)) // DAY_MICROS
    if end <= first:
        return _Parts(0, 0, ((since, until),))
    edges = ((since, moment(first * DAY_MICROS)), (moment(end * DAY_MICROS), until))
    return _Parts(first, end, tuple((begin, over) for begin, over in edges if begin < over))


async def _whole(session: AsyncSession, parts: _Parts, key: Any) -> dict[Any, Share]:
    row = AvailabilityDayRow
    wanted = (
        select(key, func.sum(row.known), func.sum(row.served))
        .select_from(row)
        .where(col(row.day) >= parts.first, col(row.day) < parts.end)
        .group_by(key)
    )
    if key.class_ is StationRow:
        wanted = wanted.join(StationRow, col(StationRow.id) == col(row.station_id))
    return {each[0]: Share(int(each[1]), int(each[2])) for each in (await session.execute(wanted)).all()}


def _add(found: Shares, more: Shares) -> None:
    for key, share in more.items():
        known, served = found.get(key, (0.0, 0.0))
        found[key] = Share(known + share.known, served + share.served)


def _date(day: int) -> date:
    return moment(day * DAY_MICROS).date()
