"""Clearing checks on records of others: duplicates, overlaps, prices, lateness, and which rule wins."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from app.domain.parties import Party
from app.domain.records.clearing import Bill, Finding, Rule, Rules, Topic, findings, strictest
from app.domain.verification import Check, Outcome, Verdict

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BILL = Bill(
    owner=Party("NL", "AAA"),
    id="C1",
    digest="one",
    session_id="S1",
    token="DE/EMS/04AA",
    start=NOW - timedelta(hours=2),
    end=NOW - timedelta(hours=1),
)
FINE = Verdict(outcome=Outcome.AGREES, words="")


def topics(bill: Bill = BILL, *earlier: Bill, verdict: Verdict | None = FINE) -> list[Topic]:
    return [each.topic for each in findings(bill, earlier, verdict, NOW, Rules())]


def other(**changes: Any) -> Bill:
    long_ago = {"start": NOW - timedelta(days=3), "end": NOW - timedelta(days=2)}
    fields = {"id": "C0", "digest": "other", "session_id": "S0", "token": "DE/EMS/04BB"} | long_ago | changes
    return replace(BILL, **fields)


def test_a_record_that_is_right_and_new_has_nothing_against_it() -> None:
    assert topics(BILL, other()) == []
    assert strictest(()) is Rule.PASS


def test_other_content_under_the_same_id_is_a_duplicate_and_the_same_bytes_are_none() -> None:
    assert topics(BILL, other(id="c1")) == [Topic.DUPLICATE]
    assert topics(BILL, BILL) == []
    assert topics(BILL, other(id="C1", owner=Party("BE", "BBB"))) == []


def test_a_session_is_billed_once_unless_its_record_was_taken_back() -> None:
    billed = other(session_id="s1")
    credit = other(id="C0-C", credit=True, credits="c0", digest="credit", session_id="S1")

    assert topics(BILL, billed) == [Topic.DUPLICATE]
    assert topics(BILL, billed, credit) == []
    assert topics(replace(BILL, credit=True, credits="C0"), billed) == []


@pytest.mark.parametrize(
    ("start", "end", "overlaps"),
    [(-150, -90, True), (-90, -30, True), (-100, -80, True), (-180, -120, False), (-60, 0, False)],
)
def test_a_token_charges_at_one_place_at_a_time(start: int, end: int, overlaps: bool) -> None:
    elsewhere = other(
        owner=Party("BE", "BBB"),
        token=BILL.token,
        start=NOW + timedelta(minutes=start),
        end=NOW + timedelta(minutes=end),
    )

    found = findings(BILL, [elsewhere], FINE, NOW, Rules())

    assert [each.topic for each in found] == ([Topic.OVERLAP] if overlaps else [])
    assert not any("C0" in each.words or "BBB" in each.words for each in found)


def test_a_record_that_was_taken_back_overlaps_with_nothing() -> None:
    same_time = other(token=BILL.token, start=BILL.start, end=BILL.end)
    credit = replace(same_time, id="C0-C", credit=True, credits="C0", digest="credit")

    assert topics(BILL, same_time) == [Topic.OVERLAP]
    assert topics(BILL, same_time, credit) == []


def test_prices_that_differ_and_contradictions_are_told_in_words() -> None:
    check = Check(kind="time_differs", field="total_time", words="the session lasted longer")
    wrong = Verdict(outcome=Outcome.DIFFERS, words="VAT was added twice", checks=(check,))

    found = findings(BILL, [], wrong, NOW, Rules(price=Rule.REFUSE))

    assert [(each.topic, each.rule, each.words) for each in found] == [
        (Topic.PRICE, Rule.REFUSE, "VAT was added twice"),
        (Topic.PRICE, Rule.REFUSE, "total_time: the session lasted longer"),
    ]


def test_what_cannot_be_priced_is_told_apart_from_what_is_wrong_or_cannot_be_read() -> None:
    unpriced = Verdict(outcome=Outcome.UNPRICEABLE, words="it has no tariff")
    (found,) = findings(BILL, [], unpriced, NOW, Rules(price=Rule.REFUSE))
    assert (found.topic, found.rule) == (Topic.UNPRICED, Rule.WARN)
    assert found.words == "the price cannot be judged: it has no tariff"
    assert topics(verdict=None) == [Topic.PRICE]


def test_late_is_late_from_the_day_that_is_set() -> None:
    late = replace(BILL, start=NOW - timedelta(days=8), end=NOW - timedelta(days=7))

    assert topics(late) == [Topic.LATE]
    assert [each.words for each in findings(late, [], FINE, NOW, Rules())] == ["the session ended 7 days ago"]
    assert not findings(late, [], FINE, NOW, Rules(late_days=8))
    assert not findings(replace(late, credit=True, credits="C0"), [], FINE, NOW, Rules())


def test_the_strictest_rule_wins() -> None:
    def found(*rules: Rule) -> list[Finding]:
        return [Finding(topic=Topic.LATE, rule=rule, words="") for rule in rules]

    assert strictest(found(Rule.WARN, Rule.PASS)) is Rule.WARN
    assert strictest(found(Rule.WARN, Rule.REFUSE, Rule.PASS)) is Rule.REFUSE
