"""What passed between two parties behind the hub in a month."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import BigInteger, Text, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from app.domain.parties import Party
from app.store.bulk.statements import run, upsert
from app.store.hub.objects import HubOwnerRow


class HubAccountRow(SQLModel, table=True):
    """How many messages went from one party to another in a month, written `2026-11`, in UTC."""

    __tablename__ = "hub_accounts"

    month: str = Field(primary_key=True, sa_type=Text)
    sender: str = Field(primary_key=True, sa_type=Text)
    receiver: str = Field(primary_key=True, sa_type=Text)
    messages: int = Field(sa_type=BigInteger)


class Between(NamedTuple):
    """A month, and two parties in the direction of the messages."""

    month: str
    sender: Party
    receiver: Party


_COUNT = upsert(
    HubAccountRow,
    ("month", "sender", "receiver", "messages"),
    ("month", "sender", "receiver"),
    {"messages": "{old}.messages + {new}.messages"},
)


async def count(session: AsyncSession, messages: Mapping[Between, int]) -> None:
    """Adds to what was counted before."""
    rows = [(who.month, str(who.sender), str(who.receiver), many) for who, many in messages.items()]
    await run(session, _COUNT, rows)


async def messages_of(session: AsyncSession, month: str) -> Sequence[HubAccountRow]:
    """The counted messages of a month."""
    return (await session.scalars(select(HubAccountRow).where(col(HubAccountRow.month) == month))).all()


async def sessions_between(
    session: AsyncSession, start: datetime, end: datetime
) -> list[tuple[Party, Party, int]]:
    """CPO, eMSP and how many of their sessions the hub first heard of in [start, end)."""
    who = (
        col(HubOwnerRow.country_code),
        col(HubOwnerRow.party_id),
        col(HubOwnerRow.issuer_country_code),
        col(HubOwnerRow.issuer_party_id),
    )
    seen = col(HubOwnerRow.seen_at)
    found = await session.execute(
        select(*who, func.count())
        .where(col(HubOwnerRow.kind) == "session", seen >= start, seen < end, who[2] != "")
        .group_by(*who)
    )
    return [(Party(a, b), Party(c, d), many) for a, b, c, d, many in found]
