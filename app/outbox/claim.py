"""Taking what is due: the next deliveries of every partner that can be reached, in order, under a lease."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from app.outbox.outcomes import Claim
from app.outbox.tables import DeliveryRow, LaneRow
from app.store.columns import UtcMicros

LEASE = timedelta(seconds=45)
"""How long a claimed delivery belongs to its worker; longer than any delivery takes."""

_WAITING = ("waiting", "failing")
_OPEN = (*_WAITING, "in_flight")
_HOLDS_BACK = 5
"""An object that failed this often on its own account no longer holds up what comes after it."""

_COLUMNS: tuple[Any, ...] = (
    DeliveryRow.id,
    DeliveryRow.partner_id,
    DeliveryRow.kind,
    DeliveryRow.object_id,
    DeliveryRow.whole,
    DeliveryRow.wanted,
    DeliveryRow.confirmed,
    DeliveryRow.attempts,
    DeliveryRow.created_at,
)


async def claim(
    session: AsyncSession, now: datetime, *, limit: int, without: Collection[str] = ()
) -> list[Claim]:
    """Lease the deliveries that are due, at most `limit`, oldest due first; none for partners in `without`.

    A delivery waits while an object of a lower rank, marked for the same partner before it, is not yet told:
    tariffs, then locations, then sessions, then CDRs. EVSE changes never hold anything up.
    """
    lease = now + LEASE
    asked = {"now": now, "most": limit, "without": list(without)}
    rows = (await session.execute(_DUE_LOCKED, asked)).all()
    if rows:
        await session.execute(
            update(DeliveryRow)
            .where(col(DeliveryRow.id).in_([row.id for row in rows]))
            .values(state="in_flight", leased_until=lease)
            .execution_options(synchronize_session=False)
        )
    return [Claim(**dict(row._mapping), leased_until=lease) for row in rows]  # noqa: SLF001 - its public name


async def anything_due(session: AsyncSession, now: datetime, without: Collection[str] = ()) -> bool:
    """Whether a claim would find something."""
    asked = {"now": now, "most": 1, "without": list(without)}
    return (await session.execute(_DUE, asked)).first() is not None


async def release_all(session: AsyncSession) -> None:
    """Give back every lease: at the start of the only process that delivers."""
    await session.execute(
        update(DeliveryRow)
        .where(col(DeliveryRow.state) == "in_flight")
        .values(state="waiting", leased_until=None)
        .execution_options(synchronize_session=False)
    )


def _due() -> Select[Any]:
    """The query; its parameters are `now`, `most` and `without`."""
    row = DeliveryRow
    now = bindparam("now", type_=UtcMicros)
    return (
        select(*_COLUMNS)
        .outerjoin(LaneRow, col(LaneRow.partner_id) == col(row.partner_id))
        .where(
            or_(
                and_(col(row.state).in_(_WAITING), col(row.next_at) <= now),
                and_(col(row.state) == "in_flight", col(row.leased_until) <= now),
            ),
            or_(col(LaneRow.paused).is_(None), col(LaneRow.paused).is_(False)),
            or_(col(LaneRow.retry_at).is_(None), col(LaneRow.retry_at) <= now),
            col(row.partner_id).not_in(bindparam("without", expanding=True)),
            ~_something_goes_first(),
        )
        .order_by(col(row.next_at), col(row.id))
        .limit(bindparam("most"))
    )


def _something_goes_first() -> ColumnElement[bool]:
    """Whether the partner was not yet told of a tariff, location or session of lower rank, marked before."""
    row, first = DeliveryRow, aliased(DeliveryRow)
    return (
        select(col(first.id))
        .where(
            col(first.partner_id) == col(row.partner_id),
            col(first.state).in_(_OPEN),
            col(first.rank).in_((0, 1, 3)),
            col(first.rank) < col(row.rank),
            col(first.created_at) <= col(row.created_at),
            col(first.attempts) < _HOLDS_BACK,
        )
        .exists()
    )


_DUE = _due()
_DUE_LOCKED = _DUE.with_for_update(skip_locked=True, of=DeliveryRow)
