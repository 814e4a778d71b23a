"""Delivery rows: one per (partner, object), raised to a newer version instead of queued; and partners' back-off."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import BigInteger, Index, Text, UniqueConstraint
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel

from app.domain.events import Mark
from app.store.announcements import Unheard
from app.store.bulk.statements import Row, run, upsert
from app.store.database.columns import UtcMicros, document, identity, micros

EVENT = "event"
"""Kind of the dead row that stands for an event a subscriber failed on; its partner is empty."""


class DeliveryRow(SQLModel, table=True):
    """That a partner has yet to be told of version `wanted` of an object, or was told of version `confirmed`.

    `node` is the process that delivers it while it is in flight.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("partner_id", "kind", "object_id", name="uq_deliveries_object"),
        Index("ix_deliveries_due", "state", "next_at"),
        Index("ix_deliveries_order", "partner_id", "state", "rank", "created_at"),
    )

    id: int | None = Field(default=None, sa_column=identity())
    partner_id: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    object_id: str = Field(sa_type=Text)
    rank: int = Field(sa_type=BigInteger)
    whole: bool
    wanted: int = Field(sa_type=BigInteger)
    confirmed: int | None = Field(default=None, sa_type=BigInteger)
    state: str = Field(sa_type=Text)
    attempts: int = Field(default=0, sa_type=BigInteger)
    next_at: datetime = Field(sa_type=UtcMicros)
    leased_until: datetime | None = Field(default=None, sa_type=UtcMicros)
    last_error: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_type=UtcMicros)
    delivered_at: datetime | None = Field(default=None, sa_type=UtcMicros)
    node: int | None = Field(default=None, sa_type=BigInteger)


class LaneRow(SQLModel, table=True):
    """How a partner answers, and when it is tried again."""

    __tablename__ = "lanes"

    partner_id: str = Field(primary_key=True, sa_type=Text)
    failures: int = Field(default=0, sa_type=BigInteger)
    retry_at: datetime | None = Field(default=None, sa_type=UtcMicros)
    paused: bool = False
    last_error: str | None = Field(default=None, sa_type=Text)
    last_success: datetime | None = Field(default=None, sa_type=UtcMicros)


COLUMNS = (
    "partner_id", "kind", "object_id", "rank", "whole", "wanted", "state", "attempts", "next_at", "last_error",
    "created_at",
)  # fmt: skip
_SETTLED = "{old}.state IN ('delivered', 'dead', 'discarded')"


def _afresh(new: str, old: str) -> str:
    """What a column becomes: the new value where the row was settled, its old one while it is under way."""
    return f"CASE WHEN {_SETTLED} THEN {new} ELSE {old} END"


UPSERT_DELIVERIES = upsert(
    DeliveryRow,
    COLUMNS,
    COLUMNS[:3],
    {
        "wanted": "{greatest}({old}.wanted + 1, {new}.wanted)",
        "whole": "CASE WHEN {old}.state = 'delivered' THEN {new}.whole ELSE ({old}.whole OR {new}.whole) END",
        "state": _afresh("{new}.state", "{old}.state"),
        "attempts": _afresh("0", "{old}.attempts"),
        "next_at": _afresh("{new}.next_at", "{old}.next_at"),
        "created_at": _afresh("{new}.created_at", "{old}.created_at"),
        "last_error": _afresh("{new}.last_error", "{old}.last_error"),
        "delivered_at": _afresh("NULL", "{old}.delivered_at"),
    },
)
"""Raises marks. `wanted` rises with every mark, so that one raised during a delivery is seen when it is settled:
settle against the `wanted` that was claimed. A settled row starts anew; one under way keeps its turn."""


def delivery_row(mark: Mark, due: datetime) -> Row:
    """The stored form of a mark that is due from `due` on, in the order of COLUMNS."""
    stamp = micros(due)
    return (
        mark.partner_id, mark.kind, mark.object_id, mark.rank, mark.whole, micros(mark.wanted), "waiting", 0,
        stamp, None, stamp,
    )  # fmt: skip


def unheard_row(unheard: Unheard, now: datetime) -> Row:
    """The stored form of an event that a subscriber failed on: dead, for the operator."""
    stamp = micros(now)
    name = f"{type(unheard.event).__name__} {document(unheard.event)}"
    return ("", EVENT, name, 0, False, stamp, "dead", 0, stamp, unheard.error.replace("\0", ""), stamp)


def rows(marks: Sequence[Mark], unheard: Sequence[Unheard], now: datetime) -> list[Row]:
    """Rows for UPSERT_DELIVERIES, one per object: of several marks the newest, whole if one of them is."""
    latest: dict[tuple[str, str, str], Mark] = {}
    for mark in marks:
        key = (mark.partner_id, mark.kind, mark.object_id)
        before = latest.get(key)
        latest[key] = mark if before is None else _joined(before, mark)
    named = {row[2]: row for row in (unheard_row(each, now) for each in unheard)}
    return [*(delivery_row(mark, now) for mark in latest.values()), *named.values()]


async def keep(
    session: AsyncSession, marks: Sequence[Mark], unheard: Sequence[Unheard], now: datetime
) -> None:
    """Writes marks and unheard events in the caller's transaction (app.store.announcements.MarkKeeper)."""
    await run(session, UPSERT_DELIVERIES, rows(marks, unheard, now))


def _joined(one: Mark, other: Mark) -> Mark:
    newest = max(one, other, key=lambda mark: mark.wanted)
    return msgspec.structs.replace(newest, whole=one.whole or other.whole)
