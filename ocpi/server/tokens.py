"""Tokens as RECEIVER: what eMSPs push to us (OCPI 2.2.1 mod_tokens)."""

from app.domain.parties import Party, Role
from app.domain.tokens import Token, TokenType
from app.services import tokens as service
from app.store import tokens
from ocpi.errors import InvalidParameterError, NotFoundError
from ocpi.mapping.tokens import token_body, token_from
from ocpi.server.calling import Call, Operation, Reply, require_same
from ocpi.wire import tokens as wire
from ocpi.wire.patch import apply_patch


async def get_token(call: Call, country_code: str, party_id: str, uid: str) -> Reply:
    """A token of the caller's as we have it; the type is RFID unless `?type=` says otherwise."""
    _own(call, country_code, party_id)
    async with call.context.store.reading() as session:
        token = await tokens.get(session, country_code, party_id, uid, _type(call))
    return call.reply(token_body(_found(token)))


async def put_token(call: Call, country_code: str, party_id: str, uid: str) -> Reply:
    """Create or replace a token."""
    _own(call, country_code, party_id)
    token = token_from(wire.Token.read(call.body()))
    require_same(token.country_code, country_code, "country_code")
    require_same(token.party_id, party_id, "party_id")
    require_same(token.uid, uid, "uid")
    if token.type is not _type(call):
        raise InvalidParameterError(f"type in the body is not the one of the URL ({_type(call)})")
    async with call.context.store.unit_of_work(call.context.clock) as unit:
        created = await service.put(unit, token)
    return call.reply(http_status=201 if created else 200)


async def patch_token(call: Call, country_code: str, party_id: str, uid: str) -> Reply:
    """Change some fields of a token that we have."""
    _own(call, country_code, party_id)
    changes = call.body()
    async with call.context.store.unit_of_work(call.context.clock) as unit:
        known = _found(await tokens.get(unit.session, country_code, party_id, uid, _type(call)))
        if isinstance(changes, dict) and changes.get("type") not in (None, known.type):
            raise InvalidParameterError("the type of a token cannot change")
        patched = token_from(apply_patch(wire.Token.read(token_body(known)), changes))
        await service.put(unit, patched)
    return call.reply()


def _own(call: Call, country_code: str, party_id: str) -> None:
    """Unknown and foreign parties look alike."""
    if not call.partner.owns(Party(country_code, party_id), Role.EMSP):
        raise NotFoundError("there is no such token")


def _found(token: Token | None) -> Token:
    if token is None:
        raise NotFoundError("there is no such token")
    return token


def _type(call: Call) -> TokenType:
    given = call.query.get("type") or TokenType.RFID
    try:
        return TokenType(given)
    except ValueError:
        raise InvalidParameterError(f"type must be one of {', '.join(TokenType)}") from None


_PATH = "/{country_code}/{party_id}/{token_uid}"
OPERATIONS = [
    Operation(
        method="GET",
        path=_PATH,
        handler=get_token,
        summary="A token as we have it",
        data=wire.Token,
        parameters=("type",),
    ),
    Operation(
        method="PUT",
        path=_PATH,
        handler=put_token,
        summary="Create or replace a token",
        body=wire.Token,
        created=True,
        parameters=("type",),
    ),
    Operation(
        method="PATCH",
        path=_PATH,
        handler=patch_token,
        summary="Change a token",
        parameters=("type",),
    ),
]
