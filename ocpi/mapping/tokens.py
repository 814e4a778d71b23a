"""Tokens of issuers, and the part of them that sessions carry (OCPI 2.2.1 mod_tokens, mod_cdrs CdrToken)."""

from app.domain.tokens import SessionToken, Token, TokenType, Whitelist
from ocpi.mapping.amounts import Body, add_present, leftovers
from ocpi.times import write_time
from ocpi.wire import tokens as wire

_NAMED = frozenset(
    [
        "country_code",
        "party_id",
        "uid",
        "type",
        "contract_id",
        "issuer",
        "valid",
        "whitelist",
        "group_id",
        "last_updated",
    ]
)


def token_body(token: Token) -> Body:
    """The whole Token, as its issuer gave it."""
    body: Body = {
        "country_code": token.country_code,
        "party_id": token.party_id,
        "uid": token.uid,
        "type": str(token.type),
        "contract_id": token.contract_id,
        "issuer": token.issuer,
    }
    add_present(body, group_id=token.group_id)
    body |= {"valid": token.valid, "whitelist": str(token.whitelist)}
    return body | token.details | {"last_updated": write_time(token.last_updated)}


def token_from(model: wire.Token) -> Token:
    """The domain's token; ids stay spelled as received."""
    return Token(
        country_code=model.country_code,
        party_id=model.party_id,
        uid=model.uid,
        type=TokenType(model.type),
        contract_id=model.contract_id,
        issuer=model.issuer,
        valid=model.valid,
        whitelist=Whitelist(model.whitelist),
        group_id=model.group_id,
        details=leftovers(model.to_wire(), _NAMED),
        last_updated=model.last_updated,
    )


def session_token_body(token: SessionToken) -> Body:
    """The token as Sessions and CDRs carry it."""
    return {
        "country_code": token.country_code,
        "party_id": token.party_id,
        "uid": token.uid,
        "type": str(token.type),
        "contract_id": token.contract_id,
    }
