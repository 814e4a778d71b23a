"""WaitingRoom: messages that need an issuer's word, and the later ones of the same station behind them."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, Protocol, TypeVar

from app.domain.authorization import Asked, Question
from app.domain.ports import Issuers
from app.kit import logs, tasks

_log = logs.get("services.waiting")


class Waiting(Protocol):
    """What the room needs of a message; `call` None: the house itself speaks, which never waits."""

    station_id: str
    asked: Asked | None

    @property
    def call(self) -> object | None:
        """The station's call."""
        ...


W = TypeVar("W", bound=Waiting)


class WaitingRoom(Generic[W]):
    """One question per station at a time. `back` is given the messages again, in order, the answered one first."""

    def __init__(self, issuers: Issuers | None, back: Callable[[Iterable[W]], None]) -> None:
        self._issuers = issuers
        self._back = back
        self._stations: dict[str, deque[W]] = {}
        self._asking: set[asyncio.Task[None]] = set()

    def __bool__(self) -> bool:
        return bool(self._stations)

    def can_answer(self, question: Question) -> bool:
        """Whether asking makes sense."""
        return self._issuers is not None and self._issuers.can_answer(question)

    def keep_back(self, messages: list[W]) -> list[W]:
        """Those that may go on; calls of stations that wait already wait too."""
        free = []
        for message in messages:
            behind = self._stations.get(message.station_id)
            if behind is None or message.call is None:
                free.append(message)
            else:
                behind.append(message)
        return free

    def ask(self, question: Question, messages: Iterable[W]) -> None:
        """Ask for the first of these messages of one station; the others wait behind it."""
        waiting = deque(messages)
        self._stations[waiting[0].station_id] = waiting
        task = tasks.spawn(self._ask(question, waiting), "asking an issuer")
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    def empty(self) -> list[W]:
        """Nobody is waited for any more: all messages that waited."""
        for task in self._asking:
            task.cancel()
        left = [message for waiting in self._stations.values() for message in waiting]
        self._stations.clear()
        return left

    async def _ask(self, question: Question, waiting: deque[W]) -> None:
        assert self._issuers is not None
        asked = Asked(verdict=None)
        try:
            asked = await self._issuers.ask(question)
        except Exception:  # noqa: BLE001 - whatever it is, the driver stands there and the table has an answer
            _log.exception("an issuer could not be asked")
        waiting[0].asked = asked
        del self._stations[waiting[0].station_id]
        self._back(waiting)
