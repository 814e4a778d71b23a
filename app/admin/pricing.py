"""What a session would cost by a tariff: the same prices that the house bills by."""

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import Field

from app.admin.answers import answer
from app.admin.context import AdminContext, Context
from app.admin.problems import invalid, within
from app.admin.requests import Document, Plain, object_body
from app.domain.errors import Invalid
from app.domain.pricing import CdrDimension, Cost, Line, PeriodVolumes, ProfileType, volumes_of
from app.domain.sessions import ChargingPeriod, Dimension
from app.domain.tariffs import Tariff
from app.services.quotes import Question, quote
from ocpi.errors import InvalidParameterError
from ocpi.mapping.amounts import add_present, number, price
from ocpi.mapping.sessions import period_body
from ocpi.mapping.tariffs import tariff_from
from ocpi.wire import tokens as wire_tokens
from ocpi.wire import types as wire
from ocpi.wire.base import Currency, DateTime, Flag, WireModel

router = APIRouter(prefix="/pricing", tags=["pricing"], dependencies=[Plain])

_MOST_TARIFFS = 100
_COSTS = ("fixed", "energy", "time", "parking", "reservation")
_EXAMPLE = {
    "tariff": {
        "id": "STANDARD",
        "currency": "EUR",
        "elements": [{"price_components": [{"type": "ENERGY", "price": 0.25, "vat": 21, "step_size": 1}]}],
    },
    "location_time_zone": "Europe/Amsterdam",
    "cdr": {
        "start_date_time": "2026-06-01T10:00:00Z",
        "end_date_time": "2026-06-01T11:00:00Z",
        "currency": "EUR",
        "charging_periods": [
            {
                "start_date_time": "2026-06-01T10:00:00Z",
                "dimensions": [{"type": "ENERGY", "volume": 20}, {"type": "TIME", "volume": 1}],
            }
        ],
    },
}


class Usage(WireModel):
    """The part of a CDR that prices depend on."""

    start_date_time: DateTime
    end_date_time: DateTime
    currency: Currency | None = None
    charging_periods: Annotated[list[wire.ChargingPeriod], Field(min_length=1, max_length=10_000)]
    reservation_expired: Flag = False
    profile_type: wire_tokens.ProfileType | None = None
    ad_hoc_payment: Flag = False


@router.post(
    "/quote",
    summary="Price a session",
    openapi_extra=object_body("`tariff` or `tariffs`, `location_time_zone` and `cdr`", _EXAMPLE),
)
async def quote_session(document: Document, context: Context) -> Response:
    """Nothing is stored. The amounts of all lines add up to the total."""
    zone = document.get("location_time_zone")
    if not isinstance(zone, str):
        raise invalid("location_time_zone", "a time zone such as Europe/Amsterdam is needed")
    try:
        usage = Usage.read(document.get("cdr"))
    except InvalidParameterError as error:
        raise within("cdr", error) from None
    cost = quote(
        Question(
            tariffs=_tariffs(document, context),
            time_zone=zone,
            start=usage.start_date_time,
            end=usage.end_date_time,
            currency=usage.currency,
            periods=[_volumes(period, number) for number, period in enumerate(usage.charging_periods)],
            reservation_expired=usage.reservation_expired,
            profile=None if usage.profile_type is None else ProfileType(usage.profile_type),
            ad_hoc_payment=usage.ad_hoc_payment,
        )
    )
    return answer(cost_body(cost))


def _tariffs(document: dict[str, Any], context: AdminContext) -> list[Tariff]:
    one, several = document.get("tariff"), document.get("tariffs")
    if (one is None) == (several is None):
        raise invalid("tariff", "exactly one of tariff and tariffs is needed")
    if one is not None:
        return [_tariff(one, "tariff", context)]
    if not isinstance(several, list) or not 1 <= len(several) <= _MOST_TARIFFS:
        raise invalid("tariffs", f"must be a list of 1 to {_MOST_TARIFFS} tariffs")
    return [_tariff(each, f"tariffs[{place}]", context) for place, each in enumerate(several)]


def _tariff(body: Any, field: str, context: AdminContext) -> Tariff:
    if not isinstance(body, dict):
        raise invalid(field, "must be an OCPI tariff")
    tariff_id = body.get("id", field)
    if not isinstance(tariff_id, str):
        raise invalid(f"{field}.id", "must be a text")
    try:
        return tariff_from(body, ours=context.ours, tariff_id=tariff_id, now=context.clock.now())
    except (Invalid, InvalidParameterError) as error:
        raise within(field, error) from None


def _volumes(period: wire.ChargingPeriod, place: int) -> PeriodVolumes:
    volumes = {CdrDimension(each.type): each.volume for each in period.dimensions}
    if len(volumes) != len(period.dimensions):
        raise invalid(f"cdr.charging_periods[{place}].dimensions", "a type is named twice")
    return PeriodVolumes(start=period.start_date_time, volumes=volumes, tariff_id=period.tariff_id)


def cost_body(cost: Cost) -> dict[str, Any]:
    """A price with its sums, its periods and the lines that prove it; sums of nothing are left out."""
    body: dict[str, Any] = {"currency": cost.currency, "total_cost": price(cost.total_cost)}
    for what in _COSTS:
        amount = getattr(cost, f"total_{what}_cost")
        add_present(body, **{f"total_{what}_cost": None if amount is None else price(amount)})
    body |= {"total_energy": number(cost.total_energy), "total_time": number(cost.total_time)}
    parking = cost.total_parking_time
    add_present(body, total_parking_time=None if parking is None else number(parking))
    body["charging_periods"] = [_period(each) for each in volumes_of(cost.periods)]
    body["lines"] = [_line(line) for line in cost.lines]
    return body


def _period(volumes: PeriodVolumes) -> dict[str, Any]:
    dimensions = tuple(Dimension(kind.value, volume) for kind, volume in volumes.volumes.items())
    return period_body(
        ChargingPeriod(start=volumes.start, dimensions=dimensions, tariff_id=volumes.tariff_id)
    )


def _line(line: Line) -> dict[str, Any]:
    return add_present(
        {"kind": str(line.kind)},
        subtotal=line.subtotal and str(line.subtotal),
        period=line.period,
        dimension=line.dimension and str(line.dimension),
        tariff_id=line.tariff_id,
        element=line.element,
        component=line.component,
        measured=number(line.measured),
        billed=number(line.billed),
        unit_price=None if line.unit_price is None else number(line.unit_price),
        vat=None if line.vat is None else number(line.vat),
        step_size=line.step_size,
        cost=price(line.cost),
    )
