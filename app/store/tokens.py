"""Token rows, by issuer and by the form in which uids are compared."""

from collections.abc import Iterable
from datetime import datetime

import msgspec
from sqlalchemy import Column, ColumnElement, Index, Text, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from app.domain.tokens import Token, TokenType, uid_key
from app.store.bulk.statements import Row, query
from app.store.database.columns import Document, UtcMicros


class TokenRow(SQLModel, table=True):
    """One token, ours or an eMSP's. Party and uid are in upper case here, as given inside `doc`."""

    __tablename__ = "tokens"
    __table_args__ = (Index("ix_tokens_uid_key", "uid_key"),)

    country_code: str = Field(primary_key=True, sa_type=Text)
    party_id: str = Field(primary_key=True, sa_type=Text)
    uid: str = Field(primary_key=True, sa_type=Text)
    type: str = Field(primary_key=True, sa_type=Text)
    uid_key: str = Field(sa_type=Text)
    own: bool
    doc: Token = Field(sa_column=Column(Document(Token), nullable=False))
    valid: bool
    last_updated: datetime = Field(sa_type=UtcMicros)

    model_config = {"arbitrary_types_allowed": True}


TOKENS_BY_UID = query("SELECT uid_key, doc FROM tokens WHERE uid_key {any0} ORDER BY uid_key, type", "text")

_decode = msgspec.json.Decoder(Token).decode


def from_batch(rows: Iterable[Row]) -> dict[str, list[Token]]:
    """Tokens by uid key, from the rows of TOKENS_BY_UID."""
    found: dict[str, list[Token]] = {}
    for key, doc in rows:
        found.setdefault(key, []).append(_decode(doc))
    return found


async def get(
    session: AsyncSession, country_code: str, party_id: str, uid: str, kind: TokenType
) -> Token | None:
    """The token with this identity, compared without case."""
    found = await session.get(TokenRow, _identity(country_code, party_id, uid, kind), populate_existing=True)
    return None if found is None else found.doc


async def save(session: AsyncSession, token: Token, *, own: bool = False) -> bool:
    """Stores a token as given, its issuer's `last_updated` included; True where it is new.

    Whether an older version may replace a newer one is for the caller to say.
    """
    identity = _identity(token.country_code, token.party_id, token.uid, token.type)
    found = await session.get(TokenRow, identity, populate_existing=True)
    if found is None:
        country_code, party_id, uid, kind = identity
        session.add(
            TokenRow(
                country_code=country_code,
                party_id=party_id,
                uid=uid,
                type=kind,
                uid_key=uid_key(token.uid),
                own=own,
                doc=token,
                valid=token.valid,
                last_updated=token.last_updated,
            )
        )
    else:
        found.doc, found.valid, found.own = token, token.valid, own
        found.last_updated = token.last_updated
    await session.flush()
    return found is None


async def remove(session: AsyncSession, country_code: str, party_id: str, uid: str, kind: TokenType) -> bool:
    """Deletes a token; False where there is none."""
    found = await session.get(TokenRow, _identity(country_code, party_id, uid, kind))
    if found is None:
        return False
    await session.delete(found)
    await session.flush()
    return True


async def remove_party(session: AsyncSession, country_code: str, party_id: str) -> None:
    """Deletes all tokens of a party that left."""
    await session.execute(
        delete(TokenRow).where(
            col(TokenRow.country_code) == country_code.upper(), col(TokenRow.party_id) == party_id.upper()
        )
    )


async def by_uid(session: AsyncSession, uid: str) -> list[Token]:
    """All tokens whose uid is the same without case and separators."""
    found = await session.execute(
        select(TokenRow).where(col(TokenRow.uid_key) == uid_key(uid)).order_by(col(TokenRow.type))
    )
    return [row.doc for row in found.scalars()]


async def find(
    session: AsyncSession, *, own: bool | None = None, search: str | None = None, limit: int, offset: int = 0
) -> tuple[list[Token], int]:
    """Tokens by party and uid, and how many there are in all. `search` is any part of a uid, as these are compared."""
    filters: list[ColumnElement[bool]] = [] if own is None else [col(TokenRow.own).is_(own)]
    if search and (key := uid_key(search)):
        filters.append(col(TokenRow.uid_key).contains(key, autoescape=True))
    order = (TokenRow.country_code, TokenRow.party_id, TokenRow.uid, TokenRow.type)
    total = (await session.execute(select(func.count()).select_from(TokenRow).where(*filters))).scalar_one()
    wanted = select(TokenRow).where(*filters).order_by(*map(col, order)).limit(limit).offset(offset)
    return [row.doc for row in (await session.execute(wanted)).scalars()], total


def _identity(country_code: str, party_id: str, uid: str, kind: TokenType) -> tuple[str, str, str, str]:
    return country_code.upper(), party_id.upper(), uid.upper(), kind.value
