"""Station rows: the station as set up and as it last was, its lease, and its connectors' last reports."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import BigInteger, Column, ColumnElement, Index, Text, delete, func, select
from sqlalchemy import update as sql_update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from app.domain.errors import NotFound
from app.domain.stations import Admission, ChargingStation, ConnectorReport
from app.domain.status import ConnectorStatus
from app.store.bulk.statements import Row, ask, query, update, upsert
from app.store.database.columns import Document, UtcMicros, document, micros, moment, moment_or_none
from app.store.nodes import lost


class StationRow(SQLModel, table=True):
    """One station. `epoch` counts its leases: who holds an older one may not write any more.

    `node` is the process that has its socket; `turn` counts what other processes did to it meanwhile.
    """

    __tablename__ = "stations"
    __table_args__ = (Index("ix_stations_location_id", "location_id"), Index("ix_stations_state", "state"))

    id: str = Field(primary_key=True, sa_type=Text)
    state: str = Field(sa_type=Text)
    location_id: str | None = Field(default=None, sa_type=Text)
    doc: ChargingStation = Field(sa_column=Column(Document(ChargingStation), nullable=False))
    password_hash: str | None = Field(default=None, sa_type=Text)
    epoch: int = Field(default=0, sa_type=BigInteger)
    turn: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    node: int | None = Field(default=None, sa_type=BigInteger)
    online: bool = False
    connected_at: datetime | None = Field(default=None, sa_type=UtcMicros)
    disconnected_at: datetime | None = Field(default=None, sa_type=UtcMicros)
    last_seen: datetime | None = Field(default=None, sa_type=UtcMicros)
    adopt_until: datetime | None = Field(default=None, sa_type=UtcMicros)
    created_at: datetime = Field(sa_type=UtcMicros)
    last_updated: datetime = Field(sa_type=UtcMicros)

    model_config = {"arbitrary_types_allowed": True}


class ConnectorRow(SQLModel, table=True):
    """The last word of a station about one of its connectors."""

    __tablename__ = "connectors"

    station_id: str = Field(primary_key=True, sa_type=Text)
    evse: int = Field(primary_key=True, sa_type=BigInteger)
    connector: int = Field(primary_key=True, sa_type=BigInteger)
    status: str = Field(sa_type=Text)
    error_code: str = Field(sa_type=Text)
    info: str | None = Field(default=None, sa_type=Text)
    vendor_id: str | None = Field(default=None, sa_type=Text)
    vendor_error_code: str | None = Field(default=None, sa_type=Text)
    status_at: datetime = Field(sa_type=UtcMicros)
    received_at: datetime = Field(sa_type=UtcMicros)


class StoredStation(NamedTuple):
    """A station with what the house knows of its connection; `has_password` instead of the hash."""

    station: ChargingStation
    has_password: bool
    online: bool
    connected_at: datetime | None
    disconnected_at: datetime | None
    last_seen: datetime | None
    adopt_until: datetime | None
    created_at: datetime


class Credentials(NamedTuple):
    """What a station is let in by; `password_hash` None: it has no password."""

    state: Admission
    security_profile: int | None
    password_hash: str | None
    adopt_until: datetime | None


STATION_COLUMNS = (
    "id", "state", "location_id", "doc", "epoch", "online", "last_seen", "created_at", "last_updated"
)  # fmt: skip
UPSERT_STATIONS = upsert(
    StationRow,
    STATION_COLUMNS,
    ("id",),
    {
        "state": "{new}.state",
        "location_id": "{new}.location_id",
        "doc": "{new}.doc",
        "last_seen": "{new}.last_seen",
        "last_updated": "{greatest}({old}.last_updated + 1000, {new}.last_updated)",
    },
)
"""The station's own row after a message that changed it; lease, connection and password stay."""

TAKE_LEASES = update(
    StationRow,
    ("id", "connected_at", "node"),
    ("id",),
    {
        "epoch": "{old}.epoch + 1",
        "node": "{new}.node",
        "online": "TRUE",
        "connected_at": "{new}.connected_at",
        "last_seen": "{new}.connected_at",
    },
)
"""Stations that opened a socket here: whoever held them before holds them no longer."""

END_LEASES = update(
    StationRow,
    ("id", "epoch", "disconnected_at"),
    ("id", "epoch"),
    {
        "online": "FALSE",
        "node": "NULL",
        "disconnected_at": "{new}.disconnected_at",
        "last_seen": "{new}.disconnected_at",
    },
)
"""Stations whose socket is gone, unless another one holds them by now."""

TAKE_TURNS = update(StationRow, ("id",), ("id",), {"turn": "{old}.turn + 1"})
"""Stations that another process than the one with their socket is about to write to: they are its own until it
commits, and what that one has of them in memory is then known to be old."""

FENCE = query("SELECT id, epoch, turn FROM stations WHERE id {any0} ORDER BY id {for_no_key_update}", "text")
"""What the batch of a process that has these stations in memory is checked against, just before it commits."""

