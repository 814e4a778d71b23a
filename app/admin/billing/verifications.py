"""A partner's record checked: against itself, against its tariff, and against known wrong readings."""

from typing import Any

from fastapi import APIRouter, Response

from app.admin.answers import answer
from app.admin.billing.costs import explanation_body
from app.admin.billing.pricing import tariff_given, tariffs_of, zone_of
from app.admin.context import AdminContext, Context
from app.admin.problems import within
from app.admin.requests import Document, Plain, object_body
from app.domain.errors import Invalid
from app.domain.tariffs import Tariff
from app.domain.verification import Cause, Check, Verdict, verify
from ocpi.errors import InvalidParameterError
from ocpi.mapping.amounts import add_present, price
from ocpi.mapping.claims import Record, claim_from

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
    tariffs = _tariffs(document, given if isinstance(given, dict) else {}, context)
    try:
        claim = claim_from(record, tariffs, zone)
    except Invalid as error:
        raise within("cdr", error) from None
    return answer(_body(verify(claim)))


def _tariffs(document: dict[str, Any], cdr: dict[str, Any], context: AdminContext) -> list[Tariff]:
    if document.get("tariff") is not None or document.get("tariffs") is not None:
        return tariffs_of(document, context)
    own = cdr.get("tariffs") or []
    if not isinstance(own, list):
        raise Invalid("must be a list", field="cdr.tariffs")
    return [tariff_given(each, f"cdr.tariffs[{place}]", context) for place, each in enumerate(own)]


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
