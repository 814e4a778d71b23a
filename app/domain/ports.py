"""The arrows turned round: what the core asks of the wings that reach the outside."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from app.domain.authorization import Asked, Question
from app.domain.commands import Outcome
from app.domain.remote import CommandResult, Order
from app.domain.tokens import Token
from app.domain.upkeep.setting_up import SettingAnswer, SettingsTold

Late = Callable[[Outcome], None]
"""Told of an answer that came after the call was given up."""


class StationGateway(Protocol):
    """Reaches stations that are connected."""

    def here(self, station_id: str) -> bool:
        """Whether the station has a socket at this process."""
        ...

    async def check(self, station_id: str, action: str, payload: Any) -> None:
        """Whether this call may be sent. Raises Conflict (not connected), NotFound (no such action in the
        station's version), Invalid (payload breaks the schema; `field` is the path)."""
        ...

    async def call(
        self,
        station_id: str,
        action: str,
        payload: dict[str, Any],
        *,
        message_id: str,
        timeout: float,  # noqa: ASYNC109  # the wire's deadline, not a cancellation of ours
        late: Late | None = None,
    ) -> Outcome:
        """Sends a call and waits for its end, at most `timeout` seconds; never raises for what a station does."""
        ...


class Driver(Protocol):
    """Knows how a station's version spells remote commands."""

    async def online(self, station_id: str) -> bool:
        """Whether the station has a socket at any process."""
        ...

    def spell(self, order: Order) -> tuple[str, dict[str, Any]]:
        """A remote command's action and payload."""
        ...

    def meaning(self, order: Order, outcome: Outcome) -> CommandResult:
        """What became of a remote command, from the end of its call."""
        ...


class SettingsDialect(Protocol):
    """Knows how a station's version spells its settings, and asking for its status."""

    def ask(self, keys: Sequence[str] = ()) -> tuple[str, dict[str, Any]]:
        """Asking for these settings, or for all: action and payload."""
        ...

    def told(self, outcome: Outcome) -> SettingsTold:
        """What the station told, from the end of its call."""
        ...

    def change(self, key: str, value: str) -> tuple[str, dict[str, Any]]:
        """Changing one setting."""
        ...

    def changed(self, outcome: Outcome) -> SettingAnswer:
        """What became of a change."""
        ...

    def ask_status(self) -> tuple[str, dict[str, Any]]:
        """Asking for the status of every connector."""
        ...

    def triggered(self, outcome: Outcome) -> SettingAnswer:
        """Whether the status will come."""
        ...


class Issuers(Protocol):
    """Reaches those who gave out tokens."""

    def admits(self, token: Token) -> bool:
        """Whether the tokens of this one's issuer count at our stations."""
        ...

    def can_answer(self, question: Question) -> bool:
        """Whether there is anybody to ask."""
        ...

    async def ask(self, question: Question) -> Asked:
        """The issuer's answer, within the deadline; never raises for what a partner does."""
        ...
