"""Tokens that we issue ourselves: the RFID cards of our own drivers."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from msgspec.structs import replace

from app.admin.answers import LIST, answer, nothing, page_answer, put_answer, time_or_none
from app.admin.context import AdminContext, Context
from app.admin.problems import invalid
from app.admin.requests import Document, Paging, Plain, object_body
from app.domain.errors import Conflict, NotFound
from app.domain.tokens import Token, TokenType
from app.services import tokens as issued
from app.store import tokens
from app.store.database.unit_of_work import UnitOfWork
from ocpi.mapping.tokens import token_body, token_from
from ocpi.times import read_time, write_time
from ocpi.wire import tokens as wire

router = APIRouter(prefix="/tokens", tags=["tokens"], dependencies=[Plain])

_EXPIRES = "expires_at"
_EXAMPLE = {
    "type": "RFID",
    "contract_id": "NL-VBR-C12345678-X",
    "issuer": "Voltbridge",
    "valid": True,
    "whitelist": "ALWAYS",
}

Kind = Annotated[TokenType | None, Query(alias="type", description="where one uid has several types")]


@router.get("", summary="Tokens of our own", responses=LIST)
async def list_tokens(
    context: Context,
    page: Paging,
    own: Annotated[bool, Query(description="false: those that partners gave us")] = True,
    search: Annotated[str | None, Query(max_length=100, description="any part of a uid")] = None,
) -> Response:
    """By party and uid."""
    async with context.store.reading() as session:
        found, total = await tokens.find(
            session, own=own, search=search, limit=page.limit, offset=page.offset
        )
    return page_answer([token_entry(token) for token in found], total)


@router.get("/{uid}", summary="One token of our own")
async def get_token(uid: str, context: Context, kind: Kind = None) -> Response:
    """Uids are compared without case and separators."""
    async with context.store.reading() as session:
        found = await tokens.by_uid(session, uid)
    return answer(token_entry(_one(found, context, uid, kind)))


@router.put(
    "/{uid}",
    summary="Create (201) or replace (200) a token",
    openapi_extra=object_body(
        "an OCPI 2.2.1 Token without country_code, party_id, uid and last_updated, and `expires_at`", _EXAMPLE
    ),
    responses={201: {"description": "Created"}},
)
async def put_token(uid: str, document: Document, context: Context) -> Response:
    """One uid may have several types; the type is part of what a token is."""
    given = document.get("uid", uid)
    if not isinstance(given, str) or given.upper() != uid.upper():
        raise invalid("uid", "differs from the uid in the URL")
    async with context.store.unit_of_work(context.clock) as unit:
        token = own_token(uid, document, context, unit)
        created = await issued.put(unit, token, own=True)
    return put_answer(token_entry(token), created=created)


@router.delete("/{uid}", status_code=204, summary="Forget a token of our own")
async def delete_token(uid: str, context: Context, kind: Kind = None) -> Response:
    """To block a card, put it with `valid` false instead."""
    async with context.store.unit_of_work(context.clock) as unit:
        token = _one(await tokens.by_uid(unit.session, uid), context, uid, kind)
        await issued.remove(unit, token.country_code, token.party_id, token.uid, token.type)
    return nothing()


def own_token(uid: str, document: dict[str, Any], context: AdminContext, unit: UnitOfWork) -> Token:
    """The token that an operator gives out. Raises InvalidParameterError and Problem naming the field at fault."""
    expires_at = _expiry(document)
    plain = {name: value for name, value in document.items() if name != _EXPIRES}
    set_by_us = {
        "country_code": context.ours.country_code,
        "party_id": context.ours.party_id,
        "uid": uid,
        "last_updated": write_time(unit.now()),
    }
    token = token_from(wire.Token.read(plain | set_by_us))
    # A change within the millisecond of the wire must not look older than what it replaces.
    return replace(token, expires_at=expires_at, last_updated=unit.now())


def _expiry(document: dict[str, Any]) -> datetime | None:
    value = document.get(_EXPIRES)
    if value is None:
        return None
    try:
        if isinstance(value, str):
            return read_time(value)
    except ValueError:
        pass
    raise invalid(_EXPIRES, "must be a time such as 2026-01-31T12:00:00Z")


def _one(found: list[Token], context: AdminContext, uid: str, kind: TokenType | None) -> Token:
    ours = context.ours.folded()
    own = [
        token
        for token in found
        if (token.country_code.upper(), token.party_id.upper()) == (ours.country_code, ours.party_id)
        and kind in (None, token.type)
    ]
    exact = [token for token in own if token.uid.upper() == uid.upper()] or own
    if not exact:
        raise NotFound(f"there is no token {uid}")
    if len(exact) > 1:
        kinds = ", ".join(token.type for token in exact)
        raise Conflict(f"there are several tokens {uid}: say which by ?type= ({kinds})")
    return exact[0]


def token_entry(token: Token) -> dict[str, Any]:
    """A token for the operator, with its expiry."""
    expires = {} if token.expires_at is None else {_EXPIRES: time_or_none(token.expires_at)}
    return token_body(token) | expires
