"""The verdict on a record: whether it asks what it should, and which wrong reading explains what it asks."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

import msgspec

from app.domain.currencies import minor_digits
from app.domain.pricing import Explanation, explain, session_tariff
from app.domain.tariffs import Price
from app.domain.verification.checks import Check, checks
from app.domain.verification.claims import Claim, Use, use_of
from app.domain.verification.readings import readings

_GRAIN = Decimal("0.0001")
_HALF_A_GRAIN = _GRAIN / 2
_NONE = Decimal(0)


class Outcome(StrEnum):
    """What is said of a record."""

    AGREES = "agrees"
    """It asks what its tariff gives, rounded to the minor unit at most."""
    DIFFERS = "differs"
    UNPRICEABLE = "unpriceable"
    """It has no tariff, or periods that cannot be."""


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """A wrong reading that gives what the record asks; `exact`: to all four decimals, with and without VAT."""

    name: str
    words: str
    total: Price
    exact: bool


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. `difference` is what the record asks beyond the right price."""

    outcome: Outcome
    words: str
    checks: tuple[Check, ...] = ()
    right: Explanation | None = None
    difference: Price | None = None
    causes: tuple[Cause, ...] = ()


def verify(claim: Claim, tolerance: Decimal = _GRAIN) -> Verdict:
    """Check a record; never raises for what it says, as long as its currency is one of ISO 4217.

    `tolerance` is in its currency, per line of the bill.
    """
    found = tuple(checks(claim))
    try:
        use = use_of(claim)
        cost = use.cost()
    except (ValueError, ArithmeticError) as error:
        return Verdict(outcome=Outcome.UNPRICEABLE, words=str(error), checks=found)
    right = explain(cost, use.tariffs, use.zone, reservation_expired=use.reservation_expired)
    difference = _difference(claim.total_cost, cost.total_cost)
    uncut = len(cost.periods) > len(use.periods)
    if uncut:
        words = "a price changes inside a period: it should have been cut there"
        found = (*found, Check(kind="uncut_periods", field="charging_periods", words=words))
    slack = tolerance * max(len(cost.lines), 1)
    if _within(difference, slack) or _same(claim.total_cost, cost.total_cost, claim.currency):
        words = "the record asks what its tariff gives"
        return Verdict(outcome=Outcome.AGREES, words=words, checks=found, right=right, difference=difference)
    causes = _causes(claim, use)
    words = causes[0].words if causes else "no known reading of the tariff gives this amount"
    return Verdict(
        outcome=Outcome.DIFFERS,
        words=words,
        checks=found,
        right=right,
        difference=difference,
        causes=causes,
    )


def _difference(asked: Price, right: Price) -> Price:
    incl = None
    if asked.incl_vat is not None and right.incl_vat is not None:
        incl = asked.incl_vat - right.incl_vat
    return Price(excl_vat=asked.excl_vat - right.excl_vat, incl_vat=incl)


def _within(difference: Price, slack: Decimal) -> bool:
    return abs(difference.excl_vat) <= slack and abs(difference.incl_vat or _NONE) <= slack


def _same(asked: Price, other: Price, currency: str) -> bool:
    """Whether an amount is this one rounded to the minor unit."""
    unit = Decimal(1).scaleb(-minor_digits(currency))
    excl = _rounded(asked.excl_vat, other.excl_vat, unit)
    if asked.incl_vat is None or other.incl_vat is None:
        return excl
    return excl and _rounded(asked.incl_vat, other.incl_vat, unit)


def _rounded(asked: Decimal, other: Decimal, unit: Decimal) -> bool:
    # Our four decimals are rounded themselves: 4.9550 may stand for 4.95495, which is 4.95 and not 4.96.
    return any(asked == each.quantize(unit, ROUND_HALF_UP) for each in (other, other - _HALF_A_GRAIN))


def _causes(claim: Claim, use: Use) -> tuple[Cause, ...]:
    """Readings that give what is asked: exact ones first, else as they come."""
    asked, causes = claim.total_cost, dict[str, Cause]()
    governing = session_tariff(
        use.tariffs, claim.start, profile=claim.profile, ad_hoc_payment=claim.ad_hoc_payment
    )
    for name, words, reading in readings(use, governing):
        try:
            total = reading()
        except (ValueError, ArithmeticError):
            continue
        if total is None:
            continue
        exact = _within(_difference(asked, total), _GRAIN)
        if exact or _same(asked, total, claim.currency):
            causes.setdefault(name, Cause(name=name, words=words, total=total, exact=exact))
    return _sorted(list(causes.values()))


def _sorted(causes: Sequence[Cause]) -> tuple[Cause, ...]:
    return tuple(sorted(causes, key=lambda cause: not cause.exact))
