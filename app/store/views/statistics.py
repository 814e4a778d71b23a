"""What was charged in a period, added up by station, location, partner or day, straight from the transactions."""

from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Float, Select, Text, cast, func, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.store.cdrs import CdrRow
from app.store.database.columns import micros, moment
from app.store.stations import ConnectorRow, StationRow
from app.store.transactions import TransactionRow

DAY_MICROS = 86_400_000_000


class By(StrEnum):
    """What the figures are added up by."""

    STATION = "station"
    LOCATION = "location"
    PARTNER = "partner"
    DAY = "day"


class Usage(NamedTuple):
    """`key` is an id, a partner's country and party, or a day; energy in Wh, time in seconds.

    `empty` counts transactions that ended without any energy: the first sign of a station that fails.
    """

    key: str | None
    sessions: int
    energy_wh: float
    seconds: float
    empty: int


async def usage(session: AsyncSession, by: By, since: datetime, until: datetime) -> list[Usage]:
    """Transactions that ended in [since, until), most energy first; days in order (UTC)."""
    ended = type_coerce(col(TransactionRow.stopped_at), BigInteger)
    began = func.coalesce(type_coerce(col(TransactionRow.started_at), BigInteger), ended)
    energy = func.coalesce(cast(type_coerce(col(TransactionRow.energy_wh), Text), Float), 0.0)
    key = _key(by, ended)
    wanted: Select[Any] = (
        select(
            key,
            func.count(),
            func.sum(energy),
            cast(func.sum(ended - began), Float) / 1_000_000.0,
            func.count().filter(energy <= 0),
        )
        .select_from(TransactionRow)
        .where(ended >= micros(since), ended < micros(until))
    )
    if by is By.LOCATION:
        wanted = wanted.join(StationRow, col(StationRow.id) == col(TransactionRow.station_id), isouter=True)
    if by is By.PARTNER:
        wanted = wanted.join(CdrRow, col(CdrRow.ref) == col(TransactionRow.ref), isouter=True)
    order = key if by is By.DAY else func.sum(energy).desc()
    rows = (await session.execute(wanted.group_by(key).order_by(order))).all()
    return [Usage(_named(by, row[0]), row[1], float(row[2]), float(row[3] or 0), row[4]) for row in rows]


def _key(by: By, ended: Any) -> Any:
    if by is By.STATION:
        return col(TransactionRow.station_id)
    if by is By.LOCATION:
        return col(StationRow.location_id)
    if by is By.PARTNER:
        return col(CdrRow.country_code) + "*" + col(CdrRow.party_id)
    return ended // DAY_MICROS


def _named(by: By, key: Any) -> str | None:
    if by is not By.DAY:
        return key if key is None else str(key)
    return moment(int(key) * DAY_MICROS).date().isoformat()


async def connectors_by(session: AsyncSession, by: By) -> dict[str | None, int]:
    """How many connectors each station or location has, by what stations said of them; nothing for other keys."""
    if by not in (By.STATION, By.LOCATION):
        return {}
    key = col(ConnectorRow.station_id) if by is By.STATION else col(StationRow.location_id)
    wanted = (
        select(key, func.count())
        .select_from(ConnectorRow)
        .join(StationRow, col(StationRow.id) == col(ConnectorRow.station_id))
        .where(col(ConnectorRow.evse) != 0)
        .group_by(key)
    )
    return {row[0]: row[1] for row in await session.execute(wanted)}
