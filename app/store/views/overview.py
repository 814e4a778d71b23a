"""Counts over the whole network: stations, connectors, records and deliveries by state."""

from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.cdrs import CdrState
from app.domain.stations import Admission
from app.store.cdrs import CdrRow
from app.store.stations import ConnectorRow, StationRow


class StationCounts(NamedTuple):
    """Stations that were let in, how many of them are connected, and how many wait to be let in."""

    accepted: int
    online: int
    pending: int


async def count_stations(session: AsyncSession) -> StationCounts:
    """Stations by admission and connection."""
    wanted = select(col(StationRow.state), col(StationRow.online), func.count()).group_by(
        col(StationRow.state), col(StationRow.online)
    )
    found = {(state, bool(online)): count for state, online, count in (await session.execute(wanted)).all()}
    connected = found.get((Admission.ACCEPTED.value, True), 0)
    return StationCounts(
        accepted=connected + found.get((Admission.ACCEPTED.value, False), 0),
        online=connected,
        pending=sum(count for (state, _), count in found.items() if state == Admission.PENDING.value),
    )


async def count_connectors(session: AsyncSession) -> dict[str, int]:
    """Connectors of stations that are connected, by what they said last."""
    online = select(col(StationRow.id)).where(
        col(StationRow.state) == Admission.ACCEPTED.value, col(StationRow.online).is_(True)
    )
    wanted = (
        select(col(ConnectorRow.status), func.count())
        .where(col(ConnectorRow.evse) != 0, col(ConnectorRow.station_id).in_(online))
        .group_by(col(ConnectorRow.status))
        .order_by(col(ConnectorRow.status))
    )
    return {row[0]: row[1] for row in await session.execute(wanted)}


async def count_faults(session: AsyncSession) -> int:
    """Connectors that are faulted, and stations that are as a whole."""
    wanted = select(func.count()).select_from(ConnectorRow).where(col(ConnectorRow.status) == "Faulted")
    return (await session.execute(wanted)).scalar_one()


async def count_held(session: AsyncSession) -> int:
    """Records that wait for an operator."""
    wanted = select(func.count()).select_from(CdrRow).where(col(CdrRow.state) == CdrState.HELD.value)
    return (await session.execute(wanted)).scalar_one()
