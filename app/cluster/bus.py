"""The bus between processes: it only wakes. Every fact is a row, and whoever is not woken finds it at its next look."""

from collections.abc import Callable, Coroutine
from enum import StrEnum
from typing import Any, Protocol

from app.kit import logs
from app.kit.tasks import spawn
from app.store.database.errors import StoreError

Heard = Callable[[str], None]
"""Told of an id; "" means that anything may have been missed."""

_log = logs.get("cluster.bus")


class Topic(StrEnum):
    """What may be worth a look, and of what the id is."""

    CALL = "call"
    """A process: another one wants a call of it."""
    OUTCOME = "outcome"
    """A call to a station that ended, or was answered late."""
    PARTNER = "partner"
    """A partner that was changed."""
    AGREEMENTS = "agreements"
    """Nothing: parties may reach each other that could not before, or no longer."""
    CALLER = "caller"
    """A partner that has called us, so it must be there."""
    MARKS = "marks"
    """Nothing: there is something to deliver."""
    STATION = "station"
    """A station that was written to elsewhere than where its socket is."""
    HANG_UP = "hang-up"
    """A station whose socket is to be closed."""


def go_and_look(work: Coroutine[Any, Any, object], name: str) -> None:
    """Do in the background what the bus asks for. Where the store is away the next regular look does it."""

    async def look() -> None:
        try:
            await work
        except StoreError as error:
            _log.info("a look at the store has to wait", work=name, error=str(error))

    spawn(look(), name)


class Bus(Protocol):
    """Tells every process, the own one at once. Never fails and never waits."""

    def publish(self, topic: Topic, id_: str = "", *, here: bool = True) -> None:
        """Wake whoever listens; with `here` false only in other processes."""
        ...

    def subscribe(self, topic: Topic, heard: Heard) -> None:
        """Call `heard` with every id of this topic."""
        ...


class LocalBus:
    """The bus of a process that is alone."""

    def __init__(self) -> None:
        self._listeners: dict[Topic, list[Heard]] = {}

    def publish(self, topic: Topic, id_: str = "", *, here: bool = True) -> None:
        """Wake whoever listens here."""
        if here:
            self.tell(topic, id_)

    def subscribe(self, topic: Topic, heard: Heard) -> None:
        """Call `heard` with every id of this topic."""
        self._listeners.setdefault(topic, []).append(heard)

    def tell(self, topic: Topic, id_: str) -> None:
        """Wake whoever listens here."""
        for heard in self._listeners.get(topic, ()):
            try:
                heard(id_)
            except Exception:  # noqa: BLE001 - what it did not do now it does at its next look
                _log.exception("a listener of the bus failed", topic=str(topic))

    def tell_all(self) -> None:
        """Everything may have been missed."""
        for topic in self._listeners:
            self.tell(topic, "")
