"""Rows of what was settled about id tags beforehand: grants per station, and the aliases of long uids."""

import secrets
import string
from collections.abc import Iterable
from datetime import datetime

import msgspec
from sqlalchemy import BigInteger, Column, Text, UniqueConstraint, delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from app.domain.authorization import Alias, Grant
from app.domain.tokens import Token, uid_key
from app.store.bulk.statements import Row, query, run, upsert
from app.store.database.columns import Document, UtcMicros, document, micros

_LETTERS = string.ascii_uppercase + string.digits
ALIAS_LENGTH = 20
"""Characters of an alias: as many as an id tag of OCPP 1.6 may have."""


class GrantRow(SQLModel, table=True):
    """The latest grant of its kind for an id tag at an EVSE of a station; `evse` 0: at any."""

    __tablename__ = "grants"

    uid_key: str = Field(primary_key=True, sa_type=Text)
    station_id: str = Field(primary_key=True, sa_type=Text)
    kind: str = Field(primary_key=True, sa_type=Text)
    evse: int = Field(primary_key=True, sa_type=BigInteger)
    doc: Grant = Field(sa_column=Column(Document(Grant), nullable=False))
    until: datetime = Field(sa_type=UtcMicros, index=True)

    model_config = {"arbitrary_types_allowed": True}


class AliasRow(SQLModel, table=True):
    """The id tag that stands for a token no station could be sent. Party and uid are in upper case here."""

    __tablename__ = "aliases"
    __table_args__ = (UniqueConstraint("country_code", "party_id", "uid", "type", name="uq_aliases_token"),)

    uid_key: str = Field(primary_key=True, sa_type=Text)
    id_tag: str = Field(sa_type=Text)
    country_code: str = Field(sa_type=Text)
    party_id: str = Field(sa_type=Text)
    uid: str = Field(sa_type=Text)
    type: str = Field(sa_type=Text)
    doc: Token = Field(sa_column=Column(Document(Token), nullable=False))
    created_at: datetime = Field(sa_type=UtcMicros)

    model_config = {"arbitrary_types_allowed": True}


COLUMNS = ("uid_key", "station_id", "kind", "evse", "doc", "until")
UPSERT_GRANTS = upsert(GrantRow, COLUMNS, COLUMNS[:4], COLUMNS[4:])

GRANTS_BY_UID = query("SELECT uid_key, doc FROM grants WHERE uid_key {any0}", "text")
ALIASES_BY_UID = query(
    "SELECT a.uid_key, a.doc, t.doc FROM aliases a LEFT JOIN tokens t ON t.country_code = a.country_code "
    "AND t.party_id = a.party_id AND t.uid = a.uid AND t.type = a.type WHERE a.uid_key {any0}",
    "text",
)

_decode = msgspec.json.Decoder(Grant).decode
_decode_token = msgspec.json.Decoder(Token).decode


def key(grant: Grant) -> tuple[str, str, str, int]:
    """What a later grant must have in common to take the place of this one."""
    return grant.uid_key, grant.station_id, grant.kind.value, grant.evse or 0


def row(grant: Grant) -> Row:
    """The stored form, in the order of COLUMNS."""
    return (*key(grant), document(grant), micros(grant.until))


def from_batch(rows: Iterable[Row]) -> dict[str, list[Grant]]:
    """Grants by uid key, from the rows of GRANTS_BY_UID."""
    found: dict[str, list[Grant]] = {}
    for tag, doc in rows:
        found.setdefault(tag, []).append(_decode(doc))
    return found


def aliases_from_batch(rows: Iterable[Row]) -> dict[str, Alias]:
    """Aliases by uid key, from the rows of ALIASES_BY_UID."""
    return {
        key: Alias(commanded=_decode_token(doc), stored=None if stored is None else _decode_token(stored))
        for key, doc, stored in rows
    }


async def save(session: AsyncSession, grant: Grant) -> None:
    """Keeps a grant in place of an earlier one of its kind for the same EVSE."""
    await run(session, UPSERT_GRANTS, [row(grant)])


async def of_tag(session: AsyncSession, id_tag: str) -> list[Grant]:
    """All grants for an id tag, at whatever station."""
    found = await session.execute(select(GrantRow).where(col(GrantRow.uid_key) == uid_key(id_tag)))
    return [each.doc for each in found.scalars()]


async def alias_for(session: AsyncSession, token: Token, now: datetime) -> str:
    """The id tag that stands for this token, the same one every time; the token is kept as given now."""
    found = (
        await session.execute(
            select(AliasRow).where(
                col(AliasRow.country_code) == token.country_code.upper(),
                col(AliasRow.party_id) == token.party_id.upper(),
                col(AliasRow.uid) == token.uid.upper(),
                col(AliasRow.type) == token.type.value,
            )
        )
    ).scalar_one_or_none()
    if found is None:
        id_tag = "".join(secrets.choice(_LETTERS) for _ in range(ALIAS_LENGTH))
        found = AliasRow(
            uid_key=uid_key(id_tag),
            id_tag=id_tag,
            country_code=token.country_code.upper(),
            party_id=token.party_id.upper(),
            uid=token.uid.upper(),
            type=token.type.value,
            doc=token,
            created_at=now,
        )
        session.add(found)
    found.doc = token
    await session.flush()
    return found.id_tag


async def alias(session: AsyncSession, id_tag: str) -> Token | None:
    """The token that an id tag stands for."""
    found = await session.get(AliasRow, uid_key(id_tag), populate_existing=True)
    return None if found is None else found.doc


async def forget_before(session: AsyncSession, moment: datetime) -> None:
    """Deletes grants that ended before this moment; aliases stay for stops that come late."""
    await session.execute(delete(GrantRow).where(col(GrantRow.until) < moment))