TOUCH_STATIONS = update(StationRow, ("id", "last_seen"), ("id",), {"last_seen": "{new}.last_seen"})
"""Only that a station was heard."""

CONNECTOR_COLUMNS = (
    "station_id", "evse", "connector", "status", "error_code", "info", "vendor_id", "vendor_error_code",
    "status_at", "received_at",
)  # fmt: skip
UPSERT_CONNECTORS = upsert(ConnectorRow, CONNECTOR_COLUMNS, CONNECTOR_COLUMNS[:3], CONNECTOR_COLUMNS[3:])

EPOCHS = query("SELECT id, epoch FROM stations WHERE id {any0} {for_share}", "text")
"""The leases of stations, held still until the batch ends."""

STATIONS_BY_ID = query(
    "SELECT id, doc, epoch, online, disconnected_at, last_updated, turn, node FROM stations WHERE id {any0}",
    "text",
)
CONNECTORS_OF_STATIONS = query(
    "SELECT station_id, evse, connector, status, error_code, info, vendor_id, vendor_error_code, status_at, "
    "received_at FROM connectors WHERE station_id {any0} ORDER BY station_id, evse, connector",
    "text",
)

_CREDENTIALS = query(
    "SELECT id, state, doc, password_hash, adopt_until FROM stations WHERE id {any0}", "text"
)

_decode = msgspec.json.Decoder(ChargingStation).decode


def station_from_batch(doc: str, last_updated: int) -> ChargingStation:
    """The station from two columns of STATIONS_BY_ID."""
    return msgspec.structs.replace(_decode(doc), last_updated=moment(last_updated))


def connectors_from_batch(rows: Iterable[Row]) -> dict[str, list[ConnectorReport]]:
    """Last reports by station id, from the rows of CONNECTORS_OF_STATIONS."""
    found: dict[str, list[ConnectorReport]] = {}
    for station_id, evse, connector, status, error_code, info, vendor_id, vendor_error, at, received in rows:
        report = ConnectorReport(
            evse=evse,
            connector=connector,
            status=ConnectorStatus(status),
            error_code=error_code,
            info=info,
            vendor_id=vendor_id,
            vendor_error_code=vendor_error,
            at=moment(at),
            received_at=moment(received),
        )
        found.setdefault(station_id, []).append(report)
    return found


def station_row(station: ChargingStation, now: datetime, *, epoch: int = 0, online: bool = False) -> Row:
    """The stored form, in the order of STATION_COLUMNS; `epoch` and `online` count for a new row only."""
    stamp = micros(now)
    return (
        station.id, station.state.value, station.location_id, document(station), epoch, online, stamp, stamp, stamp
    )  # fmt: skip


def connector_row(station_id: str, report: ConnectorReport) -> Row:
    """The stored form, in the order of CONNECTOR_COLUMNS."""
    return (
        station_id, report.evse, report.connector, report.status.value, report.error_code, report.info,
        report.vendor_id, report.vendor_error_code, micros(report.at), micros(report.received_at),
    )  # fmt: skip


async def get(session: AsyncSession, station_id: str) -> StoredStation | None:
    """The station with this id (exactly as given)."""
    found = await _row(session, station_id)
    return None if found is None else stored(found)


async def save(session: AsyncSession, station: ChargingStation, now: datetime) -> None:
    """Creates or replaces the station as set up; lease, connection and password of a stored one stay."""
    found = await _row(session, station.id)
    if found is None:
        found = StationRow(
            id=station.id, state=station.state.value, doc=station, created_at=now, last_updated=now
        )
        session.add(found)
    found.state, found.location_id, found.doc = station.state.value, station.location_id, station
    found.last_updated = max(now, found.last_updated)
    await session.flush()


async def remove(session: AsyncSession, station_id: str) -> bool:
    """Deletes a station and its connectors' reports; False where there is none. Its transactions stay."""
    await session.execute(delete(ConnectorRow).where(col(ConnectorRow.station_id) == station_id))
    gone = await session.execute(
        delete(StationRow).where(col(StationRow.id) == station_id).returning(col(StationRow.id))
    )
    return gone.scalar_one_or_none() is not None


async def find(
    session: AsyncSession,
    *,
    state: Admission | None = None,
    location_id: str | None = None,
    limit: int,
    offset: int = 0,
) -> tuple[list[StoredStation], int]:
    """Stations by id, and how many there are in all."""
    filters: list[ColumnElement[bool]] = []
    if state is not None:
        filters.append(col(StationRow.state) == state.value)
    if location_id is not None:
        filters.append(col(StationRow.location_id) == location_id)
    total = (await session.execute(select(func.count()).select_from(StationRow).where(*filters))).scalar_one()
    wanted = select(StationRow).where(*filters).order_by(col(StationRow.id)).limit(limit).offset(offset)
    return [stored(row) for row in (await session.execute(wanted)).scalars()], total


