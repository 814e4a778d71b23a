"""From events to marks: who wants to know what the house announces, asked inside the announcing transaction."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.events import Event, Mark
from app.kit import logs

Subscriber = Callable[[Sequence[Event]], list[Mark]]
Listener = Callable[[Sequence[Event]], None]

_log = logs.get("store.announcements")


class Unheard(NamedTuple):
    """An event that a subscriber failed on, kept where the operator sees it."""

    event: Event
    error: str


class MarkKeeper(Protocol):
    """Writes marks, and what was unheard, as rows of the running transaction (app/outbox/tables.py)."""

    async def __call__(
        self, session: AsyncSession, marks: Sequence[Mark], unheard: Sequence[Unheard], now: datetime
    ) -> None:
        """Rows for all of them, in the caller's transaction."""
        ...


class Announcements:
    """The subscribers and listeners of one store, filled in where the house is wired."""

    def __init__(self) -> None:
        self.subscribers: list[Subscriber] = []
        self.listeners: list[Listener] = []
        self.keep: MarkKeeper | None = None

    def marks(self, events: Sequence[Event]) -> tuple[list[Mark], list[Unheard]]:
        """What partners have to be told of these events. Never raises: a subscriber's failure is `unheard`."""
        marks: list[Mark] = []
        unheard: list[Unheard] = []
        for subscriber in self.subscribers:
            for event in events:
                try:
                    marks += subscriber((event,))
                except Exception as error:  # noqa: BLE001 - a fact of the house stands whoever fails on it
                    _log.error("a subscriber failed", event_kind=type(event).__name__, exc_info=error)
                    unheard.append(Unheard(event, f"{type(error).__name__}: {error}"))
        return marks, unheard

    def committed(self, events: Sequence[Event]) -> None:
        """Tells the listeners (workers to wake, caches to drop) what has just been committed. Never raises."""
        for listener in self.listeners:
            try:
                listener(events)
            except Exception as error:  # noqa: BLE001 - the commit stands
                _log.error("a listener failed", exc_info=error)
