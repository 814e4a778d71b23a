"""Webhook rows, the alarms that are on, and the alerts that have yet to be sent."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Index, Text
from sqlmodel import Field, SQLModel

from app.store.database.columns import Document, UtcMicros, identity


class WebhookRow(SQLModel, table=True):
    """Where alerts of some kinds go. `secret` is encrypted; `failures` counts what went wrong in a row."""

    __tablename__ = "webhooks"

    id: str = Field(primary_key=True, sa_type=Text)
    url: str = Field(sa_type=Text)
    events: list[str] = Field(sa_column=Column(Document(list[str]), nullable=False))
    secret: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UtcMicros)
    failures: int = Field(default=0, sa_type=BigInteger)
    retry_at: datetime | None = Field(default=None, sa_type=UtcMicros)
    last_error: str | None = Field(default=None, sa_type=Text)
    last_success: datetime | None = Field(default=None, sa_type=UtcMicros)


class AlarmRow(SQLModel, table=True):
    """Something that is wrong now; the row goes when it is right again."""

    __tablename__ = "alarms"

    kind: str = Field(primary_key=True, sa_type=Text)
    object_id: str = Field(primary_key=True, sa_type=Text)
    began_at: datetime = Field(sa_type=UtcMicros)
    doc: dict[str, Any] = Field(sa_column=Column(Document(dict[str, Any]), nullable=False))


class AlertRow(SQLModel, table=True):
    """One alert to one webhook: waiting, failing, delivered or dead."""

    __tablename__ = "alerts"
    __table_args__ = (
        Index("ix_alerts_due", "state", "next_at"),
        Index("ix_alerts_webhook", "webhook_id", "id"),
    )

    id: int | None = Field(default=None, sa_column=identity())
    webhook_id: str = Field(sa_type=Text)
    message_id: str = Field(sa_type=Text)
    event: str = Field(sa_type=Text)
    doc: dict[str, Any] = Field(sa_column=Column(Document(dict[str, Any]), nullable=False))
    state: str = Field(sa_type=Text)
    attempts: int = Field(default=0, sa_type=BigInteger)
    next_at: datetime = Field(sa_type=UtcMicros)
    last_error: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_type=UtcMicros)
    delivered_at: datetime | None = Field(default=None, sa_type=UtcMicros)
