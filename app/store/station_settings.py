"""Rows of what a station told of its settings, and of those that knocked and were not let in."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Column, Text, delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from app.domain.stations import Knocks
from app.domain.upkeep.setting_up import Setting
from app.store.database.columns import Document, UtcMicros


class StoredSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a station told when it was last asked, with what was changed since; `unknown` it does not have."""

    settings: tuple[Setting, ...] = ()
    unknown: tuple[str, ...] = ()
    read_at: datetime


class SettingsRow(SQLModel, table=True):
    """The settings of one station."""

    __tablename__ = "station_settings"

    station_id: str = Field(primary_key=True, sa_type=Text)
    doc: StoredSettings = Field(sa_column=Column(Document(StoredSettings), nullable=False))
    read_at: datetime = Field(sa_type=UtcMicros)

    model_config = {"arbitrary_types_allowed": True}


class KnocksRow(SQLModel, table=True):
    """How often a station was refused at the door, and how it came last."""

    __tablename__ = "station_knocks"

    station_id: str = Field(primary_key=True, sa_type=Text)
    doc: Knocks = Field(sa_column=Column(Document(Knocks), nullable=False))

    model_config = {"arbitrary_types_allowed": True}


async def get(session: AsyncSession, station_id: str) -> StoredSettings | None:
    """What the station told; None: it was never asked, or never answered."""
    found = await session.get(SettingsRow, station_id, populate_existing=True)
    return None if found is None else found.doc


async def save(session: AsyncSession, station_id: str, settings: StoredSettings) -> None:
    """Keeps the settings in place of those told before."""
    await session.merge(SettingsRow(station_id=station_id, doc=settings, read_at=settings.read_at))
    await session.flush()


async def knocks(session: AsyncSession, station_ids: Sequence[str]) -> dict[str, Knocks]:
    """Refusals by station id, where there were any."""
    found = await session.execute(select(KnocksRow).where(col(KnocksRow.station_id).in_(station_ids)))
    return {row.station_id: row.doc for row in found.scalars()}


async def add_knocks(session: AsyncSession, station_id: str, news: Knocks) -> None:
    """Counts further refusals; how the station came last is what `news` says."""
    found = await session.get(KnocksRow, station_id, populate_existing=True, with_for_update=True)
    if found is None:
        session.add(KnocksRow(station_id=station_id, doc=news))
    else:
        before = found.doc
        found.doc = msgspec.structs.replace(news, times=before.times + news.times, first_at=before.first_at)
    await session.flush()


async def forget(session: AsyncSession, station_id: str) -> None:
    """Deletes all of it: the station was deleted."""
    await session.execute(delete(SettingsRow).where(col(SettingsRow.station_id) == station_id))
    await session.execute(delete(KnocksRow).where(col(KnocksRow.station_id) == station_id))
