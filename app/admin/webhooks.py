"""Webhooks: where the operator's own systems are told that something is wrong."""

import secrets
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import Field

from app.admin.answers import LIST, answer, nothing, page_answer, time_or_none
from app.admin.context import Context
from app.admin.problems import invalid
from app.admin.requests import Form, Paging, Plain
from app.outbox import alerts
from app.outbox.alarms import Alarm
from app.store.webhooks import AlertRow, WebhookRow
from ocpi.client.guard import check_url
from ocpi.errors import PartnerUnreachable
from ocpi.push.webhooks import new_secret

router = APIRouter(prefix="/webhooks", tags=["webhooks"], dependencies=[Plain])

Kinds = Annotated[list[Annotated[Alarm, Field(strict=False)]], Field(min_length=1)]


class Webhook(Form):
    """Where to, and of what; everything if nothing is said."""

    url: Annotated[str, Field(max_length=2000)]
    events: Kinds = Field(default_factory=lambda: list(Alarm))


class AlertState(StrEnum):
    """How far an alert has come."""

    WAITING = "waiting"
    FAILING = "failing"
    DELIVERED = "delivered"
    DEAD = "dead"


@router.post("", status_code=201, summary="Tell a URL of alarms; its secret is shown only here")
async def add_webhook(body: Webhook, context: Context) -> Response:
    """Signed as docs/how-to/alerts.md says. It is told of what goes wrong from now on."""
    try:
        check_url(body.url, allow_private=context.desk.allow_private)
    except PartnerUnreachable as refused:
        raise invalid("url", str(refused)) from None
    secret = new_secret()
    async with context.store.unit_of_work(context.clock) as unit:
        hook = WebhookRow(
            id=f"w-{secrets.token_hex(5)}",
            url=body.url,
            events=sorted({str(each) for each in body.events}),
            secret=context.desk.vault.lock(secret),
            created_at=unit.now(),
        )
        unit.session.add(hook)
    return answer(_body(hook) | {"secret": secret}, 201)


@router.get("", summary="Webhooks, oldest first", responses=LIST)
async def list_webhooks(context: Context, page: Paging) -> Response:
    """Never their secrets."""
    async with context.store.reading() as session:
        found = await alerts.webhooks(session)
    wanted = found[page.offset : page.offset + page.limit]
    return page_answer([_body(each) for each in wanted], len(found))


@router.delete("/{webhook_id}", status_code=204, summary="Tell this URL nothing more")
async def delete_webhook(webhook_id: str, context: Context) -> Response:
    """Alerts that were not sent are forgotten."""
    async with context.store.unit_of_work(context.clock) as unit:
        await alerts.remove(unit.session, webhook_id)
    return nothing()


@router.post("/{webhook_id}/test", status_code=202, summary="Send an alert that means nothing")
async def try_webhook(webhook_id: str, context: Context) -> Response:
    """What came of it is in its alerts."""
    async with context.store.unit_of_work(context.clock) as unit:
        hook = await alerts.webhook(unit.session, webhook_id)
        alerts.add(unit.session, hook, alerts.TEST, {"webhook": webhook_id}, unit.now())
    return answer({"id": webhook_id, "event": alerts.TEST}, 202)


@router.get("/{webhook_id}/alerts", summary="Alerts of a webhook, newest first", responses=LIST)
async def list_alerts(
    webhook_id: str, context: Context, page: Paging, state: AlertState | None = None
) -> Response:
    """Delivered and dead ones are kept for 30 days."""
    async with context.store.reading() as session:
        await alerts.webhook(session, webhook_id)
        found, total = await alerts.find(
            session, webhook_id, state=state and state.value, limit=page.limit, offset=page.offset
        )
    return page_answer([_alert(each) for each in found], total)


def _body(hook: WebhookRow) -> dict[str, Any]:
    return {
        "id": hook.id,
        "url": hook.url,
        "events": hook.events,
        "failures": hook.failures,
        "retry_at": time_or_none(hook.retry_at),
        "last_error": hook.last_error,
        "last_success": time_or_none(hook.last_success),
        "created_at": time_or_none(hook.created_at),
    }


def _alert(row: AlertRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "message_id": row.message_id,
        "event": row.event,
        "data": row.doc["data"],
        "state": row.state,
        "attempts": row.attempts,
        "next_at": time_or_none(row.next_at),
        "last_error": row.last_error,
        "created_at": time_or_none(row.created_at),
        "delivered_at": time_or_none(row.delivered_at),
    }
