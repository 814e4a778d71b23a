"""Changed-since pages: the query behind every list. Creation order, so that a change never moves an object."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel


class Position(NamedTuple):
    """Where a page ended: the creation number and id of its last object."""

    seq: int
    id: str


@dataclass(frozen=True, kw_only=True)
class Window:
    """What part of a list is wanted: changed in [date_from, date_to), `limit` objects after `offset` or `after`.

    `after` wins over `offset`: pages that follow a position lose and repeat nothing while objects change.
    """

    limit: int
    offset: int = 0
    after: Position | None = None
    date_from: datetime | None = None
    date_to: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Page:
    """Ids and versions (`last_updated`) of one page, the size of the whole list, and where to go on, if anywhere."""

    items: tuple[tuple[str, datetime], ...]
    total: int
    next: Position | None


async def page(
    session: AsyncSession, row: type[SQLModel], window: Window, filters: Sequence[ColumnElement[bool]] = ()
) -> Page:
    """One page of a table with the columns id, seq and last_updated. Pass the gate before (Store.pass_gate)."""
    columns: Any = row
    conditions = [*filters]
    if window.date_from is not None:
        conditions.append(columns.last_updated >= window.date_from)
    if window.date_to is not None:
        conditions.append(columns.last_updated < window.date_to)
    total = (await session.execute(select(func.count()).select_from(row).where(*conditions))).scalar_one()
    wanted = select(columns.id, columns.last_updated, columns.seq).where(*conditions)
    if window.after is not None:
        wanted = wanted.where(tuple_(columns.seq, columns.id) > tuple_(window.after.seq, window.after.id))
    else:
        wanted = wanted.offset(window.offset)
    ordered = wanted.order_by(columns.seq, columns.id).limit(window.limit + 1)
    found = (await session.execute(ordered)).all()
    more = len(found) > window.limit
    kept = found[: window.limit]
    return Page(
        items=tuple((id_, version) for id_, version, _ in kept),
        total=total,
        next=Position(kept[-1][2], kept[-1][0]) if more and kept else None,
    )
