"""Reservations of drivers, and giving one up."""

import asyncio
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Response

from app.admin.answers import LIST, answer, page_answer, time_or_none
from app.admin.context import Context
from app.admin.requests import Paging
from app.domain.reservations import Reservation
from app.store import reservations

router = APIRouter(prefix="/reservations", tags=["reservations"])


@router.get("", summary="Reservations, newest first", responses=LIST)
async def list_reservations(context: Context, page: Paging) -> Response:
    """`number` is what the station knows it by, `reservation_id` what its eMSP calls it."""
    async with context.store.reading() as session:
        found, total = await reservations.find(session, limit=page.limit, offset=page.offset)
    now = context.clock.now()
    return page_answer([_body(each, now) for each in found], total)


@router.delete("/{number}", summary="Give a reservation up; its eMSP is told CANCELED_RESERVATION")
async def cancel_reservation(number: int, context: Context) -> Response:
    """The station has to agree: `result` in OCPI's CommandResult words. 409: not connected, or over."""
    command_id, result = await asyncio.shield(context.wishes.cancel_here(number))
    return answer({"command_id": command_id, "result": str(result)})


def _body(found: Reservation, now: datetime) -> dict[str, Any]:
    return {
        "number": found.number,
        "reservation_id": found.reservation_id,
        "partner": found.asker.partner_id,
        "station": found.station_id,
        "location_id": found.location_id,
        "evse_uid": found.evse_uid,
        "token": {
            "uid": found.token.uid,
            "type": str(found.token.type),
            "contract_id": found.token.contract_id,
        },
        "state": str(found.state_at(now)),
        "expires_at": time_or_none(found.expires_at),
        "created_at": time_or_none(found.created_at),
    }