async def connectors_of(
    session: AsyncSession, station_ids: Sequence[str]
) -> dict[str, list[ConnectorReport]]:
    """Last reports by station id."""
    key = (ConnectorRow.station_id, ConnectorRow.evse, ConnectorRow.connector)
    columns = [ConnectorRow.__table__.c[name] for name in CONNECTOR_COLUMNS]  # type: ignore[attr-defined]
    wanted = select(*columns).where(col(ConnectorRow.station_id).in_(station_ids)).order_by(*map(col, key))
    rows = (await session.execute(wanted)).all()
    return connectors_from_batch((*row[:-2], micros(row[-2]), micros(row[-1])) for row in rows)


async def existing(session: AsyncSession, station_ids: Sequence[str]) -> set[str]:
    """Those of the ids that are stations."""
    found = await session.execute(select(col(StationRow.id)).where(col(StationRow.id).in_(station_ids)))
    return set(found.scalars())


async def credentials(session: AsyncSession, station_ids: Sequence[str]) -> dict[str, Credentials]:
    """What each of these stations (ids exactly as given) may come in with; unknown ones are not named."""
    found = await ask(session, _CREDENTIALS, station_ids)
    return {
        row[0]: Credentials(
            Admission(row[1]), _decode(row[2]).security_profile, row[3], moment_or_none(row[4])
        )
        for row in found
    }


async def set_password_hash(session: AsyncSession, station_id: str, hashed: str | None) -> None:
    """Replaces the password; raises NotFound."""
    await _change(session, station_id, password_hash=hashed, adopt_until=None)


async def adopt_until(session: AsyncSession, station_id: str, moment: datetime | None) -> None:
    """Until when one connection without password is let in (None: no longer); raises NotFound."""
    await _change(session, station_id, adopt_until=moment)


async def take_lease(session: AsyncSession, station_id: str) -> int:
    """Makes the caller the only writer of this station: raises its epoch by one and gives it; raises NotFound."""
    raised = await session.execute(
        sql_update(StationRow)
        .where(col(StationRow.id) == station_id)
        .values(epoch=col(StationRow.epoch) + 1)
        .returning(col(StationRow.epoch))
        .execution_options(synchronize_session=False)
    )
    epoch: int | None = raised.scalar_one_or_none()
    if epoch is None:
        raise NotFound(f"station {station_id}")
    return epoch


async def set_online(
    session: AsyncSession, station_id: str, epoch: int, now: datetime, *, online: bool
) -> bool:
    """Notes that the holder of this epoch got or lost the connection; False where a newer one holds it."""
    values = {"connected_at": now, "last_seen": now} if online else {"disconnected_at": now}
    changed = await session.execute(
        sql_update(StationRow)
        .where(col(StationRow.id) == station_id, col(StationRow.epoch) == epoch)
        .values(online=online, **values)
        .returning(col(StationRow.id))
        .execution_options(synchronize_session=False)
    )
    return changed.scalar_one_or_none() is not None


async def give_up_lost(session: AsyncSession, now: datetime) -> None:
    """Stations whose process is gone have no socket any more; should it live after all, it holds them no longer."""
    await session.execute(
        sql_update(StationRow)
        .where(col(StationRow.online).is_(True), lost(col(StationRow.node)))
        .values(online=False, node=None, epoch=col(StationRow.epoch) + 1, disconnected_at=now)
        .execution_options(synchronize_session=False)
    )


async def holder(session: AsyncSession, station_id: str) -> int | None:
    """The process that has the station's socket; None: it has none."""
    found = await session.execute(
        select(col(StationRow.node)).where(col(StationRow.id) == station_id, col(StationRow.online).is_(True))
    )
    return found.scalar_one_or_none()


async def held_by(session: AsyncSession, node: int, station_ids: Sequence[str]) -> set[str]:
    """Those of these stations whose newest socket is this process's."""
    found = await session.scalars(
        select(col(StationRow.id)).where(col(StationRow.id).in_(station_ids), col(StationRow.node) == node)
    )
    return set(found)


async def _change(session: AsyncSession, station_id: str, **values: object) -> None:
    changed = await session.execute(
        sql_update(StationRow)
        .where(col(StationRow.id) == station_id)
        .values(**values)
        .returning(col(StationRow.id))
        .execution_options(synchronize_session=False)
    )
    if changed.scalar_one_or_none() is None:
        raise NotFound(f"station {station_id}")


async def _row(session: AsyncSession, station_id: str) -> StationRow | None:
    return await session.get(StationRow, station_id, populate_existing=True)


def stored(row: StationRow) -> StoredStation:
    """A row as the rest of the house knows it."""
    return StoredStation(
        station=msgspec.structs.replace(row.doc, last_updated=row.last_updated),
        has_password=row.password_hash is not None,
        online=row.online,
        connected_at=row.connected_at,
        disconnected_at=row.disconnected_at,
        last_seen=row.last_seen,
        adopt_until=row.adopt_until,
        created_at=row.created_at,
    )
