"""The table of answers: every row with an issuer that allows, refuses or is silent; commands, aliases, reuse."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.domain.authorization import (
    ALIAS_FOR,
    REUSED_FOR,
    TABLE,
    Admitted,
    Alias,
    Asked,
    Grant,
    GrantKind,
    Shown,
    Standing,
    admit,
    standing,
    to_ask,
)
from app.domain.sessions import AuthMethod
from app.domain.tokens import Token, TokenType, Verdict, Whitelist

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
OK, NO, BLOCKED, EXPIRED = Verdict.ACCEPTED, Verdict.INVALID, Verdict.BLOCKED, Verdict.EXPIRED


def token(**changes: Any) -> Token:
    values: dict[str, Any] = {
        "country_code": "DE", "party_id": "EMS", "uid": "TAG1", "type": TokenType.RFID, "contract_id": "C1",
        "issuer": "Elbe", "valid": True, "whitelist": Whitelist.ALLOWED, "last_updated": NOW - timedelta(days=1),
    }  # fmt: skip
    return Token(**(values | changes))


def shown(*candidates: Token, **changes: Any) -> Shown:
    return Shown(**({"id_tag": "TAG1", "candidates": candidates, "at": NOW} | changes))


def grant(**changes: Any) -> Grant:
    values: dict[str, Any] = {
        "uid_key": "TAG1", "station_id": "CS1", "kind": GrantKind.COMMAND, "token": token(), "reference": "REF",
        "at": NOW - timedelta(minutes=1), "until": NOW + REUSED_FOR,
    }  # fmt: skip
    return Grant(**(values | changes))


ROWS = [
    (Standing.UNKNOWN, None, True, NO),
    (Standing.BLOCKED, token(valid=False, whitelist=Whitelist.ALWAYS), False, BLOCKED),
    (Standing.EXPIRED, token(expires_at=NOW), False, EXPIRED),
    (Standing.ALWAYS, token(whitelist=Whitelist.ALWAYS), False, OK),
    (Standing.ALLOWED, token(), False, OK),
    (Standing.ALLOWED_OFFLINE, token(whitelist=Whitelist.ALLOWED_OFFLINE), True, OK),
    (Standing.NEVER, token(whitelist=Whitelist.NEVER), True, NO),
]


def test_every_standing_has_its_row() -> None:
    assert set(TABLE) == set(Standing) == {row[0] for row in ROWS}


@pytest.mark.parametrize(("found", "one", "ask", "silent"), ROWS)
def test_rows(found: Standing, one: Token | None, ask: bool, silent: Verdict) -> None:
    tag = shown() if one is None else shown(one)
    assert standing(one, NOW) is found
    assert to_ask(tag, NOW, reuse=False) is ask
    assert verdict(admit(tag, NOW)) is silent
    assert verdict(admit(tag, NOW, asked=Asked(verdict=None))) is silent
    said = Asked(verdict=BLOCKED if silent is OK else OK, token=one or token(), reference="R")
    answered = admit(tag, NOW, asked=said)
    assert verdict(answered) is (said.verdict if ask else silent)


def test_the_issuers_permission_is_kept_with_its_reference() -> None:
    told = admit(shown(), NOW, asked=Asked(verdict=OK, token=token(uid="X"), reference="R-1"))
    assert (told.method, told.reference, told.token) == (AuthMethod.AUTH_REQUEST, "R-1", token(uid="X"))
    refused = admit(shown(), NOW, asked=Asked(verdict=NO, token=token(), reference="R-1"))
    assert (refused.method, refused.reference) == (AuthMethod.WHITELIST, None)


def test_a_start_takes_over_the_answer_of_a_moment_ago() -> None:
    never = token(whitelist=Whitelist.NEVER)
    earlier = grant(kind=GrantKind.ASKED, method=AuthMethod.AUTH_REQUEST)
    tag = shown(never, grants=[earlier])
    assert not to_ask(tag, NOW, reuse=True)
    assert to_ask(tag, NOW, reuse=False)
    told = admit(tag, NOW, reuse=True)
    assert (verdict(told), told.method, told.reference) == (OK, AuthMethod.AUTH_REQUEST, "REF")
    old = shown(never, grants=[grant(kind=GrantKind.ASKED, until=NOW - timedelta(seconds=1))])
    assert to_ask(old, NOW, reuse=True)
    assert verdict(admit(old, NOW, reuse=True)) is NO
    blocked = shown(token(valid=False, whitelist=Whitelist.NEVER), grants=[earlier])
    assert verdict(admit(blocked, NOW, reuse=True)) is BLOCKED


def test_a_command_needs_no_other_permission() -> None:
    for candidates in ((), (token(whitelist=Whitelist.NEVER),), (token(party_id="OTH"),)):
        tag = shown(*candidates, grants=[grant()])
        assert not to_ask(tag, NOW, reuse=True)
        told = admit(tag, NOW)
        assert (verdict(told), told.method, told.reference) == (OK, AuthMethod.COMMAND, "REF")
        assert told.token == token()


def test_a_command_covers_its_time_and_place_only() -> None:
    never = token(whitelist=Whitelist.NEVER)
    assert verdict(admit(shown(never, grants=[grant(evse=1)], evse=2), NOW)) is NO
    assert verdict(admit(shown(never, grants=[grant(evse=1)], evse=1), NOW)) is OK
    assert (
        verdict(admit(shown(never, grants=[grant()], at=NOW + REUSED_FOR + timedelta(seconds=1)), NOW)) is NO
    )
    assert verdict(admit(shown(never, grants=[grant()], at=NOW - timedelta(minutes=20)), NOW)) is NO


def test_blocked_since_the_command_and_before_it() -> None:
    since = token(valid=False, last_updated=NOW)
    before = token(valid=False, last_updated=NOW - timedelta(hours=1))
    assert verdict(admit(shown(since, grants=[grant()]), NOW)) is BLOCKED
    assert verdict(admit(shown(before, grants=[grant()]), NOW)) is OK


def test_an_alias_stands_for_its_token_after_the_command_too() -> None:
    app = token(uid="A" * 36, type=TokenType.APP_USER, whitelist=Whitelist.NEVER)
    late = NOW + ALIAS_FOR + timedelta(hours=1)
    tag = shown(alias=Alias(commanded=app), grants=[grant(token=app, until=NOW + ALIAS_FOR)], at=late)
    told = admit(tag, late)
    assert (verdict(told), told.token) == (NO, app)
    stored = shown(alias=Alias(commanded=app, stored=token(uid=app.uid, whitelist=Whitelist.ALWAYS)), at=late)
    assert verdict(admit(stored, late)) is OK


def test_owners_of_one_uid() -> None:
    mine, theirs = token(valid=False), token(party_id="OTH")
    tag = shown(mine, theirs)
    assert tag.several_owners
    assert tag.token == theirs
    assert not shown(mine, token(type=TokenType.OTHER)).several_owners
    newer = token(party_id="NEW", last_updated=NOW)
    assert shown(theirs, newer).token == newer


def verdict(admitted: Admitted) -> Verdict:
    """What the station is told."""
    return admitted.authorization.verdict


@pytest.mark.parametrize("group", [None, "", "FLEET", "G" * 20])
def test_a_group_that_fits_is_told_as_it_is(group: str | None) -> None:
    told = admit(shown(token(group_id=group)), NOW).authorization
    assert told.parent_id_tag == (group or None)


def test_a_longer_group_gets_an_alias_of_its_own() -> None:
    one, same, other, elsewhere = (
        admit(shown(token(**changes)), NOW).authorization.parent_id_tag
        for changes in (
            {"group_id": "F" * 21},
            {"group_id": "f" * 21, "uid": "TAG2"},
            {"group_id": "F" * 22},
            {"group_id": "F" * 21, "party_id": "OTH"},
        )
    )
    assert one is not None
    assert (len(one), one.isalnum()) == (20, True)
    assert one == same
    assert len({one, other, elsewhere}) == 3
