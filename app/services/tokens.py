"""Tokens as their issuers give them to us, and our own: put and taken back."""

from app.domain.events import TokenChanged
from app.domain.tokens import Token, TokenType
from app.store import tokens
from app.store.database.unit_of_work import UnitOfWork


async def put(unit: UnitOfWork, token: Token, *, own: bool = False) -> bool:
    """Keep a token as its issuer gave it; True where it is new.

    An older version than the one we have (a push that came late or twice) changes nothing.
    """
    known = await tokens.get(unit.session, token.country_code, token.party_id, token.uid, token.type)
    if known is not None and known.last_updated > token.last_updated:
        return False
    created = await tokens.save(unit.session, token, own=own)
    unit.emit(
        TokenChanged(country_code=token.country_code, party_id=token.party_id, uid=token.uid),
    )
    return created


async def remove(unit: UnitOfWork, country_code: str, party_id: str, uid: str, kind: TokenType) -> bool:
    """Forget a token of our own; False where there is none."""
    removed = await tokens.remove(unit.session, country_code, party_id, uid, kind)
    if removed:
        unit.emit(TokenChanged(country_code=country_code, party_id=party_id, uid=uid))
    return removed
