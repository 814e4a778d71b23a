"""Traffic: OCPI messages in both directions, gathered in memory and written in the background."""

from collections import deque
from typing import NamedTuple

from app.kit import logs
from app.kit.clock import Clock
from app.kit.redaction import masked
from app.store import messages
from app.store.engine import Store
from app.store.errors import StoreError
from app.store.messages import Message
from ocpi.client import Exchange

_log = logs.get("ocpi.traffic")
_MOST_WAITING = 2000
_BATCH = 500
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


class Traffic:
    """Never in the way of a request: what cannot be written in time is dropped and counted."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._waiting: deque[Message | tuple[Message, Heard]] = deque()
        self.dropped = 0

    def sent(self, exchange: Exchange) -> None:
        """Keep a request of ours; it comes masked from the client."""
        self._keep(
            Message(
                at=self._clock.now(),
                partner_id=exchange.peer,
                direction="out",
                method=exchange.method,
                url=exchange.url,
                request_id=exchange.request_id,
                correlation_id=exchange.correlation_id,
                http_status=exchange.http_status,
                ocpi_status=exchange.status_code,
                duration_ms=round(exchange.duration * 1000),
                request=exchange.request[:_KEPT_OF_A_BODY] or None,
                response=(exchange.response or exchange.error or "")[:_KEPT_OF_A_BODY] or None,
            )
        )

    def heard(self, heard: Heard) -> None:
        """Keep a request of a partner."""
        message = Message(
            at=self._clock.now(),
            partner_id=heard.partner_id,
            direction="in",
            method=heard.method,
            url=heard.url,
            request_id=heard.request_id,
            correlation_id=heard.correlation_id,
            http_status=heard.http_status,
            ocpi_status=heard.ocpi_status,
            duration_ms=round(heard.seconds * 1000),
        )
        self._keep((message, heard))

    async def flush(self) -> None:
        """Write what is waiting; called by a periodic task and at the end."""
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
            kept = [_masked(*each) if not isinstance(each, Message) else each for each in batch]
            try:
                async with self._store.unit_of_work(self._clock) as unit:
                    await messages.add(unit.session, kept)
            except StoreError as error:
                self.dropped += len(kept)
                _log.warning("the message log could not be written", error=str(error), dropped=self.dropped)
                return

    def _keep(self, message: Message | tuple[Message, Heard]) -> None:
        if len(self._waiting) >= _MOST_WAITING:
            self.dropped += 1
            return
        self._waiting.append(message)


def _masked(message: Message, heard: Heard) -> Message:
    return message._replace(
        url=masked(message.url), request=_text(heard.request), response=_text(heard.response)
    )


def _text(body: bytes) -> str | None:
    return masked(body[:_KEPT_OF_A_BODY].decode("utf-8", "replace")) or None
