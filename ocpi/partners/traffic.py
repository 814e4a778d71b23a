"""Traffic: OCPI messages in both directions, gathered in memory and written in the background."""

import asyncio
from collections import deque
from datetime import datetime
from typing import NamedTuple

from app.kit import logs
from app.kit.clock import Clock
from app.kit.redaction import masked
from app.kit.tasks import spawn
from app.store import messages
from app.store.database.engine import Store
from app.store.database.errors import StoreError
from app.store.messages import Message
from ocpi.client import Exchange
from ocpi.partners.answers import Answers

_log = logs.get("ocpi.traffic")
_MOST_WAITING = 4000
_MANY = 500
"""From so many on what waits is written at once, not only when the period ends."""
_BATCH = 128
"""Masked and written in one go: few enough that nobody waits long behind them."""
_KEPT_OF_A_BODY = 4096


class Heard(NamedTuple):
    """One request of a partner and our answer; bodies as bytes, cut and masked when they are written."""

    partner_id: str | None
    method: str
    url: str
    request_id: str
    correlation_id: str
    http_status: int
    ocpi_status: int | None
    seconds: float
    request: bytes
    response: bytes
    routed: str | None = None


class Traffic:
    """Never in the way of a request: what cannot be written in time is dropped and counted."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._waiting: deque[tuple[datetime, Exchange | Heard]] = deque()
        self._turn = asyncio.Lock()
        self.dropped = 0
        self.answers = Answers(clock)

    def sent(self, exchange: Exchange) -> None:
        """Keep a request of ours."""
        self.answers.note(exchange)
        self._keep(exchange)

    def heard(self, heard: Heard) -> None:
        """Keep a request of a partner; of large bodies no more than will be written."""
        request, response = heard.request[:_KEPT_OF_A_BODY], heard.response[:_KEPT_OF_A_BODY]
        self._keep(heard._replace(request=request, response=response))

    async def flush(self) -> None:
        """Write what is waiting now, not what comes meanwhile; called by a periodic task and at the end."""
        async with self._turn:
            left = len(self._waiting)
            while left > 0 and await self._write(min(_BATCH, left)):
                left -= _BATCH

    async def _write(self, many: int) -> bool:
        batch = [self._waiting.popleft() for _ in range(many)]
        kept = [_message(at, each) for at, each in batch]
        try:
            async with self._store.unit_of_work(self._clock) as unit:
                await messages.add(unit.session, kept)
        except StoreError as error:
            self.dropped += len(kept)
            _log.warning("the message log could not be written", error=str(error), dropped=self.dropped)
            return False
        return True

    def _keep(self, seen: Exchange | Heard) -> None:
        if len(self._waiting) >= _MOST_WAITING:
            self.dropped += 1
            return
        self._waiting.append((self._clock.now(), seen))
        if len(self._waiting) >= _MANY and not self._turn.locked():
            spawn(self.flush(), "ocpi-traffic")


def _message(at: datetime, seen: Exchange | Heard) -> Message:
    """What is kept of it, masked: by far the dearest part of a message, and done in the background."""
    if isinstance(seen, Exchange):
        return Message(
            at=at,
            partner_id=seen.peer,
            direction="out",
            method=seen.method,
            url=seen.url,
            request_id=seen.request_id,
            correlation_id=seen.correlation_id,
            http_status=seen.http_status,
            ocpi_status=seen.status_code,
            duration_ms=round(seen.duration * 1000),
            request=seen.request[:_KEPT_OF_A_BODY] or None,
            response=(seen.response or seen.error or "")[:_KEPT_OF_A_BODY] or None,
            subject=seen.subject,
        )
    return Message(
        at=at,
        partner_id=seen.partner_id,
        direction="in",
        method=seen.method,
        url=masked(seen.url),
        request_id=seen.request_id,
        correlation_id=seen.correlation_id,
        http_status=seen.http_status,
        ocpi_status=seen.ocpi_status,
        duration_ms=round(seen.seconds * 1000),
        request=_text(seen.request),
        response=_text(seen.response),
        routed=seen.routed,
    )


def _text(body: bytes) -> str | None:
    return masked(body.decode("utf-8", "replace")) or None
