"""What is wrong in the house right now, read from what is stored."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.cdrs import CdrState
from app.domain.stations import Admission
from app.domain.status import ConnectorStatus
from app.outbox.tables import DeliveryRow, LaneRow
from app.store.cdrs import CdrRow
from app.store.stations import ConnectorRow, StationRow

OFFLINE_AFTER = timedelta(minutes=2)
"""How long a station may be without a socket: a reconnect, or a restart of ours, is no alarm."""
FAILING_AFTER = 3
"""After so many requests in a row a partner counts as failing."""


class Alarm(StrEnum):
    """What somebody may want to be told of."""

    STATION_OFFLINE = "station_offline"
    CONNECTOR_FAULT = "connector_fault"
    PARTNER_FAILING = "partner_failing"
    DELIVERY_DEAD = "delivery_dead"
    CDR_HELD = "cdr_held"


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong, since when, and what is known of it."""

    kind: Alarm
    object_id: str
    began_at: datetime
    about: dict[str, Any]

    @property
    def key(self) -> tuple[str, str]:
        """What tells it apart."""
        return str(self.kind), self.object_id


async def current(session: AsyncSession, now: datetime) -> dict[tuple[str, str], Trouble]:
    """Everything that is wrong now."""
    found = [
        *await _offline(session, now),
        *await _faults(session),
        *await _failing(session, now),
        *await _dead(session),
        *await _held(session),
    ]
    return {each.key: each for each in found}


async def _offline(session: AsyncSession, now: datetime) -> list[Trouble]:
    columns = (col(StationRow.id), col(StationRow.location_id), col(StationRow.disconnected_at))
    rows = await session.execute(
        select(*columns).where(
            col(StationRow.online).is_(False),
            col(StationRow.state) == Admission.ACCEPTED.value,
            col(StationRow.disconnected_at) <= now - OFFLINE_AFTER,
        )
    )
    return [
        Trouble(
            kind=Alarm.STATION_OFFLINE,
            object_id=station_id,
            began_at=since or now,
            about={"station": station_id, "location": location_id},
        )
        for station_id, location_id, since in rows
    ]


async def _faults(session: AsyncSession) -> list[Trouble]:
    rows = await session.scalars(
        select(ConnectorRow).where(col(ConnectorRow.status) == ConnectorStatus.FAULTED.value)
    )
    return [
        Trouble(
            kind=Alarm.CONNECTOR_FAULT,
            object_id=f"{each.station_id}/{each.evse}/{each.connector}",
            began_at=each.received_at,
            about={
                "station": each.station_id,
                "evse": each.evse,
                "connector": each.connector,
                "error_code": each.error_code,
                "vendor_error_code": each.vendor_error_code,
                "info": each.info,
            },
        )
        for each in rows
    ]


async def _failing(session: AsyncSession, now: datetime) -> list[Trouble]:
    rows = await session.scalars(select(LaneRow).where(col(LaneRow.failures) >= FAILING_AFTER))
    return [
        Trouble(
            kind=Alarm.PARTNER_FAILING,
            object_id=each.partner_id,
            began_at=now,
            about={"partner": each.partner_id, "error": each.last_error, "given_up": each.paused},
        )
        for each in rows
    ]


async def _dead(session: AsyncSession) -> list[Trouble]:
    rows = await session.scalars(select(DeliveryRow).where(col(DeliveryRow.state) == "dead"))
    return [
        Trouble(
            kind=Alarm.DELIVERY_DEAD,
            object_id=str(each.id),
            began_at=each.next_at,
            about={
                "delivery": each.id,
                "partner": each.partner_id or None,
                "object": f"{each.kind}/{each.object_id}",
                "error": each.last_error,
            },
        )
        for each in rows
    ]


async def _held(session: AsyncSession) -> list[Trouble]:
    columns = (col(CdrRow.id), col(CdrRow.session_id), col(CdrRow.reason), col(CdrRow.created_at))
    rows = await session.execute(select(*columns).where(col(CdrRow.state) == CdrState.HELD.value))
    return [
        Trouble(
            kind=Alarm.CDR_HELD,
            object_id=cdr_id,
            began_at=created_at,
            about={"cdr": cdr_id, "session": session_id, "reason": reason},
        )
        for cdr_id, session_id, reason, created_at in rows
    ]
