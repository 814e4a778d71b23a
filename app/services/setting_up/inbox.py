"""Who knocked and was refused: counted in memory, kept every few seconds for those the house knows of."""

from collections.abc import Sequence

from msgspec.structs import replace

from app.domain.stations import Knocks
from app.kit.clock import Clock
from app.store import station_settings as rows
from app.store import stations
from app.store.database.engine import Store
from app.store.database.unit_of_work import UnitOfWork

MOST_NAMES = 1000
"""Stations whose refusals are counted between two writings; a flood of names costs no memory."""
_LONGEST = 60
_MOST_OFFERED = 8


class Inbox:
    """Counts refusals. `keep` writes them; whoever wants to see them has them written first."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._news: dict[str, Knocks] = {}

    def refused(
        self, station_id: str, *, address: str, subprotocols: Sequence[str], credentials: str, reason: str
    ) -> None:
        """A station was not let in. Never waits."""
        now = self._clock.now()
        before = self._news.get(station_id)
        if before is None and len(self._news) >= MOST_NAMES:
            return
        self._news[station_id] = Knocks(
            times=1 + (before.times if before else 0),
            first_at=before.first_at if before else now,
            last_at=now,
            address=address,
            subprotocols=tuple(each[:_LONGEST] for each in subprotocols[:_MOST_OFFERED]),
            credentials=credentials,
            reason=reason,
        )

    async def keep(self) -> None:
        """Write what was counted, of stations that are listed. Raises StoreError; then it is written later."""
        if not self._news:
            return
        news, self._news = self._news, {}
        try:
            async with self._store.unit_of_work(self._clock) as unit:
                await _write(unit, news)
        except BaseException:
            for station_id, knocks in news.items():
                later = self._news.get(station_id)
                self._news[station_id] = knocks if later is None else _both(knocks, later)
            raise

    async def shown(self, station_ids: Sequence[str]) -> dict[str, Knocks]:
        """Refusals by station id, the latest included."""
        await self.keep()
        async with self._store.reading() as session:
            return await rows.knocks(session, station_ids)


async def _write(unit: UnitOfWork, news: dict[str, Knocks]) -> None:
    known = await stations.existing(unit.session, sorted(news))
    for station_id in sorted(known):
        await rows.add_knocks(unit.session, station_id, news[station_id])


def _both(first: Knocks, later: Knocks) -> Knocks:
    return replace(later, times=first.times + later.times, first_at=first.first_at)
