"""Reservation rows, by our number and by the partner's name for them."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace
from sqlalchemy import BigInteger, Column, Index, Text, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from app.domain.reservations import Reservation, ReservationState
from app.store.bulk.statements import update
from app.store.database.columns import Document, UtcMicros


class ReservationRow(SQLModel, table=True):
    """One reservation; `reservation_key` and `location_key` are folded."""

    __tablename__ = "reservations"
    __table_args__ = (
        Index("ix_reservations_name", "partner_id", "reservation_key"),
        Index("ix_reservations_expires_at", "state", "expires_at"),
    )

    number: int = Field(sa_column=Column("number", BigInteger, primary_key=True, autoincrement=False))
    partner_id: str = Field(sa_type=Text)
    reservation_key: str = Field(sa_type=Text)
    location_key: str = Field(sa_type=Text)
    station_id: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    doc: Reservation = Field(sa_column=Column(Document(Reservation), nullable=False))
    expires_at: datetime = Field(sa_type=UtcMicros)
    created_at: datetime = Field(sa_type=UtcMicros)

    model_config = {"arbitrary_types_allowed": True}


USE_RESERVATIONS = update(
    ReservationRow, ("number", "station_id"), ("number", "station_id"), {"state": "'used'"}
)
"""A transaction began under these numbers."""


async def save(session: AsyncSession, reservation: Reservation) -> None:
    """Creates or replaces a reservation."""
    found = await session.get(ReservationRow, reservation.number, populate_existing=True)
    if found is None:
        found = ReservationRow(
            number=reservation.number,
            partner_id=reservation.asker.partner_id,
            reservation_key=reservation.reservation_id.upper(),
            location_key=reservation.location_id.upper(),
            station_id=reservation.station_id,
            state=reservation.state.value,
            doc=reservation,
            expires_at=reservation.expires_at,
            created_at=reservation.created_at,
        )
        session.add(found)
    found.state, found.doc, found.expires_at = reservation.state.value, reservation, reservation.expires_at
    await session.flush()


async def get(session: AsyncSession, number: int) -> Reservation | None:
    """The reservation with our number."""
    found = await session.get(ReservationRow, number, populate_existing=True)
    return None if found is None else _value(found)


async def by_name(session: AsyncSession, partner_id: str, reservation_id: str) -> list[Reservation]:
    """What a partner calls so, the newest first."""
    found = await session.execute(
        select(ReservationRow)
        .where(
            col(ReservationRow.partner_id) == partner_id,
            col(ReservationRow.reservation_key) == reservation_id.upper(),
        )
        .order_by(col(ReservationRow.created_at).desc())
    )
    return [_value(row) for row in found.scalars()]


async def find(session: AsyncSession, *, limit: int, offset: int = 0) -> tuple[Sequence[Reservation], int]:
    """Reservations newest first, and how many there are in all."""
    total = (await session.execute(select(func.count()).select_from(ReservationRow))).scalar_one()
    newest_first = (col(ReservationRow.created_at).desc(), col(ReservationRow.number).desc())
    wanted = select(ReservationRow).order_by(*newest_first).limit(limit).offset(offset)
    return [_value(row) for row in (await session.execute(wanted)).scalars()], total


def _value(row: ReservationRow) -> Reservation:
    return replace(row.doc, state=ReservationState(row.state))
