"""What the hub keeps: objects that were told to everybody, whose an object is, where results go, who may reach whom."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Column, ColumnElement, Index, LargeBinary, Text, delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from app.domain.parties import Party
from app.store.bulk.statements import insert, run
from app.store.database.columns import Document, UtcMicros
from app.store.paging import Page, Window
from app.store.paging import page as changed_since


class HubObjectRow(SQLModel, table=True):
    """The newest state of an object that its owner told to everybody, as bytes, and the last message about it.

    `listed`: whether its owner's list had it when it was last read whole; None where no list ever had it, or its owner
    has withdrawn it since.
    `version` counts changes in microseconds; `previous` is the version that the last message changes: a receiver
    that has it needs only that message. `id` is `module/country/party/path`, all in upper case but the module.
    """

    __tablename__ = "hub_objects"
    __table_args__ = (
        Index("ix_hub_objects_seq", "module", "seq", "id"),
        Index("ix_hub_objects_key", "module", "object_key"),
    )

    id: str = Field(primary_key=True, sa_type=Text)
    module: str = Field(sa_type=Text)
    country_code: str = Field(sa_type=Text)
    party_id: str = Field(sa_type=Text)
    object_key: str = Field(sa_type=Text)
    path: str = Field(sa_type=Text)
    body: bytes = Field(sa_type=LargeBinary)
    withdrawn: bool = False
    listed: bool | None = None
    method: str = Field(sa_type=Text)
    message_path: str = Field(sa_type=Text)
    message: bytes = Field(sa_type=LargeBinary)
    version: int = Field(sa_type=BigInteger)
    previous: int | None = Field(default=None, sa_type=BigInteger)
    seq: int = Field(sa_type=BigInteger)
    last_updated: datetime = Field(sa_type=UtcMicros)


class HubOwnerRow(SQLModel, table=True):
    """Whose an object is, learned from messages that passed; for a session also whose driver it is."""

    __tablename__ = "hub_owners"

    kind: str = Field(primary_key=True, sa_type=Text)
    object_key: str = Field(primary_key=True, sa_type=Text)
    country_code: str = Field(primary_key=True, sa_type=Text)
    party_id: str = Field(primary_key=True, sa_type=Text)
    issuer_country_code: str = Field(primary_key=True, sa_type=Text)
    issuer_party_id: str = Field(primary_key=True, sa_type=Text)
    seen_at: datetime = Field(sa_type=UtcMicros)


class HubResponseUrlRow(SQLModel, table=True):
    """Where the result of a command goes that was passed on with a URL of ours in place of this one."""

    __tablename__ = "hub_response_urls"
    __table_args__ = (Index("ix_hub_response_urls_created_at", "created_at"),)

    id: str = Field(primary_key=True, sa_type=Text)
    module: str = Field(sa_type=Text)
    url: str = Field(sa_type=Text)
    sender_id: str = Field(sa_type=Text)
    sender_country_code: str = Field(sa_type=Text)
    sender_party_id: str = Field(sa_type=Text)
    target_id: str = Field(sa_type=Text)
    target_country_code: str = Field(sa_type=Text)
    target_party_id: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UtcMicros)


class HubResultRow(SQLModel, table=True):
    """A result that came back for somebody, as bytes, until it is delivered."""

    __tablename__ = "hub_results"
    __table_args__ = (Index("ix_hub_results_created_at", "created_at"),)

    id: str = Field(primary_key=True, sa_type=Text)
    response_url_id: str = Field(sa_type=Text)
    url: str = Field(sa_type=Text)
    partner_id: str = Field(sa_type=Text)
    to_country_code: str = Field(sa_type=Text)
    to_party_id: str = Field(sa_type=Text)
    from_country_code: str = Field(sa_type=Text)
    from_party_id: str = Field(sa_type=Text)
    correlation_id: str = Field(sa_type=Text)
    body: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = Field(sa_type=UtcMicros)


class HubAgreementRow(SQLModel, table=True):
    """Two parties may reach each other; the one that comes first in the alphabet is `one`. No modules: all."""

    __tablename__ = "hub_agreements"

    one: str = Field(primary_key=True, sa_type=Text)
    other: str = Field(primary_key=True, sa_type=Text)
    modules: list[str] = Field(sa_column=Column(Document(list[str]), nullable=False))
    ended: bool = False
    created_at: datetime = Field(sa_type=UtcMicros)
    last_updated: datetime = Field(sa_type=UtcMicros)


class HubClientRow(SQLModel, table=True):
    """A party that is or was behind the hub, and when what others see of it last changed."""

    __tablename__ = "hub_clients"
    __table_args__ = (Index("ix_hub_clients_seq", "seq", "id"),)

    id: str = Field(primary_key=True, sa_type=Text)
    country_code: str = Field(sa_type=Text)
    party_id: str = Field(sa_type=Text)
    role: str = Field(sa_type=Text)
    partner_id: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    seq: int = Field(sa_type=BigInteger)
    last_updated: datetime = Field(sa_type=UtcMicros)


_OWNER_COLUMNS = tuple(HubOwnerRow.model_fields)
INSERT_OWNERS = insert(HubOwnerRow, _OWNER_COLUMNS, ignore=_OWNER_COLUMNS[:-1])


async def learn(session: AsyncSession, rows: Sequence[tuple[Any, ...]]) -> None:
    """Keeps whose objects are; what is known already is passed over. Rows in the order of HubOwnerRow, stored form."""
    await run(session, INSERT_OWNERS, rows)


async def owners(session: AsyncSession, kind: str, key: str) -> list[tuple[Party, Party | None]]:
    """The parties that have an object of this id (in upper case), each with the issuer of its token if that is known."""
    found = await session.scalars(
        select(HubOwnerRow).where(col(HubOwnerRow.kind) == kind, col(HubOwnerRow.object_key) == key)
    )
    return [
        (
            Party(row.country_code, row.party_id),
            Party(row.issuer_country_code, row.issuer_party_id) if row.issuer_country_code else None,
        )
        for row in found
    ]


async def owners_told(session: AsyncSession, module: str, key: str) -> set[Party]:
    """The parties that told everybody of an object of this id (in upper case)."""
    found = await session.execute(
        select(col(HubObjectRow.country_code), col(HubObjectRow.party_id)).where(
            col(HubObjectRow.module) == module,
            col(HubObjectRow.object_key) == key,
            col(HubObjectRow.withdrawn).is_(False),
        )
    )
    return {Party(country, party) for country, party in found}


async def owners_of_all(session: AsyncSession, module: str) -> list[Party]:
    """The parties that told everybody of anything in a module."""
    owner = (col(HubObjectRow.country_code), col(HubObjectRow.party_id))
    found = await session.execute(
        select(*owner).where(col(HubObjectRow.module) == module).distinct().order_by(*owner)
    )
    return [Party(country, party) for country, party in found]


async def hub_object(session: AsyncSession, id_: str) -> HubObjectRow | None:
    """One object that was told to everybody."""
    return await session.get(HubObjectRow, id_, populate_existing=True)


async def objects(session: AsyncSession, ids: Iterable[str]) -> dict[str, HubObjectRow]:
    """Objects by id."""
    found = await session.scalars(
        select(HubObjectRow)
        .where(col(HubObjectRow.id).in_(list(ids)))
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in found}


async def page(session: AsyncSession, module: str, window: Window, owners: Collection[Party]) -> Page:
    """Ids and versions of the objects of a module that belong to these parties and are not withdrawn."""
    return await changed_since(session, HubObjectRow, window, _owned(module, owners))


def _owned(module: str, owners: Collection[Party]) -> list[ColumnElement[bool]]:
    names = sorted(f"{each.country_code}-{each.party_id}" for each in owners)
    owner = col(HubObjectRow.country_code) + "-" + col(HubObjectRow.party_id)
    return [col(HubObjectRow.module) == module, col(HubObjectRow.withdrawn).is_(False), owner.in_(names)]


class Older(NamedTuple):
    """An object that nothing was told of for a while."""

    id: str
    owner: Party
    listed: bool


async def told_before(
    session: AsyncSession, module: str, owners: Collection[Party], version: int
) -> list[Older]:
    """The objects of these parties in a module, but for the withdrawn, that nothing was told of since this version."""
    found = await session.execute(
        select(
            col(HubObjectRow.id),
            col(HubObjectRow.country_code),
            col(HubObjectRow.party_id),
            col(HubObjectRow.listed),
        ).where(*_owned(module, owners), col(HubObjectRow.version) < version)
    )
    return [Older(id_, Party(country, party), bool(listed)) for id_, country, party, listed in found]


async def response_url(session: AsyncSession, id_: str) -> HubResponseUrlRow | None:
    """Where a result goes."""
    return await session.get(HubResponseUrlRow, id_)


async def results(session: AsyncSession, ids: Iterable[str]) -> dict[str, HubResultRow]:
    """Results by id."""
    found = await session.scalars(select(HubResultRow).where(col(HubResultRow.id).in_(list(ids))))
    return {row.id: row for row in found}


async def forget_results(session: AsyncSession, urls_before: datetime, results_before: datetime) -> None:
    """Drops addresses and results that nobody waits for any more."""
    await session.execute(
        delete(HubResponseUrlRow)
        .where(col(HubResponseUrlRow.created_at) < urls_before)
        .execution_options(synchronize_session=False)
    )
    await session.execute(
        delete(HubResultRow)
        .where(col(HubResultRow.created_at) < results_before)
        .execution_options(synchronize_session=False)
    )


async def agreements(session: AsyncSession) -> list[HubAgreementRow]:
    """All agreements, those that have ended included, in order of their parties."""
    ordered = select(HubAgreementRow).order_by(col(HubAgreementRow.one), col(HubAgreementRow.other))
    return list(await session.scalars(ordered.execution_options(populate_existing=True)))
