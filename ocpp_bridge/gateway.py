"""The way from the core to the stations connected here."""

from typing import Any

from app.domain.commands import Outcome
from app.domain.errors import Conflict
from app.domain.ports import Late
from app.domain.remote import CommandResult, Order
from ocpp_bridge.live import LiveStations
from ocpp_bridge.v16 import outbound, remote


class LocalGateway:
    """Implements app.domain.ports.StationGateway and Driver for the stations of this node."""

    def __init__(self, live: LiveStations) -> None:
        self._live = live

    def online(self, station_id: str) -> bool:
        """Whether the station has a socket here."""
        return self._live.get(station_id) is not None

    def check(self, station_id: str, action: str, payload: Any) -> None:
        """Raises Conflict (not connected), NotFound (no such action), Invalid (payload breaks the schema)."""
        if action in outbound.TO_STATION and not self.online(station_id):
            raise Conflict(f"station {station_id} is not connected")
        outbound.check_outgoing(action, payload)

    async def call(
        self,
        station_id: str,
        action: str,
        payload: dict[str, Any],
        *,
        message_id: str,
        timeout: float,  # noqa: ASYNC109
        late: Late | None = None,
    ) -> Outcome:
        """Sends a call that was checked; raises Conflict if too many wait for this station."""
        return await self._live.call(
            station_id,
            action,
            outbound.encode(payload),
            message_id=message_id,
            priority=outbound.priority(action),
            timeout=timeout,
            late=late,
        )

    def spell(self, order: Order) -> tuple[str, dict[str, Any]]:
        """A remote command as the station's version has it: action and payload."""
        return remote.spell(order)

    def meaning(self, order: Order, outcome: Outcome) -> CommandResult:
        """What became of a remote command."""
        return remote.meaning(order, outcome)
