"""Leases: whose a station is where several processes share the database, and what is checked at every commit.

A station belongs to the process with its newest socket (`epoch`). What that one has in memory is compared with the
row at each commit. Any other process takes the station for one batch, which locks its row, reads it afresh, and
leaves its `turn` changed, so that the owner reads it again.
"""

from collections.abc import Callable, Iterable, Set
from typing import Any

from app.services.intake.calls import Line
from app.services.intake.states import Lease
from app.store import nodes, stations
from app.store.bulk.statements import Row
from app.store.bulk.writer import Batch

Visited = Callable[[str], None]
"""Told of a station that was written to here although another process has its socket."""


class Leases:
    """What this process knows of leases. `node` is its number; without `fenced` there is no other process."""

    def __init__(self, *, fenced: bool, visited: Visited) -> None:
        self.node = 0
        self.fenced = fenced
        self._visited = visited
        self._known: dict[str, Lease] = {}
        self._stale: set[str] = set()
        self._around: tuple[int, bool] = (-1, False)

    def stale(self, station_id: str) -> None:
        """Another process has written to this station."""
        self._stale.add(station_id)

    def drop_stale(self, states: dict[str, Any]) -> None:
        """Forget what others have changed, before a batch begins."""
        while self._stale:
            states.pop(self._stale.pop(), None)

    def forget(self, station_id: str) -> None:
        """The station was deleted."""
        self._known.pop(station_id, None)

    async def alone(self, batch: Batch, states: dict[str, Any]) -> bool:
        """Whether nobody else can write before the batch ends: then nothing has to be compared.

        A process that joins passes the write gate before it does anything (app/cluster/membership.py), so one that
        is not seen here waits for this batch. Where one has come since the last batch, or gone, what is in memory
        may be old.
        """
        if not self.fenced:
            return True
        ((newest, every, own),) = await batch.fetch(nodes.AROUND, [self.node])
        before = self._around
        self._around = newest, every == own == 1
        if self._around != before and (self._around[1] or newest != before[0]):
            states.clear()
        return self._around[1]

    async def lock(self, batch: Batch, visited: Set[str], others: Set[str], states: dict[str, Any]) -> None:
        """Hold stations until the batch ends: those without a socket here, which are to be read afresh, and others."""
        for station_id in visited:
            states.pop(station_id, None)
        await batch.write([(stations.TAKE_TURNS, [(station_id,) for station_id in visited])])
        await batch.fetch(stations.FENCE, sorted(others))

    def found(self, leases: dict[str, Lease], lines: dict[str, Line]) -> None:
        """How stations were read; a line with an older epoch was replaced at another process, and is dropped."""
        if not self.fenced:
            return
        self._known |= leases
        for station_id, lease in leases.items():
            line = lines.get(station_id)
            if line is not None and line.epoch != lease.epoch:
                del lines[station_id]

    def guard(self, batch: Batch, station_ids: Set[str]) -> None:
        """Let the batch commit only if these stations are still as they were read."""
        known = self._known
        expected: list[Row] = [
            (station_id, known[station_id].epoch, known[station_id].turn)
            for station_id in station_ids & known.keys()
        ]
        batch.guard(stations.FENCE, expected)

    def holds(self, line: Line) -> bool:
        """Whether no process has a newer socket of the station than this one, as far as was read."""
        lease = self._known.get(line.station_id)
        return not self.fenced or lease is None or lease.epoch == line.epoch

    def visits_ended(self, station_ids: Iterable[str]) -> None:
        """After the commit: tell of stations whose socket is elsewhere."""
        for station_id in station_ids:
            if self.elsewhere(station_id):
                self._visited(station_id)

    def elsewhere(self, station_id: str) -> bool:
        """Whether another process had the station's socket when it was last read here."""
        lease = self._known.get(station_id)
        return lease is not None and lease.node not in (None, self.node)
