"""The outbox as the operator sees it: list, retry, discard, and how far behind each partner is."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.errors import Conflict, NotFound
from app.kit import metrics
from app.outbox.tables import EVENT, DeliveryRow
from app.store.database.columns import UtcMicros

_SETTLED = ("delivered", "dead", "discarded")
_FREE = ("waiting", "failing")


class Backlog(NamedTuple):
    """What a partner has not been told yet: how many objects, and since when the oldest."""

    depth: int
    oldest: datetime | None


class About(NamedTuple):
    """One object, and the partners that may be told of it."""

    kind: str
    object_id: str
    partners: Sequence[str]


async def find(
    session: AsyncSession,
    *,
    partner_id: str | None = None,
    state: str | None = None,
    about: About | None = None,
    limit: int,
    offset: int = 0,
) -> tuple[Sequence[DeliveryRow], int]:
    """Deliveries newest first, read only, and how many there are in all."""
    filters: list[ColumnElement[bool]] = []
    if partner_id is not None:
        filters.append(col(DeliveryRow.partner_id) == partner_id)
    if state is not None:
        filters.append(col(DeliveryRow.state) == state)
    if about is not None:
        filters += [
            col(DeliveryRow.partner_id).in_(about.partners),
            col(DeliveryRow.kind) == about.kind,
            col(DeliveryRow.object_id) == about.object_id,
        ]
    total = (
        await session.execute(select(func.count()).select_from(DeliveryRow).where(*filters))
    ).scalar_one()
    newest_first = (col(DeliveryRow.created_at).desc(), col(DeliveryRow.id).desc())
    wanted = select(DeliveryRow).where(*filters).order_by(*newest_first).limit(limit).offset(offset)
    return (await session.execute(wanted)).scalars().all(), total


async def get(session: AsyncSession, delivery_id: int) -> DeliveryRow:
    """One delivery. Raises NotFound."""
    row = await session.get(DeliveryRow, delivery_id, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no delivery {delivery_id}")
    return row


async def retry(session: AsyncSession, delivery_id: int, now: datetime) -> DeliveryRow:
    """Make one delivery due now, a dead or discarded one too. Raises NotFound, or Conflict while it is under way or done."""
    row = await get(session, delivery_id)
    if row.state not in (*_FREE, "dead", "discarded") or row.kind == EVENT:
        raise Conflict(f"delivery {delivery_id} is {row.state}: there is nothing to retry")
    row.state, row.next_at, row.attempts, row.created_at = "waiting", now, 0, now
    await session.flush()
    return row


async def discard(session: AsyncSession, delivery_id: int, reason: str) -> DeliveryRow:
    """Try no more, by an operator's wish; the next change of the object is told as ever.

    Raises NotFound, or Conflict while it is under way or done.
    """
    row = await get(session, delivery_id)
    if row.state not in (*_FREE, "dead"):
        raise Conflict(f"delivery {delivery_id} is {row.state}: there is nothing to discard")
    row.state, row.last_error, row.leased_until = "discarded", reason, None
    await session.flush()
    return row


async def give_up(session: AsyncSession, partner_id: str, reason: str) -> None:
    """Nothing more is told to this partner; what it was not told stays visible as dead."""
    await session.execute(
        update(DeliveryRow)
        .where(col(DeliveryRow.partner_id) == partner_id, col(DeliveryRow.state).not_in(_SETTLED))
        .values(state="dead", last_error=reason, leased_until=None)
        .execution_options(synchronize_session=False)
    )


async def confirmed_among(
    session: AsyncSession, partner_id: str, named: Sequence[tuple[str, str]]
) -> set[tuple[str, str]]:
    """Those of these objects (kind, object id) that the partner has confirmed in some version."""
    if not named:
        return set()
    key = tuple_(col(DeliveryRow.kind), col(DeliveryRow.object_id))
    wanted = select(col(DeliveryRow.kind), col(DeliveryRow.object_id)).where(
        col(DeliveryRow.partner_id) == partner_id,
        key.in_(list(named)),
        col(DeliveryRow.confirmed).is_not(None),
    )
    return {(kind, object_id) for kind, object_id in (await session.execute(wanted)).all()}


async def first_told(
    session: AsyncSession, kind: str, object_id: str, partners: Collection[str]
) -> str | None:
    """Which of these partners was the first to be told of an object, or to be about to be."""
    found = await session.scalars(
        select(col(DeliveryRow.partner_id))
        .where(
            col(DeliveryRow.partner_id).in_(list(partners)),
            col(DeliveryRow.kind) == kind,
            col(DeliveryRow.object_id) == object_id,
        )
        .order_by(col(DeliveryRow.id))
        .limit(1)
    )
    return found.first()


async def backlogs(session: AsyncSession) -> dict[str, Backlog]:
    """What is not told yet, by partner; partners that know everything are left out."""
    oldest = func.min(DeliveryRow.created_at, type_=UtcMicros)
    wanted = (
        select(col(DeliveryRow.partner_id), func.count(), oldest)
        .where(col(DeliveryRow.state).not_in(_SETTLED))
        .group_by(col(DeliveryRow.partner_id))
    )
    rows = (await session.execute(wanted)).all()
    return {partner_id: Backlog(depth, since) for partner_id, depth, since in rows}


async def count_dead(session: AsyncSession) -> int:
    """How many objects partners would not take."""
    wanted = select(func.count()).select_from(DeliveryRow).where(col(DeliveryRow.state) == "dead")
    return (await session.execute(wanted)).scalar_one()


def publish(found: dict[str, Backlog], partners: Iterable[str], now: datetime) -> None:
    """Set the gauges of all these partners."""
    for partner_id in {*partners, *found}:
        backlog = found.get(partner_id, Backlog(0, None))
        age = 0.0 if backlog.oldest is None else max(0.0, (now - backlog.oldest).total_seconds())
        metrics.OUTBOX_DEPTH.labels(partner_id).set(backlog.depth)
        metrics.OUTBOX_OLDEST.labels(partner_id).set(age)
