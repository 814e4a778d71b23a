"""The way from the core to the stations: those connected here are called, those at other processes are known of."""

from typing import Any

from app.cluster.directory import Directory
from app.domain.commands import Outcome
from app.domain.errors import Conflict
from app.domain.ports import Late
from app.domain.remote import CommandResult, Order
from ocpp_bridge.live import LiveStations
from ocpp_bridge.v16 import outbound, remote


class LocalGateway:
    """Implements app.domain.ports.StationGateway and Driver. Without `directory` there is no other process."""

    def __init__(self, live: LiveStations, directory: Directory | None = None) -> None:
        self._live = live
        self._directory = directory

    def here(self, station_id: str) -> bool:
        """Whether the station has a socket at this process."""
        return self._live.get(station_id) is not None

    async def online(self, station_id: str) -> bool:
        """Whether the station has a socket at any process. Raises StoreUnavailable."""
        if self.here(station_id):
            return True
        return self._directory is not None and await self._directory.elsewhere(station_id) is not None

    async def check(self, station_id: str, action: str, payload: Any) -> None:
        """Raises Conflict (not connected), NotFound (no such action), Invalid (payload breaks the schema)."""
        if action in outbound.TO_STATION and not await self.online(station_id):
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
