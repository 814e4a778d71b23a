"""Readers that tell uids backwards: what is refused and shown, and what the operator's setting changes."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.domain.authorization import Alias, Grant, GrantKind
from app.domain.charging.decisions import decide, needs
from app.domain.charging.state import Changes, Known, Names, StationState
from app.domain.stations import Admission, AuthorizeReport, ChargingStation, SetUp
from app.domain.tokens import Token, TokenType, Verdict, Whitelist
from app.domain.transactions import TransactionStarted
from app.domain.upkeep.uid_order import UidOrder, turned

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
UID, BACKWARDS = "04A2B3C4", "C4B3A204"
NAMES = Names(number=lambda: 7, id=lambda: "id", country_code="NL", party_id="VBR")
TOKEN = Token(
    country_code="DE", party_id="EMP", uid=UID, type=TokenType.RFID, contract_id="C1", issuer="E", valid=True,
    whitelist=Whitelist.ALLOWED, last_updated=NOON,
)  # fmt: skip
COMMAND = Grant(
    uid_key=UID,
    station_id="CP1",
    kind=GrantKind.COMMAND,
    token=TOKEN,
    at=NOON,
    until=NOON + timedelta(hours=1),
)


@pytest.mark.parametrize(
    ("uid", "other"),
    [
        (UID, BACKWARDS),
        ("04A2B3C4D5E680", "80E6D5C4B3A204"),
        ("04A2B", None),
        ("CARD", None),
        ("AA", None),
        ("", None),
        ("AABBAA", None),
    ],
)
def test_bytes_in_reverse(uid: str, other: str | None) -> None:
    assert turned(uid) == other
    if other is not None:
        assert turned(other) == uid


class Desk:
    """A station, and what it is told when a card is shown."""

    def __init__(self, order: UidOrder = UidOrder.AS_READ) -> None:
        station = ChargingStation(id="CP1", state=Admission.ACCEPTED, uid_order=order, last_updated=NOON)
        self.state = StationState(station, [], [], {})
        self.changes = Changes()
        self.grants: dict[str, list[Grant]] = {}
        self.aliases: dict[str, Alias] = {}

    def say(self, report: Any) -> Any:
        wanted = needs(self.state, report)
        known = {key: [TOKEN] for key in wanted.uid_keys | wanted.turned_keys if key == UID}
        answer, self.changes = decide(
            self.state,
            report,
            known=Known(tokens=known, grants=self.grants, aliases=self.aliases),
            now=NOON,
            names=NAMES,
        )
        return answer

    def shows(self, id_tag: str) -> Verdict:
        verdict: Verdict = self.say(AuthorizeReport(id_tag=id_tag)).verdict
        return verdict

    def starts(self, id_tag: str) -> Any:
        return self.say(
            TransactionStarted(evse=1, connector=1, id_tag=id_tag, at=NOON, stamp="x", meter_start=Decimal(0))
        )


def test_a_uid_read_backwards_is_refused_and_shown_to_the_operator() -> None:
    desk = Desk()
    assert desk.shows("c4:b3:a2:04") is Verdict.INVALID
    hint = desk.state.station.uid_hint
    assert hint is not None
    assert (hint.id_tag, hint.uid, hint.at) == ("c4:b3:a2:04", UID, NOON)
    assert desk.changes.station is desk.state.station


def test_a_start_with_it_is_refused_and_shown_as_well() -> None:
    desk = Desk()
    assert desk.starts(BACKWARDS).authorization.verdict is Verdict.INVALID
    assert desk.state.station.uid_hint is not None


@pytest.mark.parametrize("id_tag", [UID, "C4B3A205", "CARD1"])
def test_other_uids_leave_no_hint(id_tag: str) -> None:
    desk = Desk()
    desk.shows(id_tag)
    assert desk.state.station.uid_hint is None
    assert desk.changes.station is None


def test_with_the_setting_uids_are_turned_before_they_are_looked_up() -> None:
    desk = Desk(UidOrder.REVERSED)
    assert desk.shows(BACKWARDS) is Verdict.ACCEPTED
    assert desk.shows(UID) is Verdict.INVALID
    assert desk.state.station.uid_hint is None
    desk.starts(BACKWARDS)
    (running,) = desk.state.running.values()
    assert running.session.token.uid == UID
    assert running.transaction.id_tag == BACKWARDS


def test_a_stranger_is_billed_under_the_uid_as_it_is_meant() -> None:
    desk = Desk(UidOrder.REVERSED)
    desk.starts("11223344")
    (running,) = desk.state.running.values()
    assert running.session.token.uid == "44332211"


def test_what_was_sent_to_the_station_comes_back_as_it_was_sent() -> None:
    desk = Desk(UidOrder.REVERSED)
    desk.grants = {UID: [COMMAND]}
    assert desk.shows(UID) is Verdict.ACCEPTED
    desk.grants = {}
    desk.aliases = {"AB12AB12AB12AB12AB12": Alias(commanded=TOKEN, stored=TOKEN)}
    assert desk.shows("AB12AB12AB12AB12AB12") is Verdict.ACCEPTED


def test_the_setting_takes_the_hint_away() -> None:
    desk = Desk()
    desk.shows(BACKWARDS)
    desk.say(SetUp())
    assert desk.state.station.uid_hint is not None
    desk.say(SetUp(uid_order=UidOrder.REVERSED))
    assert desk.state.station.uid_hint is None
    assert desk.shows(BACKWARDS) is Verdict.ACCEPTED
