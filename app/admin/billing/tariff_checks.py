"""A tariff looked at before it is put: what in it may not be meant, and its prices over the week."""

from asyncio import to_thread
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Response

from app.admin.answers import answer
from app.admin.billing.findings import finding_body
from app.admin.billing.pricing import tariff_given
from app.admin.context import Context
from app.admin.problems import invalid
from app.admin.requests import Document, Plain, object_body
from app.domain.lint import lint
from app.domain.pricing.prepared import DAY_MINUTES, Choice, Priced
from app.domain.pricing.week import Stretch, watched, week
from app.domain.tariffs import Price
from ocpi.mapping.amounts import number, price

router = APIRouter(prefix="/pricing", tags=["pricing"], dependencies=[Plain])

_EXAMPLE = {
    "tariff": {
        "currency": "EUR",
        "elements": [
            {
                "price_components": [{"type": "ENERGY", "price": 0.25, "vat": 21, "step_size": 1}],
                "restrictions": {"start_time": "22:00", "end_time": "06:00"},
            },
            {"price_components": [{"type": "ENERGY", "price": 0.45, "vat": 21, "step_size": 1}]},
        ],
    }
}
_USUAL_KW = Decimal(11)
_MOST_KW = Decimal(10_000)


@router.post(
    "/lint",
    summary="Check a tariff without putting it",
    openapi_extra=object_body("`tariff` in OCPI's form", _EXAMPLE),
)
async def lint_tariff(document: Document, context: Context) -> Response:
    """`findings` are those that PUT tells as `warnings`, the worst first. Nothing is stored."""
    tariff = tariff_given(document.get("tariff"), "tariff", context)
    findings = await to_thread(lint, tariff, context.clock.now().date())
    return answer({"findings": [finding_body(each) for each in findings]})


@router.post(
    "/week",
    summary="The prices of a tariff over a week",
    openapi_extra=object_body(
        "`tariff` in OCPI's form; `date` a day of the week that is wanted (now); `kw` what the car draws (11)",
        _EXAMPLE,
    ),
)
async def price_week(document: Document, context: Context) -> Response:
    """Seven days of stretches, in the site's own time, for a session that begins then; null costs nothing.

    `watches` names what else decides: date, duration, energy, power, current.
    """
    tariff = tariff_given(document.get("tariff"), "tariff", context)
    day = _day(document.get("date"), context.clock.now().date())
    monday = day - timedelta(days=day.weekday())
    stretches = week(tariff, monday, _kw(document.get("kw")))
    return answer(
        {
            "currency": tariff.currency,
            "monday": monday.isoformat(),
            "watches": watched(tariff),
            "stretches": [_stretch(each) for each in stretches],
        }
    )


def _day(given: object, today: date) -> date:
    if given is None:
        return today
    try:
        found = date.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        found = None
    if found is None or not 2 <= found.year <= 9998:
        raise invalid("date", "must be a day such as 2026-01-31")
    return found


def _kw(given: object) -> Decimal:
    if given is None:
        return _USUAL_KW
    if isinstance(given, bool) or not isinstance(given, int | Decimal) or not 0 <= given <= _MOST_KW:
        raise invalid("kw", f"must be a number from 0 to {_MOST_KW}")
    return Decimal(given)


def _stretch(each: Stretch) -> dict[str, Any]:
    return {
        "day": str(each.day),
        "start": _clock(each.since),
        "end": _clock(each.until),
        "prices": _prices(each.choice),
    }


def _prices(choice: Choice) -> dict[str, Any]:
    named = {
        "ENERGY": choice.energy,
        "TIME": choice.time,
        "PARKING_TIME": choice.parking,
        "FLAT": choice.flat,
    }
    return {name: None if each is None else _priced(each) for name, each in named.items()}


def _priced(each: Priced) -> dict[str, Any]:
    incl = None if each.vat_factor is None else each.price * each.vat_factor
    return price(Price(excl_vat=each.price, incl_vat=incl)) | {
        "vat": None if each.vat is None else number(each.vat),
        "element": each.element,
    }


def _clock(minute: int) -> str:
    return "24:00" if minute == DAY_MINUTES else f"{minute // 60:02}:{minute % 60:02}"
