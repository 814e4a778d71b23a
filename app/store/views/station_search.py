"""Looking for stations among many: by state, place, make, version, fault, or a part of a name."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.stations import Admission
from app.domain.status import ConnectorStatus
from app.store.database.in_doc import in_doc
from app.store.stations import ConnectorRow, StationRow, StoredStation, stored


class StationQuery(NamedTuple):
    """What is looked for; None does not matter. `search` is part of an id, a model or a serial number.

    `sort` is one of SORTS, with `-` before it for the other way round.
    """

    state: Admission | None = None
    location_id: str | None = None
    online: bool | None = None
    status: ConnectorStatus | None = None
    model: str | None = None
    firmware: str | None = None
    version: str | None = None
    search: str | None = None
    sort: str = "id"


class Make(NamedTuple):
    """How many stations are of this make and firmware, and speak this version of OCPP."""

    model: str | None
    firmware: str | None
    version: str | None
    stations: int


def _in_doc(*names: str) -> ColumnElement[str]:
    return in_doc(col(StationRow.doc), *names)


_MODEL = _in_doc("boot", "model")
_FIRMWARE = _in_doc("boot", "firmware_version")
_VERSION = _in_doc("ocpp_version")

SORTS: dict[str, Any] = {
    "id": col(StationRow.id),
    "location": col(StationRow.location_id),
    "online": col(StationRow.online),
    "last_seen": col(StationRow.last_seen),
    "model": _MODEL,
}


async def search(
    session: AsyncSession, wanted: StationQuery, *, limit: int, offset: int = 0
) -> tuple[list[StoredStation], int]:
    """A page of the stations that are wanted, and how many there are in all."""
    filters = _filters(wanted)
    total = (await session.execute(select(func.count()).select_from(StationRow).where(*filters))).scalar_one()
    column = SORTS[wanted.sort.removeprefix("-")]
    order = column.desc() if wanted.sort.startswith("-") else column.asc()
    page = select(StationRow).where(*filters).order_by(order, col(StationRow.id)).limit(limit).offset(offset)
    return [stored(row) for row in (await session.execute(page)).scalars()], total


async def makes(session: AsyncSession) -> Sequence[Make]:
    """What the stations that were let in are, most frequent first."""
    wanted = (
        select(_MODEL, _FIRMWARE, _VERSION, func.count())
        .where(col(StationRow.state) == Admission.ACCEPTED.value)
        .group_by(_MODEL, _FIRMWARE, _VERSION)
        .order_by(func.count().desc())
        .limit(1000)
    )
    return [Make(*row) for row in await session.execute(wanted)]


def _filters(wanted: StationQuery) -> list[ColumnElement[bool]]:
    pairs: list[tuple[Any, Any]] = [
        (col(StationRow.state), None if wanted.state is None else wanted.state.value),
        (col(StationRow.location_id), wanted.location_id),
        (_MODEL, wanted.model),
        (_FIRMWARE, wanted.firmware),
        (_VERSION, wanted.version),
    ]
    filters: list[ColumnElement[bool]] = [column == value for column, value in pairs if value is not None]
    if wanted.online is not None:
        filters.append(col(StationRow.online).is_(wanted.online))
    if wanted.status is not None:
        filters.append(
            exists().where(
                col(ConnectorRow.station_id) == col(StationRow.id),
                col(ConnectorRow.status) == wanted.status.value,
            )
        )
    if wanted.search:
        filters.append(_anywhere(wanted.search))
    return filters


def _anywhere(part: str) -> ColumnElement[bool]:
    fields = (col(StationRow.id), _MODEL, _in_doc("boot", "serial_number"), col(StationRow.location_id))
    found: ColumnElement[bool] = func.lower(fields[0]).contains(part.lower(), autoescape=True)
    for field in fields[1:]:
        found = found | func.lower(field).contains(part.lower(), autoescape=True)
    return found
