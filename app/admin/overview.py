"""The network at a glance: power of the last day, energy and revenue of today, a map, and what happened last."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response

from app.admin.answers import answer, exact_number, time_or_none
from app.admin.context import AdminContext, Context
from app.admin.problems import invalid
from app.admin.requests import Plain
from app.domain.charging.load import Drawn, curve, energy_within
from app.store.views import latest
from app.store.views.latest import Event, Spot

router = APIRouter(prefix="/statistics", tags=["statistics"], dependencies=[Plain])

STEP = timedelta(minutes=5)
DAY = timedelta(days=1)

_WORST_FIRST = (
    ("Faulted", ("Faulted",)),
    ("Charging", ("Charging", "SuspendedEV", "SuspendedEVSE", "Preparing", "Finishing", "Reserved")),
    ("Available", ("Available",)),
)


@router.get("/power", summary="Mean power of the last 24 hours, in steps of 5 minutes")
async def power(context: Context) -> Response:
    """In kW, from the energy of each transaction spread over its time; `from` is where the first step begins."""
    now = context.clock.now()
    until = now - timedelta(seconds=now.timestamp() % STEP.total_seconds())
    async with context.store.reading() as session:
        drawn = await latest.drawn_since(session, until - DAY)
    found = curve([*drawn, *_running(context)], until - DAY, until, STEP)
    kw = [round(each, 3) for each in found]
    return answer({"from": time_or_none(until - DAY), "step_seconds": int(STEP.total_seconds()), "kw": kw})


@router.get("/today", summary="Energy and revenue since midnight")
async def today(
    context: Context,
    zone: Annotated[str, Query(description="whose midnight, such as Europe/Berlin", max_length=64)] = "UTC",
) -> Response:
    """`revenue` is that of sessions that ended today and were billed, by currency, without VAT."""
    try:
        place = ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise invalid("zone", "must be a time zone such as Europe/Berlin") from None
    midnight = context.clock.now().astimezone(place).replace(hour=0, minute=0, second=0, microsecond=0)
    async with context.store.reading() as session:
        drawn = await latest.drawn_since(session, midnight)
        records, revenue = await latest.billed_since(session, midnight)
    kwh = energy_within([*drawn, *_running(context)], midnight)
    return answer(
        {
            "from": time_or_none(midnight),
            "energy_kwh": round(kwh, 1),
            "records": records,
            "revenue": {currency: exact_number(amount) for currency, amount in sorted(revenue.items())},
        }
    )


@router.get("/map", summary="Every location with its coordinates and what its stations say")
async def places(context: Context) -> Response:
    """`status`: Faulted, Charging (or about to), Available, Unavailable, offline or none; by what matters most."""
    async with context.store.reading() as session:
        found = await latest.spots(session)
    return answer([_spot(each) for each in found])


@router.get("/latest", summary="What happened last, newest first")
async def happened(
    context: Context, limit: Annotated[int, Query(ge=1, le=100, description="at most so many")] = 20
) -> Response:
    """`kind`: started, ended, online, offline, knocked (a station nobody let in), fault, held (a record)."""
    async with context.store.reading() as session:
        found = await latest.events(session, limit)
    return answer([_event(each) for each in found])


def _running(context: AdminContext) -> Sequence[Drawn]:
    """What the transactions that are under way have drawn so far."""
    found = []
    for _, state in context.intake.held():
        for each in state.running.values():
            began, register = each.transaction.started_at, each.register
            if began is not None and register.energy_wh > 0 and register.last_at > began:
                found.append(Drawn(began, register.last_at, register.energy_wh))
    return found


def _spot(spot: Spot) -> dict[str, Any]:
    return {
        "location": spot.location_id,
        "name": spot.name,
        "latitude": float(spot.latitude),
        "longitude": float(spot.longitude),
        "stations": spot.stations,
        "online": spot.online,
        "connectors": spot.connectors,
        "status": _status(spot),
    }


def _status(spot: Spot) -> str:
    if not spot.stations:
        return "none"
    if not spot.online:
        return "offline"
    for name, statuses in _WORST_FIRST:
        if any(status in spot.connectors for status in statuses):
            return name
    return "Unavailable"


def _event(event: Event) -> dict[str, Any]:
    return {
        "at": _second(event.at),
        "kind": event.kind,
        "station": event.station_id,
        "what": event.what,
        "session": event.session_id,
        "cdr": event.cdr_id,
    }


def _second(at: datetime) -> str | None:
    return time_or_none(at.replace(microsecond=0))
