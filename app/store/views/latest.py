"""What happened last in the network, where it stands on a map, and what was drawn and billed since a moment."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Float, Text, case, cast, func, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.cdrs import CdrState
from app.domain.charging.load import Drawn
from app.domain.stations import Admission
from app.store.cdrs import CdrRow
from app.store.database.columns import micros, moment
from app.store.database.in_doc import in_doc
from app.store.locations import LocationRow
from app.store.stations import ConnectorRow, StationRow
from app.store.transactions import TransactionRow

_LATE = 10
"""So many times what is wanted is looked through for what was told late."""


class Event(NamedTuple):
    """Something that happened. `kind`: started, ended, online, offline, knocked, fault or held; `what` says more."""

    at: datetime
    kind: str
    station_id: str | None
    what: str | None = None
    session_id: str | None = None
    cdr_id: str | None = None


class Spot(NamedTuple):
    """A location on the map: its coordinates as written, and its connectors by status; stations by connection."""

    location_id: str
    name: str | None
    latitude: str
    longitude: str
    stations: int
    online: int
    connectors: dict[str, int]


async def drawn_since(session: AsyncSession, since: datetime) -> list[Drawn]:
    """The transactions that ended since then."""
    ended = type_coerce(col(TransactionRow.stopped_at), BigInteger)
    began = func.coalesce(type_coerce(col(TransactionRow.started_at), BigInteger), ended)
    energy = cast(type_coerce(col(TransactionRow.energy_wh), Text), Float)
    wanted = select(began, ended, energy).where(ended >= micros(since), energy > 0)
    return [Drawn(moment(row[0]), moment(row[1]), row[2]) for row in await session.execute(wanted)]


async def billed_since(session: AsyncSession, since: datetime) -> tuple[int, dict[str, Decimal]]:
    """How many records of sessions that ended since then are issued, and their sums without VAT, by currency."""
    wanted = select(in_doc(CdrRow.doc, "currency"), in_doc(CdrRow.doc, "total_cost", "excl_vat")).where(
        col(CdrRow.state) == CdrState.ISSUED.value,
        # A record is made when its session has ended, so that the index narrows it down.
        col(CdrRow.seq) >= micros(since),
        in_doc(CdrRow.doc, "end_date_time") >= since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
    )
    rows = (await session.execute(wanted)).all()
    sums: dict[str, Decimal] = {}
    for currency, amount in rows:
        sums[currency] = sums.get(currency, Decimal(0)) + Decimal(str(amount or 0))
    return len(rows), sums


async def events(session: AsyncSession, limit: int) -> list[Event]:
    """The newest, newest first."""
    found = [
        *await _started(session, limit),
        *await _ended(session, limit),
        *await _stations(session, limit),
        *await _faults(session, limit),
        *await _held(session, limit),
    ]
    found.sort(key=lambda each: each.at, reverse=True)
    return found[:limit]


async def _started(session: AsyncSession, limit: int) -> Iterable[Event]:
    """By when they began; of those heard of last, so that what a station tells late stands where it belongs."""
    row = TransactionRow
    wanted = (
        select(
            col(row.started_at),
            col(row.received_at),
            col(row.station_id),
            col(row.id_tag),
            col(row.session_id),
        )
        .order_by(col(row.received_at).desc())
        .limit(_LATE * limit)
    )
    return [
        Event(began or heard, "started", station, tag, own)
        for began, heard, station, tag, own in await session.execute(wanted)
    ]


async def _ended(session: AsyncSession, limit: int) -> Iterable[Event]:
    row = TransactionRow
    wanted = (
        select(col(row.stopped_at), col(row.station_id), col(row.energy_wh), col(row.session_id))
        .where(col(row.stopped_at).is_not(None))
        .order_by(col(row.stopped_at).desc())
        .limit(limit)
    )
    return [
        Event(at, "ended", station, None if wh is None else str(wh), own)
        for at, station, wh, own in await session.execute(wanted)
        if at is not None
    ]


async def _stations(session: AsyncSession, limit: int) -> Iterable[Event]:
    online, pending = col(StationRow.online), col(StationRow.state) == Admission.PENDING.value
    at = case(
        (pending, col(StationRow.created_at)),
        (online.is_(True), col(StationRow.connected_at)),
        else_=col(StationRow.disconnected_at),
    )
    wanted = (
        select(type_coerce(at, BigInteger), col(StationRow.id), online, pending)
        .where(at.is_not(None))
        .order_by(at.desc())
        .limit(limit)
    )
    return [
        Event(moment(when), "knocked" if new else "online" if there else "offline", station)
        for when, station, there, new in await session.execute(wanted)
    ]


async def _faults(session: AsyncSession, limit: int) -> Iterable[Event]:
    row = ConnectorRow
    wanted = (
        select(col(row.status_at), col(row.station_id), col(row.error_code))
        .where(col(row.status) == "Faulted")
        .order_by(col(row.status_at).desc())
        .limit(limit)
    )
    return [Event(at, "fault", station, code) for at, station, code in await session.execute(wanted)]


async def _held(session: AsyncSession, limit: int) -> Iterable[Event]:
    row = CdrRow
    wanted = (
        select(col(row.created_at), col(row.reason), col(row.session_id), col(row.id))
        .where(col(row.state) == CdrState.HELD.value)
        .order_by(col(row.seq).desc())
        .limit(limit)
    )
    return [Event(at, "held", None, why, own, cdr) for at, why, own, cdr in await session.execute(wanted)]


async def spots(session: AsyncSession) -> list[Spot]:
    """Every location with what its stations say; by id."""
    doc = col(LocationRow.doc)
    places = select(
        col(LocationRow.id),
        in_doc(doc, "name"),
        in_doc(doc, "coordinates", "latitude"),
        in_doc(doc, "coordinates", "longitude"),
    ).order_by(col(LocationRow.id))
    stations = await _by_place(session)
    statuses = await _statuses(session)
    return [
        Spot(
            place, name, str(latitude), str(longitude), *stations.get(place, (0, 0)), statuses.get(place, {})
        )
        for place, name, latitude, longitude in (await session.execute(places)).all()
    ]


async def _by_place(session: AsyncSession) -> dict[str, tuple[int, int]]:
    place: Any = col(StationRow.location_id)
    online = col(StationRow.online)
    wanted = select(place, func.count(), func.count().filter(online.is_(True))).group_by(place)
    return {row[0]: (row[1], row[2]) for row in await session.execute(wanted)}


async def _statuses(session: AsyncSession) -> dict[str, dict[str, int]]:
    place: Any = col(StationRow.location_id)
    wanted = (
        select(place, col(ConnectorRow.status), func.count())
        .join(StationRow, col(StationRow.id) == col(ConnectorRow.station_id))
        .where(place.is_not(None), col(StationRow.online).is_(True), col(ConnectorRow.evse) != 0)
        .group_by(place, col(ConnectorRow.status))
        .order_by(place, col(ConnectorRow.status))
    )
    found: dict[str, dict[str, int]] = {}
    for name, status, count in await session.execute(wanted):
        found.setdefault(name, {})[status] = count
    return found
