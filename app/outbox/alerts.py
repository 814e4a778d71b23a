"""Alerts to webhooks: written as rows when something goes wrong or right, sent until they are taken or dead."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.errors import NotFound
from app.kit import logs
from app.kit.clock import Clock
from app.kit.names import new_name
from app.outbox import backoff
from app.outbox.alarms import Trouble, current
from app.store.database.engine import Store
from app.store.database.unit_of_work import UnitOfWork
from app.store.webhooks import AlarmRow, AlertRow, WebhookRow

GIVE_UP_AFTER = timedelta(days=3)
KEPT = timedelta(days=30)
TEST = "test"
_BATCH = 50
_OPEN = ("waiting", "failing")

_log = logs.get("outbox.alerts")


class Message(NamedTuple):
    """One alert as it is sent: always the same id and bytes, however often."""

    id: str
    url: str
    locked_secret: str
    body: bytes


Send = Callable[[Message], Awaitable[str | None]]
"""Sends a message once; None where it was taken, else what went wrong. Never raises for what a receiver does."""


async def webhooks(session: AsyncSession) -> list[WebhookRow]:
    """All webhooks, oldest first."""
    return list(await session.scalars(select(WebhookRow).order_by(col(WebhookRow.created_at))))


async def webhook(session: AsyncSession, webhook_id: str) -> WebhookRow:
    """One webhook. Raises NotFound."""
    found = await session.get(WebhookRow, webhook_id, populate_existing=True)
    if found is None:
        raise NotFound(f"there is no webhook {webhook_id}")
    return found


async def remove(session: AsyncSession, webhook_id: str) -> None:
    """Forget a webhook, and what it was not told. Raises NotFound."""
    await session.delete(await webhook(session, webhook_id))
    await session.execute(delete(AlertRow).where(col(AlertRow.webhook_id) == webhook_id))


async def find(
    session: AsyncSession, webhook_id: str, *, state: str | None, limit: int, offset: int
) -> tuple[list[AlertRow], int]:
    """Alerts of a webhook, newest first, and how many there are."""
    filters = [col(AlertRow.webhook_id) == webhook_id]
    if state is not None:
        filters.append(col(AlertRow.state) == state)
    total = (await session.execute(select(func.count()).select_from(AlertRow).where(*filters))).scalar_one()
    wanted = select(AlertRow).where(*filters).order_by(col(AlertRow.id).desc()).limit(limit).offset(offset)
    return list(await session.scalars(wanted)), total


def add(session: AsyncSession, hook: WebhookRow, event: str, about: dict[str, Any], now: datetime) -> None:
    """One alert to one webhook, due at once."""
    session.add(
        AlertRow(
            webhook_id=hook.id,
            message_id=f"msg_{new_name()}",
            event=event,
            doc={"type": event, "timestamp": now, "data": about},
            state="waiting",
            next_at=now,
            created_at=now,
        )
    )


class Alerts:
    """The rounds: `notice` what changed, `deliver` what is due, `forget` what is old.

    What is wrong is compared with what was wrong in the round before, by rows: a restart neither loses nor
    repeats an alarm. What comes and goes between two rounds is not told.
    """

    def __init__(self, store: Store, clock: Clock, send: Send) -> None:
        self._store = store
        self._clock = clock
        self._send = send

    async def notice(self) -> None:
        """Alerts for what has gone wrong or right since the last round."""
        async with self._store.reading() as session:
            began, ended = await _changes(session, self._clock.now())
        if not began and not ended:
            return
        async with self._store.unit_of_work(self._clock) as unit:
            now = unit.now()
            began, ended = await _changes(unit.session, now)
            hooks = await webhooks(unit.session)
            for trouble in began:
                unit.session.add(
                    AlarmRow(
                        kind=trouble.kind,
                        object_id=trouble.object_id,
                        began_at=trouble.began_at,
                        doc=trouble.about,
                    )
                )
                since = trouble.about | {"since": trouble.began_at}
                # Who has just come is not told of what was wrong before.
                told = [hook for hook in hooks if trouble.began_at >= hook.created_at]
                _tell(unit, told, f"{trouble.kind}.began", since)
            for row in ended:
                _tell(unit, hooks, f"{row.kind}.ended", row.doc | {"since": row.began_at})
                await unit.session.delete(row)

    async def deliver(self) -> None:
        """Send what is due; every webhook in its own order, side by side with the others."""
        async with self._store.reading() as session:
            hooks = {each.id: each for each in await webhooks(session)}
            due = await _due(session, hooks, self._clock.now())
        if not due:
            return
        results = await asyncio.gather(*(self._deliver_to(hooks[id_], rows) for id_, rows in due.items()))
        async with self._store.unit_of_work(self._clock) as unit:
            for webhook_id, errors in zip(due, results, strict=True):
                await _settle(unit.session, webhook_id, errors, unit.now())

    async def forget(self) -> None:
        """Drop what was settled long ago."""
        async with self._store.unit_of_work(self._clock) as unit:
            await unit.session.execute(
                delete(AlertRow).where(
                    col(AlertRow.state).not_in(_OPEN), col(AlertRow.created_at) < unit.now() - KEPT
                )
            )

    async def _deliver_to(self, hook: WebhookRow, rows: Sequence[AlertRow]) -> dict[int, str | None]:
        """What came of each, until the first that was not taken."""
        errors: dict[int, str | None] = {}
        for row in rows:
            message = Message(row.message_id, hook.url, hook.secret, msgspec.json.encode(row.doc))
            try:
                error = await self._send(message)
            except Exception as failure:  # noqa: BLE001 - a secret that cannot be read must not stop the others
                _log.exception("an alert could not be sent", webhook=hook.id)
                error = str(failure) or type(failure).__name__
            errors[row.id or 0] = error
            if error is not None:
                break
        return errors


async def _changes(session: AsyncSession, now: datetime) -> tuple[list[Trouble], list[AlarmRow]]:
    if not await webhooks(session):
        return [], list(await session.scalars(select(AlarmRow)))
    before = {(row.kind, row.object_id): row for row in await session.scalars(select(AlarmRow))}
    wrong = await current(session, now)
    began = [trouble for key, trouble in wrong.items() if key not in before]
    return began, [row for key, row in before.items() if key not in wrong]


def _tell(unit: UnitOfWork, hooks: Iterable[WebhookRow], event: str, about: dict[str, Any]) -> None:
    kind, _, _ = event.partition(".")
    for hook in hooks:
        if kind in hook.events:
            add(unit.session, hook, event, about, unit.now())


async def _due(
    session: AsyncSession, hooks: dict[str, WebhookRow], now: datetime
) -> dict[str, list[AlertRow]]:
    due: dict[str, list[AlertRow]] = {}
    for hook in hooks.values():
        if hook.retry_at is not None and hook.retry_at > now:
            continue
        rows = await session.scalars(
            select(AlertRow)
            .where(
                col(AlertRow.webhook_id) == hook.id,
                col(AlertRow.state).in_(_OPEN),
                col(AlertRow.next_at) <= now,
            )
            .order_by(col(AlertRow.id))
            .limit(_BATCH)
        )
        if found := list(rows):
            due[hook.id] = found
    return due


async def _settle(
    session: AsyncSession, webhook_id: str, errors: dict[int, str | None], now: datetime
) -> None:
    hook = await session.get(WebhookRow, webhook_id, populate_existing=True)
    if hook is None:
        return  # taken away meanwhile
    for alert_id, error in errors.items():
        row = await session.get(AlertRow, alert_id, populate_existing=True)
        if row is None:
            continue
        row.attempts += 1
        row.last_error = error
        if error is None:
            row.state, row.delivered_at = "delivered", now
            hook.failures, hook.retry_at, hook.last_error, hook.last_success = 0, None, None, now
        else:
            hook.failures, hook.last_error = hook.failures + 1, error
            hook.retry_at = now + backoff.delay(hook.failures)
            row.state = "dead" if now - row.created_at > GIVE_UP_AFTER else "failing"
            row.next_at = hook.retry_at
