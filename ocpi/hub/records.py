"""What the hub reads of a CDR on its way: who, when, how much, and whether it asks what its tariff gives.

Whatever cannot be read is left out: the receiver gets the bytes as they came, and says itself what it thinks of them.
"""

import hashlib
import re
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from app.domain.errors import Invalid
from app.domain.parties import Party
from app.domain.records.clearing import Bill
from app.domain.tariffs import Tariff
from app.domain.verification import Outcome, Verdict, verify
from ocpi.errors import InvalidParameterError
from ocpi.mapping.claims import Record, claim_from
from ocpi.mapping.tariffs import tariff_from
from ocpi.times import time_in

_LONGEST = 255
_LARGEST = Decimal(10) ** 15
_CURRENCY = re.compile(r"[A-Z]{3}")
_LOCAL = (
    "start_time", "end_time", "start_date", "end_date", "day_of_week",
)  # fmt: skip


class Amounts(msgspec.Struct, frozen=True, kw_only=True):
    """What a record says was used and is to be paid."""

    kwh: Decimal | None = None
    currency: str | None = None
    excl_vat: Decimal | None = None
    incl_vat: Decimal | None = None


def bill_of(owner: Party, body: bytes, record: dict[str, Any]) -> Bill:
    """What the checks need of a record that this party posts."""
    token = record.get("cdr_token")
    token = token if isinstance(token, dict) else {}
    named = [_text(token, name) for name in ("country_code", "party_id", "uid")]
    return Bill(
        owner=owner.folded(),
        id=_text(record, "id") or "",
        digest=hashlib.sha256(body).hexdigest(),
        session_id=_text(record, "session_id"),
        token="/".join(named).upper() if all(named) else None,  # type: ignore[arg-type]
        start=time_in(record, "start_date_time"),
        end=time_in(record, "end_date_time"),
        credit=record.get("credit") is True,
        credits=_text(record, "credit_reference_id"),
    )


def amounts_of(record: dict[str, Any]) -> Amounts:
    """Energy and total; those of a credit are below zero, whichever sign they come with."""
    cost = record.get("total_cost")
    cost = cost if isinstance(cost, dict) else {}
    credit = record.get("credit") is True
    currency = _text(record, "currency")

    def signed(amount: Decimal | None) -> Decimal | None:
        return -abs(amount) if credit and amount is not None else amount

    return Amounts(
        kwh=signed(_number(record, "total_energy")),
        currency=currency if currency is not None and _CURRENCY.fullmatch(currency) else None,
        excl_vat=signed(_number(cost, "excl_vat")),
        incl_vat=signed(_number(cost, "incl_vat")),
    )


class Told(NamedTuple):
    """What the hub was told before: the zone of the location, the tariffs that a record names and does not carry, and
    the names of those it was never told of.
    """

    zone: ZoneInfo | None = None
    tariffs: tuple[Tariff, ...] = ()
    lacking: tuple[str, ...] = ()


def verdict_on(owner: Party, record: dict[str, Any], told: Told, now: datetime) -> Verdict | None:
    """Whether it asks what its tariffs give, those it carries or else those told; None for what cannot be read.

    Not judged are prices by the local clock of a location the hub was never told of, tariffs it was never told of,
    and what a tariff that was changed after the session began would not give now.
    """
    try:
        carried = [
            tariff_from(each, ours=owner, tariff_id=_text(each, "id") or "", now=now)
            for each in record.get("tariffs") or []
        ]
        tariffs = carried or list(told.tariffs)
        claim = claim_from(Record.read(record), tariffs, told.zone or ZoneInfo("UTC"))
    except (InvalidParameterError, Invalid, AttributeError, TypeError):
        return None
    if not carried and told.lacking:
        return _unjudged(f"the hub was never told of tariff {told.lacking[0]}")
    if told.zone is None and any(map(_by_local_clock, tariffs)):
        return _unjudged("the time zone of the location is not known")
    verdict = verify(claim)
    changed = next((each.id for each in tariffs if each.last_updated > claim.start), None)
    if not carried and verdict.outcome is Outcome.DIFFERS and changed is not None:
        return _unjudged(f"tariff {changed} was changed after the session began")
    return verdict


def _unjudged(words: str) -> Verdict:
    return Verdict(outcome=Outcome.UNPRICEABLE, words=words)


def place_of(record: dict[str, Any]) -> str | None:
    """The id of the location."""
    place = record.get("cdr_location")
    return _text(place, "id") if isinstance(place, dict) else None


def _by_local_clock(tariff: Tariff) -> bool:
    limits = [each.restrictions for each in tariff.elements if each.restrictions is not None]
    return any(getattr(each, name) for each in limits for name in _LOCAL)


def _text(document: dict[str, Any], name: str) -> str | None:
    given = document.get(name)
    return given[:_LONGEST] if isinstance(given, str) and given else None


def _number(document: dict[str, Any], name: str) -> Decimal | None:
    given = document.get(name)
    if isinstance(given, bool) or not isinstance(given, int | Decimal):
        return None
    number = Decimal(given)
    return number if abs(number) <= _LARGEST else None
