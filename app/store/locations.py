"""Location rows, and EVSE rows with the live status that the batch writes beside them."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace
from sqlalchemy import BigInteger, Column, ColumnElement, Index, Text, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from app.domain.locations import Connector, Evse, Location
from app.domain.status import OPERATORS_OWN, EvseStatus
from app.store.bulk.statements import Row, query, update
from app.store.bulk.writer import Batch
from app.store.database.columns import Document, UtcMicros, micros, moment
from app.store.paging import Page, Window
from app.store.paging import page as changed_since

_STEP = timedelta(milliseconds=1)
_FRESH = {"populate_existing": True}


class LocationRow(SQLModel, table=True):
    """One of our locations; `doc` holds it without live status, `id_key` is the id as compared."""

    __tablename__ = "locations"
    __table_args__ = (
        Index("ix_locations_seq", "seq", "id"),
        Index("ix_locations_last_updated", "last_updated"),
    )

    id: str = Field(primary_key=True, sa_type=Text)
    id_key: str = Field(unique=True, sa_type=Text)
    doc: Location = Field(sa_column=Column(Document(Location), nullable=False))
    published: bool
    roaming: bool
    seq: int = Field(sa_type=BigInteger)
    last_updated: datetime = Field(sa_type=UtcMicros)

    model_config = {"arbitrary_types_allowed": True}


class EvseRow(SQLModel, table=True):
    """Live status of one EVSE. `override` is the operator's own word, `reported` the station's.

    Where no station is attached, `reported` is what the operator said.
    """

    __tablename__ = "evses"

    location_id: str = Field(primary_key=True, sa_type=Text)
    uid: str = Field(primary_key=True, sa_type=Text)
    override: str | None = Field(default=None, sa_type=Text)
    reported: str = Field(sa_type=Text)
    last_updated: datetime = Field(sa_type=UtcMicros)

    @property
    def status(self) -> EvseStatus:
        """What drivers see."""
        return EvseStatus(self.override or self.reported)


_RAISED = "{greatest}({old}.last_updated + 1000, {new}.last_updated)"

UPDATE_EVSE_REPORTED = update(
    EvseRow,
    ("location_id", "uid", "reported", "last_updated"),
    ("location_id", "uid"),
    {"reported": "{new}.reported", "last_updated": _RAISED},
)
"""The station's word about an EVSE; `last_updated` rises by at least a millisecond, whoever wrote before."""

TOUCH_LOCATIONS = update(LocationRow, ("id", "last_updated"), ("id",), {"last_updated": _RAISED})
"""Raises a location's own `last_updated` because something inside it changed."""

LOCATIONS_BY_KEY = query(
    "SELECT l.id_key, l.doc, l.last_updated, e.uid, e.override, e.reported, e.last_updated "
    "FROM locations l LEFT JOIN evses e ON e.location_id = l.id WHERE l.id_key {any0}",
    "text",
)
"""One row per EVSE of each location; `from_batch` makes locations of them."""

REPORTED_OF_LOCATIONS = query("SELECT location_id, uid, reported FROM evses WHERE location_id {any0}", "text")
"""What stations last said of the EVSEs of locations (ids as stored)."""

_LIVE_EVSES = query(
    "SELECT e.location_id, e.uid, e.override, e.reported, e.last_updated, l.roaming "
    "FROM evses e JOIN locations l ON l.id = e.location_id WHERE (e.location_id, e.uid) {pairs}",
    "text",
    "text",
)

Live = dict[str, tuple[EvseStatus, datetime]]
"""Status and version of a location's EVSEs, by uid in upper case."""

_decode = msgspec.json.Decoder(Location).decode


def from_batch(rows: Iterable[Row]) -> dict[str, Location]:
    """Locations with live status by folded id, from the rows of LOCATIONS_BY_KEY."""
    documents: dict[str, tuple[str, int]] = {}
    live: dict[str, Live] = {}
    for key, doc, last_updated, uid, override, reported, evse_updated in rows:
        documents[key] = (doc, last_updated)
        of_location = live.setdefault(key, {})
        if uid is not None:
            of_location[uid.upper()] = (EvseStatus(override or reported), moment(evse_updated))
    return {
        key: _alive(_decode(doc), moment(last_updated), live[key])
        for key, (doc, last_updated) in documents.items()
    }


async def get(session: AsyncSession, location_id: str) -> Location | None:
    """The location with this id, compared without case, with live status."""
    found = await _row(session, location_id)
    if found is None:
        return None
    return (await _with_status(session, [found]))[found.id]


async def page(session: AsyncSession, window: Window, *, roaming_only: bool = True) -> Page:
    """Ids and versions; those kept out of OCPI only where asked for."""
    filters: list[ColumnElement[bool]] = [col(LocationRow.roaming).is_(True)] if roaming_only else []
    return await changed_since(session, LocationRow, window, filters)


async def bodies(session: AsyncSession, ids: Iterable[str]) -> dict[str, Location]:
    """The locations with these ids (as stored), with live status."""
    found = await session.execute(select(LocationRow).where(col(LocationRow.id).in_(list(ids))))
    return await _with_status(session, list(found.scalars()))


async def live_evses(
    batch: Batch, names: Sequence[tuple[str, str]]
) -> list[tuple[str, str, EvseStatus, datetime, bool]]:
    """Of these EVSEs (location id, uid): both ids, status, version, and whether the location may roam."""
    found = await batch.fetch(_LIVE_EVSES, [name for name, _ in names], [uid for _, uid in names])
    return [
        (location_id, uid, EvseStatus(override or reported), moment(version), bool(roaming))
        for location_id, uid, override, reported, version, roaming in found
    ]


