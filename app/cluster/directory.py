"""Directory: which process has the socket of which station, as the stations' rows say."""

from collections.abc import Sequence

from app.cluster.membership import Membership
from app.store import stations
from app.store.database.engine import Store


class Directory:
    """Asked by whoever has no socket of a station itself."""

    def __init__(self, store: Store, membership: Membership) -> None:
        self._store = store
        self._membership = membership

    async def elsewhere(self, station_id: str) -> int | None:
        """The other process that has the station's socket; None where none has. Raises StoreUnavailable."""
        if self._membership.alone:
            return None
        async with self._store.reading() as session:
            holder = await stations.holder(session, station_id)
        return None if holder == self._membership.number else holder

    async def lost(self, station_ids: Sequence[str]) -> set[str]:
        """Those of these stations, all with a socket here, that have a newer one at another process."""
        if self._membership.alone or not station_ids:
            return set()
        async with self._store.reading() as session:
            mine = await stations.held_by(session, self._membership.number, station_ids)
        return set(station_ids) - mine
