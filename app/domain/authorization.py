"""Who may charge: the one table of answers, and how a remote command or an issuer's word changes them.

See docs/authorization.md. Nothing here asks anybody: what an issuer said comes in as `Asked`.
"""

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from app.domain.sessions import AuthMethod
from app.domain.tokens import Authorization, Token, Verdict, Whitelist, choose

REUSED_FOR = timedelta(minutes=15)
"""How long an issuer's answer, or a command for a card, holds at the station (OCPI 2.2.1 mod_commands)."""

ALIAS_FOR = timedelta(hours=24)
"""How long after a command a start under its alias is taken for the one it asked for."""

_CLOCK_SLACK = timedelta(minutes=5)
_ID_TAG = 20


class Standing(StrEnum):
    """How a token stands before anybody is asked."""

    UNKNOWN = "unknown"
    BLOCKED = "blocked"
    EXPIRED = "expired"
    ALWAYS = "always"
    ALLOWED = "allowed"
    ALLOWED_OFFLINE = "allowed_offline"
    NEVER = "never"


class Rule(msgspec.Struct, frozen=True):
    """A row of the table: whether the issuer is asked, and the verdict if it is not, or says nothing."""

    ask: bool
    otherwise: Verdict


TABLE: dict[Standing, Rule] = {
    Standing.UNKNOWN: Rule(ask=True, otherwise=Verdict.INVALID),
    Standing.BLOCKED: Rule(ask=False, otherwise=Verdict.BLOCKED),
    Standing.EXPIRED: Rule(ask=False, otherwise=Verdict.EXPIRED),
    Standing.ALWAYS: Rule(ask=False, otherwise=Verdict.ACCEPTED),
    Standing.ALLOWED: Rule(ask=False, otherwise=Verdict.ACCEPTED),
    Standing.ALLOWED_OFFLINE: Rule(ask=True, otherwise=Verdict.ACCEPTED),
    Standing.NEVER: Rule(ask=True, otherwise=Verdict.INVALID),
}

_BY_WHITELIST = {
    Whitelist.ALWAYS: Standing.ALWAYS,
    Whitelist.ALLOWED: Standing.ALLOWED,
    Whitelist.ALLOWED_OFFLINE: Standing.ALLOWED_OFFLINE,
    Whitelist.NEVER: Standing.NEVER,
}


class GrantKind(StrEnum):
    """Why an id tag is expected at a station: a command, a reservation, or its issuer's answer of a moment ago."""

    COMMAND = "command"
    RESERVATION = "reservation"
    ASKED = "asked"


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What was settled about an id tag at one station before it is shown there.

    The latest of each kind counts, for each EVSE.

    `evse` None: any. `session_id` names the session that is waiting for the start, None once it has come.
    """

    uid_key: str
    station_id: str
    kind: GrantKind
    token: Token | None
    verdict: Verdict = Verdict.ACCEPTED
    method: AuthMethod = AuthMethod.COMMAND
    reference: str | None = None
    evse: int | None = None
    session_id: str | None = None
    at: datetime
    until: datetime


class Alias(msgspec.Struct, frozen=True, kw_only=True):
    """The token that an id tag of our own making stands for: as commanded, and as its issuer gave it, if ever."""

    commanded: Token
    stored: Token | None = None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What an issuer answered; `verdict` None: nobody did in time."""

    verdict: Verdict | None
    token: Token | None = None
    reference: str | None = None


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What an issuer is to be asked; `token` None: a uid that nobody gave us."""

    uid: str
    token: Token | None
    location_id: str | None
    evse_uid: str | None = None


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """An id tag shown at a station, with all that is known of it. `at`: when the driver showed it."""

    id_tag: str
    candidates: Sequence[Token] = ()
    alias: Alias | None = None
    grants: Sequence[Grant] = ()
    evse: int | None = None
    at: datetime

    @property
    def token(self) -> Token | None:
        """The token it stands for."""
        if self.alias is not None:
            return self.alias.stored or self.alias.commanded
        return choose(list(self.candidates))

    @property
    def several_owners(self) -> bool:
        """Whether more than one party gave out this uid."""
        return self.alias is None and len({_owner(token) for token in self.candidates}) > 1

    def granted(self, *kinds: GrantKind) -> Grant | None:
        """What was settled beforehand and covers this moment and place."""
        fitting = [
            grant
            for grant in self.grants
            if grant.kind in kinds
            and grant.at - _CLOCK_SLACK <= self.at <= grant.until
            and (grant.evse is None or self.evse in (None, grant.evse))
        ]
        return max(fitting, key=lambda grant: grant.at, default=None)


class Admitted(msgspec.Struct, frozen=True, kw_only=True):
    """The decision: what the station is told, whose driver it is, and how that was found out."""

    authorization: Authorization
    token: Token | None
    method: AuthMethod = AuthMethod.WHITELIST
    reference: str | None = None
    grant: Grant | None = None
    standing: Standing

    @property
    def accepted(self) -> bool:
        """Whether the driver may charge."""
        return self.authorization.verdict is Verdict.ACCEPTED


def standing(token: Token | None, now: datetime) -> Standing:
    """How a token stands: validity before whitelist, whatever the whitelist says."""
    if token is None:
        return Standing.UNKNOWN
    if not token.valid:
        return Standing.BLOCKED
    if token.expires_at is not None and token.expires_at <= now:
        return Standing.EXPIRED
    return _BY_WHITELIST[token.whitelist]


def admit(shown: Shown, now: datetime, *, asked: Asked | None = None, reuse: bool = False) -> Admitted:
    """The answer to an id tag. `reuse`: the issuer's answer to an earlier question at this station counts."""
    command = shown.granted(GrantKind.COMMAND, GrantKind.RESERVATION)
    if command is not None:
        return _commanded(shown, command, now)
    token = shown.token
    found = standing(token, now)
    rule = TABLE[found]
    earlier = shown.granted(GrantKind.ASKED) if reuse and rule.ask and asked is None else None
    if earlier is not None:
        return Admitted(
            authorization=_told(earlier.verdict, token or earlier.token),
            token=token or earlier.token,
            method=earlier.method,
            reference=earlier.reference,
            standing=found,
        )
    if not rule.ask or asked is None or asked.verdict is None:
        return Admitted(authorization=_told(rule.otherwise, token), token=token, standing=found)
    token = token or asked.token
    allowed = asked.verdict is Verdict.ACCEPTED
    return Admitted(
        authorization=_told(asked.verdict, token),
        token=token,
        method=AuthMethod.AUTH_REQUEST if allowed else AuthMethod.WHITELIST,
        reference=asked.reference if allowed else None,
        standing=found,
    )