async def holders(session: AsyncSession, uids: Collection[str]) -> dict[str, str]:
    """Which location has an EVSE of this uid (compared without case), by uid in upper case."""
    folded = func.upper(col(EvseRow.uid))
    wanted = select(folded, col(EvseRow.location_id)).where(folded.in_([uid.upper() for uid in uids]))
    return {row[0]: row[1] for row in await session.execute(wanted)}


async def overrides(session: AsyncSession, location_id: str) -> dict[str, EvseStatus]:
    """The operator's own word about EVSEs of a location (id as stored), by uid in upper case."""
    return {
        row.uid.upper(): EvseStatus(row.override)
        for row in await _evses(session, [location_id])
        if row.override is not None
    }


async def save(
    session: AsyncSession, location: Location, now: datetime, *, attached: Collection[str] = ()
) -> Location:
    """Creates or replaces a location and gives it back as stored, with live status.

    `attached` names the EVSEs (uid in upper case) that a station reports for: of the status given for
    them only PLANNED, REMOVED, BLOCKED and INOPERATIVE count. What did not change keeps its version.
    """
    stored = await _row(session, location.id)
    before = None if stored is None else (await _with_status(session, [stored]))[stored.id]
    stamp = now if stored is None else max(now, stored.last_updated + _STEP)
    rows = {} if stored is None else {row.uid.upper(): row for row in await _evses(session, [stored.id])}
    id_ = location.id if stored is None else stored.id
    evses = tuple(
        _versioned(evse, before.evse(evse.uid) if before else None, stamp) for evse in location.evses
    )
    lifeless = tuple(replace(evse, status=EvseStatus.UNKNOWN) for evse in evses)
    document = replace(location, id=id_, evses=lifeless, last_updated=stamp)
    _put_row(session, stored, document, stamp)
    kept = {evse.uid.upper() for evse in evses}
    await _drop_evses(session, id_, [row.uid for uid, row in rows.items() if uid not in kept])
    live: Live = {}
    for evse in evses:
        row = _put_evse(
            session, id_, rows.get(evse.uid.upper()), evse, stamp, attached=evse.uid.upper() in attached
        )
        live[evse.uid.upper()] = (row.status, row.last_updated)
    await session.flush()
    return _alive(document, stamp, live)


def _put_row(session: AsyncSession, stored: LocationRow | None, document: Location, stamp: datetime) -> None:
    published = document.publish
    if stored is None:
        session.add(
            LocationRow(
                id=document.id,
                id_key=document.id.upper(),
                doc=document,
                published=published,
                roaming=document.roaming,
                seq=micros(stamp),
                last_updated=stamp,
            )
        )
        return
    stored.doc, stored.published, stored.roaming = document, published, document.roaming
    stored.last_updated = stamp


def _put_evse(
    session: AsyncSession,
    location_id: str,
    row: EvseRow | None,
    evse: Evse,
    stamp: datetime,
    *,
    attached: bool,
) -> EvseRow:
    own = evse.status if evse.status in OPERATORS_OWN else None
    if row is None:
        first = EvseStatus.UNKNOWN if attached else evse.status
        row = EvseRow(
            location_id=location_id, uid=evse.uid, override=own, reported=first.value, last_updated=stamp
        )
        session.add(row)
        return row
    seen = row.status
    row.override = own
    if not attached and own is None:
        row.reported = evse.status.value
    if row.status is not seen or evse.last_updated == stamp:
        row.last_updated = max(stamp, row.last_updated + _STEP)
    return row


async def _drop_evses(session: AsyncSession, location_id: str, uids: Sequence[str]) -> None:
    if uids:
        await session.execute(
            delete(EvseRow).where(col(EvseRow.location_id) == location_id, col(EvseRow.uid).in_(uids))
        )


def _versioned(evse: Evse, before: Evse | None, stamp: datetime) -> Evse:
    """An EVSE whose parts carry their old version where they are as they were, else the new one."""
    connectors = tuple(
        _versioned_connector(c, before.connector(c.id) if before else None, stamp) for c in evse.connectors
    )
    uid = evse.uid if before is None else before.uid
    evse = replace(evse, uid=uid, connectors=connectors)
    if before is not None and replace(evse, status=before.status, last_updated=before.last_updated) == before:
        return replace(evse, last_updated=before.last_updated)
    return replace(evse, last_updated=stamp)


def _versioned_connector(connector: Connector, before: Connector | None, stamp: datetime) -> Connector:
    if before is not None and replace(connector, last_updated=before.last_updated) == before:
        return before
    return replace(connector, last_updated=stamp)


async def _row(session: AsyncSession, location_id: str) -> LocationRow | None:
    wanted = select(LocationRow).where(col(LocationRow.id_key) == location_id.upper())
    return (await session.execute(wanted, execution_options=_FRESH)).scalar_one_or_none()


async def _evses(session: AsyncSession, location_ids: Sequence[str]) -> Sequence[EvseRow]:
    wanted = select(EvseRow).where(col(EvseRow.location_id).in_(location_ids))
    return (await session.execute(wanted, execution_options=_FRESH)).scalars().all()


async def _with_status(session: AsyncSession, rows: Sequence[LocationRow]) -> dict[str, Location]:
    live: dict[str, Live] = {row.id: {} for row in rows}
    for evse in await _evses(session, list(live)):
        live[evse.location_id][evse.uid.upper()] = (evse.status, evse.last_updated)
    return {row.id: _alive(row.doc, row.last_updated, live[row.id]) for row in rows}


def _alive(location: Location, last_updated: datetime, live: Live) -> Location:
    evses = tuple(
        replace(evse, status=status, last_updated=version)
        for evse in location.evses
        for status, version in [live.get(evse.uid.upper(), (EvseStatus.UNKNOWN, evse.last_updated))]
    )
    return replace(location, evses=evses, last_updated=last_updated)
