"""Clearing: what is wrong with a record that somebody else made, and whether it is passed on, by rules."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec.structs import replace

from app.domain.parties import Party
from app.domain.verification import Outcome, Verdict


class Rule(StrEnum):
    """What becomes of a record in which a check finds something."""

    PASS = "pass"  # noqa: S105 - no password
    WARN = "warn"
    REFUSE = "refuse"


_STRICTEST = (Rule.PASS, Rule.WARN, Rule.REFUSE)


class Topic(StrEnum):
    """What is looked at."""

    DUPLICATE = "duplicate"
    """The id was used for another record, or the session has one already."""
    OVERLAP = "overlap"
    """The same token charged elsewhere at the same time."""
    PRICE = "price"
    """It contradicts itself or its tariff, or cannot be read."""
    UNPRICED = "unpriced"
    """Nobody can say whether its price is right: its tariff is not known, or what it would take to use it."""
    LATE = "late"
    """It comes long after the end of its session."""


class Rules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule for each topic, and after how many days a record is late."""

    duplicate: Rule = Rule.REFUSE
    overlap: Rule = Rule.WARN
    price: Rule = Rule.WARN
    unpriced: Rule = Rule.WARN
    late: Rule = Rule.WARN
    late_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 7


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """What the checks need of a record: `digest` tells contents apart, `credits` is the record it takes back."""

    owner: Party
    id: str
    digest: str
    session_id: str | None = None
    token: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    credit: bool = False
    credits: str | None = None


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a check found, and the rule for it."""

    topic: Topic
    rule: Rule
    words: str


def findings(
    bill: Bill, earlier: Sequence[Bill], verdict: Verdict | None, now: datetime, rules: Rules
) -> tuple[Finding, ...]:
    """Everything that is found in a record, beside those passed on before it.

    `verdict`: on its price; None where it could not be read. The same bytes once more are no duplicate: whoever got
    no answer sends them again.
    """
    found = (*_duplicate(bill, earlier), *_overlap(bill, earlier), *_price(verdict), *_late(bill, now, rules))
    return tuple(Finding(topic=topic, rule=getattr(rules, topic), words=words) for topic, words in found)


def allowed(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings in a record that an operator lets pass: what would refuse it warns."""
    return tuple(replace(each, rule=Rule.WARN) if each.rule is Rule.REFUSE else each for each in found)


def strictest(found: Iterable[Finding]) -> Rule:
    """The rule that wins; PASS where nothing was found."""
    return max((each.rule for each in found), key=_STRICTEST.index, default=Rule.PASS)


Found = Iterator[tuple[Topic, str]]


def _duplicate(bill: Bill, earlier: Sequence[Bill]) -> Found:
    own = [each for each in earlier if each.owner == bill.owner and each.digest != bill.digest]
    if any(_same(each.id, bill.id) for each in own):
        yield Topic.DUPLICATE, "another record with this id was passed on before"
        return
    if bill.credit or bill.session_id is None:
        return
    billed = (each for each in _standing(own) if _same(each.session_id, bill.session_id))
    if other := next(billed, None):
        yield Topic.DUPLICATE, f"this session was billed before, by record {other.id}"


def _overlap(bill: Bill, earlier: Sequence[Bill]) -> Found:
    if bill.credit or bill.token is None or bill.start is None or bill.end is None:
        return
    for each in _standing(earlier):
        if each.digest == bill.digest or each.token != bill.token or each.start is None or each.end is None:
            continue
        if _same(each.id, bill.id) and each.owner == bill.owner:
            continue
        if each.start < bill.end and bill.start < each.end:
            whose = f"record {each.id}" if each.owner == bill.owner else "a record of another operator"
            yield Topic.OVERLAP, f"the same token was charging at the same time, by {whose}"
            return


def _price(verdict: Verdict | None) -> Found:
    if verdict is None:
        yield Topic.PRICE, "the record cannot be read"
        return
    if verdict.outcome is Outcome.DIFFERS:
        yield Topic.PRICE, verdict.words
    if verdict.outcome is Outcome.UNPRICEABLE:
        yield Topic.UNPRICED, f"the price cannot be judged: {verdict.words}"
    yield from ((Topic.PRICE, f"{check.field}: {check.words}") for check in verdict.checks)


def _late(bill: Bill, now: datetime, rules: Rules) -> Found:
    if bill.end is None or bill.credit:
        return
    days = (now - bill.end) // timedelta(days=1)
    if days >= rules.late_days:
        yield Topic.LATE, f"the session ended {days} days ago"


def _standing(earlier: Sequence[Bill]) -> list[Bill]:
    """Those that were not taken back, without the credits themselves."""
    gone = {(each.owner, each.credits.upper()) for each in earlier if each.credit and each.credits}
    return [each for each in earlier if not each.credit and (each.owner, each.id.upper()) not in gone]


def _same(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one.upper() == other.upper()