def to_ask(shown: Shown, now: datetime, *, reuse: bool) -> bool:
    """Whether the table wants the issuer to be asked about an id tag shown now."""
    if shown.granted(GrantKind.COMMAND, GrantKind.RESERVATION) is not None:
        return False
    if not TABLE[standing(shown.token, now)].ask:
        return False
    return not (reuse and shown.granted(GrantKind.ASKED) is not None)


def _commanded(shown: Shown, grant: Grant, now: datetime) -> Admitted:
    """A command needs no other permission; only a token blocked since then is refused after all."""
    known = [shown.alias.stored] if shown.alias else [t for t in shown.candidates if _same(t, grant.token)]
    token = next((each for each in known if each is not None), None)
    found = standing(token, now)
    blocked = token is not None and found is Standing.BLOCKED and token.last_updated > grant.at
    verdict = Verdict.BLOCKED if blocked else Verdict.ACCEPTED
    return Admitted(
        authorization=_told(verdict, grant.token),
        token=grant.token,
        method=AuthMethod.COMMAND,
        reference=grant.reference,
        grant=None if blocked else grant,
        standing=found,
    )


def _told(verdict: Verdict, token: Token | None) -> Authorization:
    if token is None or verdict not in (Verdict.ACCEPTED, Verdict.EXPIRED):
        return Authorization(verdict=verdict)
    return Authorization(
        verdict=verdict,
        expires_at=token.expires_at,
        parent_id_tag=parent_id_tag(token) if verdict is Verdict.ACCEPTED else None,
    )


def parent_id_tag(token: Token) -> str | None:
    """What the members of a token's group have in common, in the 20 characters of an id tag of OCPP 1.6.

    A longer `group_id` gets an alias, always the same one: stations only compare it, nobody has to resolve it.
    """
    group = token.group_id
    if not group or len(group) <= _ID_TAG:
        return group or None
    name = f"{token.country_code}*{token.party_id}*{group}".upper()
    return base64.b32encode(hashlib.sha256(name.encode()).digest()).decode()[:_ID_TAG]


def _owner(token: Token) -> tuple[str, str]:
    return token.country_code.upper(), token.party_id.upper()


def _same(one: Token, other: Token | None) -> bool:
    return other is not None and (*_owner(one), one.uid.upper(), one.type) == (
        *_owner(other),
        other.uid.upper(),
        other.type,
    )
