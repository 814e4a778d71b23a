"""Tokens: what a driver identifies with, and what we answer a station that shows us one."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

_SEPARATORS = str.maketrans("", "", "-: ._")


class TokenType(StrEnum):
    """OCPI 2.2.1 mod_tokens, TokenType enum."""

    AD_HOC_USER = "AD_HOC_USER"
    APP_USER = "APP_USER"
    OTHER = "OTHER"
    RFID = "RFID"


class Whitelist(StrEnum):
    """OCPI 2.2.1 mod_tokens, WhitelistType enum: whether the issuer wants to be asked."""

    ALWAYS = "ALWAYS"
    ALLOWED = "ALLOWED"
    ALLOWED_OFFLINE = "ALLOWED_OFFLINE"
    NEVER = "NEVER"


class Verdict(StrEnum):
    """What a station is told about a token."""

    ACCEPTED = "Accepted"
    BLOCKED = "Blocked"
    EXPIRED = "Expired"
    INVALID = "Invalid"


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A token of ours or of an eMSP (OCPI 2.2.1 mod_tokens, Token object). Identity: party, uid and type."""

    country_code: str
    party_id: str
    uid: str
    type: TokenType
    contract_id: str
    issuer: str
    valid: bool
    whitelist: Whitelist
    group_id: str | None = None
    expires_at: datetime | None = None
    details: dict[str, Any] = {}
    last_updated: datetime


class SessionToken(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a token that Sessions and CDRs carry (OCPI 2.2.1 mod_cdrs, CdrToken)."""

    country_code: str
    party_id: str
    uid: str
    type: TokenType
    contract_id: str


class Authorization(msgspec.Struct, frozen=True, kw_only=True):
    """What a station is told (id tag info): verdict, end of validity, the parent id tag of the group."""

    verdict: Verdict
    expires_at: datetime | None = None
    parent_id_tag: str | None = None


def uid_key(uid: str) -> str:
    """The form in which uids are compared: without case and separators."""
    return uid.translate(_SEPARATORS).upper()


def choose(candidates: list[Token]) -> Token | None:
    """The token meant by a uid that several issuers gave out: valid before invalid, then the newest."""
    return max(candidates, key=lambda token: (token.valid, token.last_updated), default=None)
