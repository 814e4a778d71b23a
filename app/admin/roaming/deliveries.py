"""The outbox as the operator sees it: what partners have yet to be told, and what they would not take."""

from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from app.admin.answers import LIST, answer, page_answer, time_or_none
from app.admin.context import Context
from app.admin.requests import Form, Paging, Plain, Words
from app.outbox import inspect
from app.outbox.tables import DeliveryRow
from ocpi.push import routes

router = APIRouter(prefix="/deliveries", tags=["deliveries"], dependencies=[Plain])


class DeliveryState(StrEnum):
    """How far a delivery has come."""

    WAITING = "waiting"
    IN_FLIGHT = "in_flight"
    DELIVERED = "delivered"
    FAILING = "failing"
    DEAD = "dead"
    DISCARDED = "discarded"


@router.get("", summary="Deliveries, newest first", responses=LIST)
async def list_deliveries(
    context: Context,
    page: Paging,
    partner: Annotated[str | None, Query(description="id of a partner")] = None,
    state: DeliveryState | None = None,
    what: Annotated[
        str | None,
        Query(alias="object", description="such as session/<id> or cdr/<id>", pattern="^[a-z_]+/.+"),
    ] = None,
) -> Response:
    """One per partner and object, raised to its newest version."""
    async with context.store.reading() as session:
        found, total = await inspect.find(
            session,
            partner_id=partner,
            state=None if state is None else state.value,
            about=None if what is None else _about(context, what),
            limit=page.limit,
            offset=page.offset,
        )
    return page_answer([_body(row) for row in found], total)


DeliveryId = Annotated[int, Path(ge=1, le=2**63 - 1)]


class Discarding(Form):
    """Why a partner shall not be told."""

    reason: Words


class Moving(Form):
    """Why a CDR shall go another way."""

    reason: Words


@router.post("/{delivery_id}/retry", summary="Try a failing, dead or discarded delivery again now")
async def retry_delivery(delivery_id: DeliveryId, context: Context) -> Response:
    """409: it is under way or done."""
    async with context.store.unit_of_work(context.clock) as unit:
        body = _body(await inspect.retry(unit.session, delivery_id, unit.now()))
    context.wake()
    return answer(body)


@router.post("/{delivery_id}/discard", summary="Try a waiting, failing or dead delivery no more")
async def discard_delivery(delivery_id: DeliveryId, body: Discarding, context: Context) -> Response:
    """The partner is not told this version; later changes of the object travel. 409: it is under way or done."""
    async with context.store.unit_of_work(context.clock) as unit:
        found = _body(await inspect.discard(unit.session, delivery_id, f"discarded: {body.reason}"))
    context.wake()
    return answer(found)


@router.post("/{delivery_id}/move", summary="Tell a CDR on our other platform instead")
async def move_delivery(delivery_id: DeliveryId, body: Moving, context: Context) -> Response:
    """For an eMSP that is both our partner and behind our hub: this delivery is discarded, and the answer is the one there.

    409: it is none of a CDR, under way or done, or the eMSP takes no CDRs there.
    """
    moved = await routes.move(context.desk, context.reach, delivery_id, body.reason)
    context.wake()
    return answer(_body(moved))


def _about(context: Context, what: str) -> inspect.About:
    """An object, at each of the partners: deliveries are found by partner first."""
    kind, _, object_id = what.partition("/")
    return inspect.About(kind, object_id, [each.id for each in context.desk.registry.all()])


def _body(row: DeliveryRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "partner": row.partner_id or None,
        "object": f"{row.kind}/{row.object_id}",
        "state": row.state,
        "attempts": row.attempts,
        "next_at": time_or_none(row.next_at),
        "last_error": row.last_error,
        "created_at": time_or_none(row.created_at),
        "delivered_at": time_or_none(row.delivered_at),
    }
