"""What a visit would cost: a tariff, an arrival, what the car draws, a departure."""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import Field

from app.admin.answers import answer
from app.admin.billing.costs import explanation_body, text_answer, wants_text
from app.admin.billing.pricing import Shape, tariffs_of, zone_of
from app.admin.context import Context
from app.admin.problems import within
from app.admin.requests import Document, Plain, object_body
from app.domain.errors import Invalid
from app.domain.pricing import ProfileType, as_text
from app.domain.pricing.simulating import Draw, Simulation, Visit, simulate, steady
from ocpi.errors import InvalidParameterError
from ocpi.mapping.amounts import number, price
from ocpi.times import write_time
from ocpi.wire import tokens as wire_tokens
from ocpi.wire.base import DateTime, Flag, Integer, OcpiNumber, WireModel

router = APIRouter(prefix="/pricing", tags=["pricing"], dependencies=[Plain])

_EXAMPLE = {
    "tariff": {
        "currency": "EUR",
        "elements": [
            {"price_components": [{"type": "ENERGY", "price": 0.45, "vat": 21, "step_size": 1}]},
            {"price_components": [{"type": "PARKING_TIME", "price": 6, "vat": 21, "step_size": 60}]},
        ],
    },
    "location_time_zone": "Europe/Amsterdam",
    "visit": {"arrival": "2026-06-01T16:00:00Z", "departure": "2026-06-01T20:00:00Z", "kwh": 22, "kw": 11},
}
_Many = Field(min_length=1, max_length=10_000)


class DrawGiven(WireModel):
    """Power from a moment on; amperes are summed over the phases."""

    at: DateTime
    kw: OcpiNumber
    amperes: OcpiNumber | None = None


class EnergyGiven(WireModel):
    """Energy since the arrival."""

    at: DateTime
    kwh: OcpiNumber


class VisitGiven(WireModel):
    """A stay: `kwh` and `kw`, or `power`, or `energy` say what the car draws."""

    arrival: DateTime
    departure: DateTime
    kwh: OcpiNumber | None = None
    kw: OcpiNumber | None = None
    power: Annotated[list[DrawGiven], _Many] | None = None
    energy: Annotated[list[EnergyGiven], _Many] | None = None
    every_seconds: Integer | None = None
    profile_type: wire_tokens.ProfileType | None = None
    ad_hoc_payment: Flag = False


@router.post(
    "/simulate",
    summary="Price a visit that is made up",
    openapi_extra=object_body(
        "`tariff` or `tariffs`, `location_time_zone`, and `visit`: arrival, departure, and what the car draws as "
        "`kwh` with `kw`, as `power` [{at, kw, amperes?}] or as `energy` [{at, kwh}]; `every_seconds` is how often "
        "the cost over time is told",
        _EXAMPLE,
    ),
)
async def simulate_visit(
    request: Request, document: Document, context: Context, shape: Shape = None
) -> Response:
    """Nothing is stored. `cost_over_time` ends with what the visit costs in all."""
    zone = zone_of(document)
    tariffs = tariffs_of(document, context)
    try:
        given = VisitGiven.read(document.get("visit"))
    except InvalidParameterError as error:
        raise within("visit", error) from None
    try:
        found = simulate(
            _visit(given),
            tariffs,
            zone,
            every=None if given.every_seconds is None else timedelta(seconds=given.every_seconds),
            profile=None if given.profile_type is None else ProfileType(given.profile_type),
            ad_hoc_payment=given.ad_hoc_payment,
        )
    except ValueError as error:
        raise _refused(str(error)) from None
    if wants_text(request, shape):
        return text_answer(as_text(found.explanation, "Simulated visit"))
    return answer(_body(found))


def _visit(given: VisitGiven) -> Visit:
    forms = [given.kwh is not None or given.kw is not None, given.power is not None, given.energy is not None]
    if sum(forms) != 1:
        raise ValueError("visit: exactly one of kwh with kw, power, and energy is needed")
    if given.power is None and given.energy is None:
        if given.kwh is None or given.kw is None:
            raise ValueError(f"{'kwh' if given.kwh is None else 'kw'}: is needed too")
        return steady(given.arrival, given.departure, kwh=given.kwh, kw=given.kw)
    return Visit(
        arrival=given.arrival,
        departure=given.departure,
        draws=[Draw(at=each.at, kw=each.kw, amperes=each.amperes) for each in given.power or ()],
        energy=[(each.at, each.kwh * Decimal(1000)) for each in given.energy or ()],
    )


def _refused(why: str) -> Invalid:
    field, _, message = why.partition(": ")
    field = {"start_date_time": "arrival", "end_date_time": "departure"}.get(field, field)
    if field in ("tariffs", "visit"):
        return Invalid(message, field=field)
    message = message.replace("start_date_time", "the arrival")
    return Invalid(message, field=f"visit.{field}")


def _body(found: Simulation) -> dict[str, Any]:
    curve = [
        {"at": write_time(each.at), "kwh": number(each.energy_wh / 1000), "total_cost": price(each.cost)}
        for each in found.moments
    ]
    return explanation_body(found.explanation) | {"cost_over_time": curve}
