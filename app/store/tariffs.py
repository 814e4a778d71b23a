"""Tariff rows."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from functools import lru_cache

import msgspec
from msgspec.structs import replace
from sqlalchemy import BigInteger, Column, ColumnElement, Index, Text, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from app.domain.tariffs import Tariff
from app.store.bulk.statements import Row, query
from app.store.database.columns import Document, UtcMicros, micros, moment
from app.store.paging import Page, Window
from app.store.paging import page as changed_since

_STEP = timedelta(milliseconds=1)
_FRESH = {"populate_existing": True}


class TariffRow(SQLModel, table=True):
    """One of our tariffs; a withdrawn one stays, so that sessions that name it can still be explained."""

    __tablename__ = "tariffs"
    __table_args__ = (Index("ix_tariffs_seq", "seq", "id"), Index("ix_tariffs_last_updated", "last_updated"))

    id: str = Field(primary_key=True, sa_type=Text)
    id_key: str = Field(unique=True, sa_type=Text)
    doc: Tariff = Field(sa_column=Column(Document(Tariff), nullable=False))
    withdrawn: bool = False
    seq: int = Field(sa_type=BigInteger)
    last_updated: datetime = Field(sa_type=UtcMicros)

    model_config = {"arbitrary_types_allowed": True}


TARIFFS_BY_KEY = query(
    "SELECT id_key, doc, last_updated FROM tariffs WHERE NOT withdrawn AND id_key {any0}", "text"
)

_decode = msgspec.json.Decoder(Tariff).decode


def from_batch(rows: Iterable[Row]) -> dict[str, Tariff]:
    """Tariffs by folded id, from the rows of TARIFFS_BY_KEY."""
    return {key: _read(doc, version) for key, doc, version in rows}


@lru_cache(maxsize=1024)
def _read(doc: str, version: int) -> Tariff:
    """The same text is the same value, so that what pricing prepared for it is found again."""
    return replace(_decode(doc), last_updated=moment(version))


async def get(session: AsyncSession, tariff_id: str) -> Tariff | None:
    """The tariff with this id, compared without case; None also for a withdrawn one."""
    found = await _row(session, tariff_id)
    return None if found is None or found.withdrawn else _value(found)


async def save(session: AsyncSession, tariff: Tariff, now: datetime) -> Tariff:
    """Creates or replaces a tariff (a withdrawn one comes back) and gives it back as stored."""
    found = await _row(session, tariff.id)
    if found is None:
        stored = replace(tariff, last_updated=now)
        session.add(
            TariffRow(id=tariff.id, id_key=tariff.id.upper(), doc=stored, seq=micros(now), last_updated=now)
        )
    else:
        stamp = max(now, found.last_updated + _STEP)
        stored = replace(tariff, id=found.id, last_updated=stamp)
        found.doc, found.withdrawn, found.last_updated = stored, False, stamp
    await session.flush()
    return stored


async def withdraw(session: AsyncSession, tariff_id: str, now: datetime) -> Tariff | None:
    """Takes a tariff out of all lists; gives back what it was, None where there is none."""
    found = await _row(session, tariff_id)
    if found is None or found.withdrawn:
        return None
    found.withdrawn, found.last_updated = True, max(now, found.last_updated + _STEP)
    await session.flush()
    return _value(found)


async def page(session: AsyncSession, window: Window, *, without: Collection[str] = ()) -> Page:
    """Ids and versions of the tariffs that are not withdrawn, `without` some (ids in upper case)."""
    filters: list[ColumnElement[bool]] = [col(TariffRow.withdrawn).is_(False)]
    if without:
        filters.append(col(TariffRow.id_key).not_in(sorted(without)))
    return await changed_since(session, TariffRow, window, filters)


async def bodies(session: AsyncSession, ids: Iterable[str]) -> dict[str, Tariff]:
    """The tariffs with these ids (as stored), withdrawn ones included."""
    found = await session.execute(select(TariffRow).where(col(TariffRow.id).in_(list(ids))))
    return {row.id: _value(row) for row in found.scalars()}


async def by_keys(session: AsyncSession, keys: Collection[str]) -> list[Tariff]:
    """The tariffs with these ids (in upper case) that are not withdrawn, by id."""
    found = await session.execute(
        select(TariffRow)
        .where(col(TariffRow.id_key).in_(sorted(keys)), col(TariffRow.withdrawn).is_(False))
        .order_by(col(TariffRow.id_key))
    )
    return [_value(row) for row in found.scalars()]


async def is_withdrawn(session: AsyncSession, tariff_id: str) -> bool:
    """Whether partners have to be told that it is gone."""
    found = await _row(session, tariff_id)
    return found is not None and found.withdrawn


async def withdrawn_among(session: AsyncSession, ids: Collection[str]) -> set[str]:
    """Those of these tariffs (ids as stored) that are withdrawn."""
    wanted = select(col(TariffRow.id)).where(
        col(TariffRow.id).in_(list(ids)), col(TariffRow.withdrawn).is_(True)
    )
    return set((await session.execute(wanted)).scalars())


async def _row(session: AsyncSession, tariff_id: str) -> TariffRow | None:
    wanted = select(TariffRow).where(col(TariffRow.id_key) == tariff_id.upper())
    return (await session.execute(wanted, execution_options=_FRESH)).scalar_one_or_none()


def _value(row: TariffRow) -> Tariff:
    return replace(row.doc, last_updated=row.last_updated)
