"""OCPI traffic in both directions, as it was kept: tokens masked."""

from functools import lru_cache
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from app.admin.answers import LIST, page_answer, time_or_none
from app.admin.context import Context
from app.admin.requests import Counted, Paging, Plain
from app.kit.logs import masked
from app.store import messages
from app.store.messages import Message

_SHORT = 4096
"""Characters of a body up to which its masked form is remembered."""

router = APIRouter(prefix="/messages", tags=["messages"], dependencies=[Plain])


@router.get("", summary="OCPI requests with their answers, newest first", responses=LIST)
async def list_messages(
    *,
    context: Context,
    page: Paging,
    partner: Annotated[str | None, Query(description="id of a partner")] = None,
    correlation_id: Annotated[str | None, Query(description="what belongs together")] = None,
    subject: Annotated[
        str | None, Query(description="what we asked about: session/<id>, cdr/<id>, authorize/<uid>")
    ] = None,
    routed: Annotated[
        bool, Query(description="only what the hub passed on or answered, among the newest 10000 messages")
    ] = False,
    counted: Counted = True,
) -> Response:
    """Both directions; `direction` is the request's, `routed` why the hub passed it on, and to whom."""
    async with context.store.reading() as session:
        found, total = await messages.find(
            session,
            partner_id=partner,
            correlation_id=correlation_id,
            subject=subject,
            routed=routed,
            limit=page.limit,
            offset=page.offset,
            counted=counted,
        )
    return page_answer([_body(message) for message in found], total)


def _body(message: Message) -> dict[str, Any]:
    return {
        "at": time_or_none(message.at),
        "partner": message.partner_id,
        "direction": message.direction,
        "method": message.method,
        "url": message.url,
        "request_id": message.request_id,
        "correlation_id": message.correlation_id,
        "http_status": message.http_status,
        "ocpi_status": message.ocpi_status,
        "duration_ms": message.duration_ms,
        "routed": message.routed,
        "subject": message.subject,
        # Masked when they were kept; a second look forgives a new way in.
        "request": _masked(message.request),
        "response": _masked(message.response),
    }


def _masked(body: str | None) -> str | None:
    """Whoever follows a log is shown the same bodies again and again."""
    if not body:
        return body
    return _remembered(body) if len(body) <= _SHORT else masked(body)


_remembered = lru_cache(maxsize=1024)(masked)
