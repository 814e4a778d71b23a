"""What a session would cost by a tariff: the same prices that the house bills by."""

from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.admin.answers import answer
from app.admin.billing.costs import explanation_body, text_answer, wants_text
from app.admin.context import AdminContext, Context
from app.admin.problems import invalid, within
from app.admin.requests import Document, Plain, object_body
from app.domain.errors import Invalid
from app.domain.pricing import ProfileType, as_text
from app.domain.tariffs import Tariff
from app.services.quotes import Question, quote, zone_named
from ocpi.errors import InvalidParameterError
from ocpi.mapping.claims import volumes_from
from ocpi.mapping.tariffs import tariff_from
from ocpi.wire import tokens as wire_tokens
from ocpi.wire import types as wire
from ocpi.wire.base import Currency, DateTime, Flag, WireModel

router = APIRouter(prefix="/pricing", tags=["pricing"], dependencies=[Plain])

_MOST_TARIFFS = 100
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
Shape = Annotated[Literal["json", "text"] | None, Query(alias="format")]


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
async def quote_session(
    request: Request, document: Document, context: Context, shape: Shape = None
) -> Response:
    """Nothing is stored. The amounts of all lines add up to the total; `?format=text` for a person to read."""
    zone = zone_of(document)
    try:
        usage = Usage.read(document.get("cdr"))
    except InvalidParameterError as error:
        raise within("cdr", error) from None
    tariffs = tariffs_of(document, context)
    try:
        periods = [volumes_from(each, place) for place, each in enumerate(usage.charging_periods)]
    except Invalid as error:
        raise within("cdr", error) from None
    explanation = quote(
        Question(
            tariffs=tariffs,
            zone=zone,
            start=usage.start_date_time,
            end=usage.end_date_time,
            currency=usage.currency,
            periods=periods,
            reservation_expired=usage.reservation_expired,
            profile=None if usage.profile_type is None else ProfileType(usage.profile_type),
            ad_hoc_payment=usage.ad_hoc_payment,
        )
    )
    if wants_text(request, shape):
        return text_answer(as_text(explanation, "Quote"))
    return answer(explanation_body(explanation))


def zone_of(document: dict[str, Any]) -> ZoneInfo:
    """The site's time zone that a body names."""
    zone = document.get("location_time_zone")
    if not isinstance(zone, str):
        raise invalid("location_time_zone", "a time zone such as Europe/Amsterdam is needed")
    return zone_named(zone)


def tariffs_of(document: dict[str, Any], context: AdminContext) -> list[Tariff]:
    """The tariffs that a body brings along, as `tariff` or as `tariffs`."""
    one, several = document.get("tariff"), document.get("tariffs")
    if (one is None) == (several is None):
        raise invalid("tariff", "exactly one of tariff and tariffs is needed")
    if one is not None:
        return [tariff_given(one, "tariff", context)]
    if not isinstance(several, list) or not 1 <= len(several) <= _MOST_TARIFFS:
        raise invalid("tariffs", f"must be a list of 1 to {_MOST_TARIFFS} tariffs")
    return [tariff_given(each, f"tariffs[{place}]", context) for place, each in enumerate(several)]


def tariff_given(body: Any, field: str, context: AdminContext) -> Tariff:
    """A tariff of a body, at this path."""
    if not isinstance(body, dict):
        raise invalid(field, "must be an OCPI tariff")
    tariff_id = body.get("id", field)
    if not isinstance(tariff_id, str):
        raise invalid(f"{field}.id", "must be a text")
    try:
        return tariff_from(body, ours=context.ours, tariff_id=tariff_id, now=context.clock.now())
    except (Invalid, InvalidParameterError) as error:
        raise within(field, error) from None
