"""Faults of a station with their history, from the wire log."""

import json
from typing import Any

from fastapi import APIRouter, Response

from app.admin.answers import LIST, page_answer, time_or_none
from app.admin.context import Context
from app.admin.requests import Paging, Plain
from app.domain.upkeep.faults import Fault, Said, faults
from app.store import frames
from app.store.frames import Frame

MOST_WORDS = 1000
"""How many of its last status messages are looked at."""

router = APIRouter(prefix="/stations/{station_id}", tags=["stations"], dependencies=[Plain])


@router.get("/faults", summary="What was and is wrong with a station, newest first", responses=LIST)
async def list_faults(station_id: str, context: Context, page: Paging) -> Response:
    """By the moment we heard of it, as far back as the wire log is kept. `to` null: it is not over."""
    await context.stations.get(station_id)
    async with context.store.reading() as session:
        said = await frames.find_calls(session, station_id, "StatusNotification", limit=MOST_WORDS)
    found = faults([word for frame in reversed(said) if (word := _word(frame)) is not None])
    wanted = found[page.offset : page.offset + page.limit]
    return page_answer([_body(each) for each in wanted], len(found))


def _word(frame: Frame) -> Said | None:
    """What a StatusNotification said; None for one that nobody can read."""
    try:
        payload = json.loads(frame.request)[3]
        return Said(
            at=frame.at,
            connector=int(payload["connectorId"]),
            status=str(payload["status"]),
            error_code=str(payload.get("errorCode") or "NoError"),
            vendor_error_code=_text(payload.get("vendorErrorCode")),
            info=_text(payload.get("info")),
        )
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return None


def _text(value: Any) -> str | None:
    return None if value in (None, "") else str(value)


def _body(fault: Fault) -> dict[str, Any]:
    return {
        "connector": fault.connector,
        "status": fault.status,
        "error_code": fault.error_code,
        "vendor_error_code": fault.vendor_error_code,
        "info": fault.info,
        "from": time_or_none(fault.since),
        "to": time_or_none(fault.until),
    }
