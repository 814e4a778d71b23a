"""When the EVSEs of a station could serve, and why not when they could not."""

from datetime import datetime, timedelta
from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from app.admin.answers import answer, time_or_none
from app.admin.context import Context
from app.admin.requests import Plain
from app.domain.charging.availability import Standing
from app.store.views import availability
from app.store.views.availability import Span

router = APIRouter(prefix="/stations/{station_id}", tags=["stations"], dependencies=[Plain])

MOST_SPANS = 1000
"""The newest of each EVSE; more would be drawn over each other."""


@router.get("/availability", summary="When its EVSEs could serve, and why not")
async def list_availability(
    station_id: str,
    context: Context,
    days: Annotated[int, Query(ge=1, le=60, description="whole days of UTC before today")] = 14,
) -> Response:
    """By EVSE as the station numbers it: its share of the known time, and spans of `serving`, `faulted` (with the
    error code), `unavailable` and `offline`, oldest first. `to` of a span is null
    while it still stands so; `to` of the whole is the minute of the answer.
    """
    await context.stations.get(station_id)
    now = context.clock.now()
    since = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)
    async with context.store.reading() as session:
        found = await availability.spans_of(session, station_id, since, now)
    by_evse = {evse: list(spans) for evse, spans in groupby(found, lambda span: span.evse)}
    bodies = [
        {
            "evse": evse,
            "availability": _share(spans),
            "spans": [_span(each, now) for each in spans[-MOST_SPANS:]],
        }
        for evse, spans in by_evse.items()
    ]
    minute = now.replace(second=0, microsecond=0)
    return answer({"from": time_or_none(since), "to": time_or_none(minute), "evses": bodies})


def _share(spans: list[Span]) -> float | None:
    lengths = [(each.standing, (each.until - each.since).total_seconds()) for each in spans]
    known = sum(length for _, length in lengths)
    served = sum(length for standing, length in lengths if standing is Standing.SERVING)
    return round(served / known, 4) if known else None


def _span(span: Span, now: datetime) -> dict[str, Any]:
    return {
        "standing": span.standing.value,
        "error_code": span.error_code,
        "from": time_or_none(span.since),
        "to": None if span.until == now else time_or_none(span.until),
    }
