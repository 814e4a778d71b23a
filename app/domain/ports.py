"""The arrows turned round: what the core asks of the wings that reach the outside."""

from collections.abc import Callable
from typing import Any, Protocol

from app.domain.commands import Outcome

Late = Callable[[Outcome], None]
"""Told of an answer that came after the call was given up."""


class StationGateway(Protocol):
    """Reaches stations that are connected."""

    def online(self, station_id: str) -> bool:
        """Whether the station has a socket here."""
        ...

    def check(self, station_id: str, action: str, payload: Any) -> None:
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
