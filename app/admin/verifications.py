"""A partner's record checked: against itself, against its tariff, and against known wrong readings."""

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import Field

from app.admin.answers import answer
from app.admin.context import AdminContext, Context
from app.admin.costs import COSTS, explanation_body
from app.admin.pricing import tariff_given, tariffs_of, volumes_given, zone_of
from app.admin.problems import within
from app.admin.requests import Document, Plain, object_body
from app.domain.currencies import minor_digits
from app.domain.errors import Invalid
from app.domain.pricing import ProfileType
from app.domain.tariffs import Price, Tariff
from app.domain.verification import Cause, Check, Claim, Verdict, negated, verify
from ocpi.errors import InvalidParameterError
from ocpi.mapping.amounts import add_present, price, price_from
from ocpi.wire import tokens as wire_tokens
from ocpi.wire import types as wire
from ocpi.wire.base import Currency, DateTime, Flag, OcpiNumber, WireModel

router = APIRouter(prefix="/cdrs", tags=["cdrs"], dependencies=[Plain])

_EXAMPLE = {
    "location_time_zone": "Europe/Amsterdam",
    "cdr": {
        "start_date_time": "2026-06-01T10:00:00Z",
        "end_date_time": "2026-06-01T11:00:00Z",
        "currency": "EUR",
        "tariffs": [
            {
                "id": "STANDARD",
                "currency": "EUR",
                "elements": [
                    {"price_components": [{"type": "ENERGY", "price": 0.25, "vat": 21, "step_size": 1}]}
                ],
            }
        ],
        "charging_periods": [
            {
                "start_date_time": "2026-06-01T10:00:00Z",
                "dimensions": [{"type": "ENERGY", "volume": 20}, {"type": "TIME", "volume": 1}],
            }
        ],
        "total_cost": {"excl_vat": 5, "incl_vat": 6.05},
        "total_energy": 20,
        "total_time": 1,
    },
}


class Record(WireModel):
    """The part of a CDR that is checked; the rest is passed over."""

    start_date_time: DateTime
    end_date_time: DateTime
    currency: Currency
    charging_periods: Annotated[list[wire.ChargingPeriod], Field(min_length=1, max_length=10_000)]
    total_cost: wire.Price
    total_fixed_cost: wire.Price | None = None
    total_energy: OcpiNumber
    total_energy_cost: wire.Price | None = None
    total_time: OcpiNumber
    total_time_cost: wire.Price | None = None
    total_parking_time: OcpiNumber | None = None
    total_parking_cost: wire.Price | None = None
    total_reservation_cost: wire.Price | None = None
    credit: Flag = False
    reservation_expired: Flag = False
    profile_type: wire_tokens.ProfileType | None = None
    ad_hoc_payment: Flag = False


@router.post(
    "/verify",
    summary="Check a CDR that a partner made",
    openapi_extra=object_body(
        "`cdr` in OCPI's form and `location_time_zone`; `tariff` or `tariffs` where the CDR brings none or others "
        "shall hold",
        _EXAMPLE,
    ),
)
async def verify_cdr(document: Document, context: Context) -> Response:
    """Nothing is stored. `causes` are wrong readings that give what the CDR asks, the likeliest first."""
    zone = zone_of(document)
    given = document.get("cdr")
    try:
        record = Record.read(given)
    except InvalidParameterError as error:
        raise within("cdr", error) from None
    _check_currency(record.currency)
    claim = Claim(
        start=record.start_date_time,
        end=record.end_date_time,
        currency=record.currency,
        volumes=[volumes_given(each, place) for place, each in enumerate(record.charging_periods)],
        tariffs=_tariffs(document, given if isinstance(given, dict) else {}, context),
        zone=zone,
        total_cost=_asked(record),
        total_energy=record.total_energy,
        total_time=record.total_time,
        total_parking_time=record.total_parking_time,
        sums=_sums(record),
        reservation_expired=record.reservation_expired,
        profile=None if record.profile_type is None else ProfileType(record.profile_type),
        ad_hoc_payment=record.ad_hoc_payment,
    )
    return answer(_body(verify(claim)))


def _check_currency(currency: str) -> None:
    try:
        minor_digits(currency)
    except ValueError as error:
        raise Invalid(str(error).partition(": ")[2], field="cdr.currency") from None


def _tariffs(document: dict[str, Any], cdr: dict[str, Any], context: AdminContext) -> list[Tariff]:
    if document.get("tariff") is not None or document.get("tariffs") is not None:
        return tariffs_of(document, context)
    own = cdr.get("tariffs") or []
    if not isinstance(own, list):
        raise Invalid("must be a list", field="cdr.tariffs")
    return [tariff_given(each, f"cdr.tariffs[{place}]", context) for place, each in enumerate(own)]


def _asked(record: Record) -> Price:
    """What is asked; a credit asks the opposite of what it takes back."""
    asked = Price(excl_vat=record.total_cost.excl_vat, incl_vat=record.total_cost.incl_vat)
    return negated(asked) if record.credit else asked


def _sums(record: Record) -> dict[str, Price]:
    named = {f"total_{what}_cost": price_from(getattr(record, f"total_{what}_cost")) for what in COSTS}
    return {name: amount for name, amount in named.items() if amount is not None}


def _body(verdict: Verdict) -> dict[str, Any]:
    body: dict[str, Any] = {"outcome": str(verdict.outcome), "words": verdict.words}
    add_present(body, difference=None if verdict.difference is None else price(verdict.difference))
    body["causes"] = [_cause(each) for each in verdict.causes]
    body["checks"] = [_check(each) for each in verdict.checks]
    return add_present(body, right=None if verdict.right is None else explanation_body(verdict.right))


def _cause(cause: Cause) -> dict[str, Any]:
    return {
        "name": cause.name,
        "words": cause.words,
        "total_cost": price(cause.total),
        "exact": cause.exact,
    }


def _check(check: Check) -> dict[str, Any]:
    return {"kind": check.kind, "field": f"cdr.{check.field}", "words": check.words}
