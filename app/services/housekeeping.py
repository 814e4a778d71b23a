"""What has to happen although nobody asks: stations that stay away, transactions whose stop never comes."""

from datetime import datetime, timedelta

from app.domain.charging.decisions import overdue
from app.domain.stations import CloseOverdue, Silent
from app.kit import logs, metrics
from app.kit.clock import Clock
from app.services.intake.intake import Intake
from app.store import frames, stations, transactions
from app.store.database.engine import Store
from app.store.views import availability, availability_days

SILENT_AFTER = timedelta(minutes=5)
"""How long a station may be without a socket before its status counts as unknown."""

FRAMES_KEPT = timedelta(days=30)

TURNS_KEPT = timedelta(days=62)
"""When exactly EVSEs could serve; by then it is summed up by days."""

DAYS_KEPT = timedelta(days=400)
"""As far back as statistics reach, and a month to look at it."""

_DAY = timedelta(days=1)
_PAGE = 500

_log = logs.get("services.housekeeping")


class Housekeeping:
    """Rounds to be made every now and then; `began` is the start of the process.

    A station without a socket is given its time from the start of the process at the earliest, so that a
    restart never declares a whole network unknown.
    """

    def __init__(self, store: Store, intake: Intake, clock: Clock) -> None:
        self._store = store
        self._intake = intake
        self._clock = clock
        self._began = clock.now()
        self._silenced: set[str] = set()

    async def notice_silence(self) -> None:
        """Stations that lost their socket long enough ago are shown as unknown."""
        now = self._clock.now()
        if now - self._began < SILENT_AFTER:
            return
        away = await self._away(now - SILENT_AFTER)
        for station_id in away:
            if station_id not in self._silenced and not self._intake.connected(station_id):
                await self._intake.report(station_id, Silent())
                self._silenced.add(station_id)
        self._silenced.intersection_update(away)

    async def close_overdue(self) -> None:
        """Transactions of stations in memory that showed their end, or said nothing for days."""
        now = self._clock.now()
        for station_id, state in self._intake.held():
            if any(overdue(running.transaction, now) for running in state.running.values()):
                await self._intake.report(station_id, CloseOverdue())

    async def close_forgotten(self) -> None:
        """The same for stations that this process has not heard of: it reads them from the store."""
        async with self._store.reading() as session:
            forgotten = await transactions.stations_with_active(session)
            metrics.TRANSACTIONS_ACTIVE.set(await transactions.count_active(session))
        for station_id in forgotten:
            if self._intake.state(station_id) is None:
                await self._intake.report(station_id, CloseOverdue())

    async def forget_frames(self) -> None:
        """The wire log is kept for a month; what was billed is kept in transactions and samples."""
        async with self._store.unit_of_work(self._clock) as unit:
            gone = await frames.forget_before(unit.session, unit.now() - FRAMES_KEPT)
        if gone:
            _log.info("old frames were dropped", frames=gone)

    async def sum_up_availability(self) -> None:
        """Days that are over are summed up; what is older than anybody asks for is dropped."""
        today = self._clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        async with self._store.reading() as session:
            first = await availability_days.summed_until(session) or await availability.oldest(session)
        day = today if first is None else first.replace(hour=0, minute=0, second=0, microsecond=0)
        if day == today:
            return
        while day < today:
            async with self._store.reading() as session:
                shares = await availability.by_station(session, day, day + _DAY)
            async with self._store.unit_of_work(self._clock) as unit:
                await availability_days.put(unit.session, day, shares)
            day += _DAY
        async with self._store.unit_of_work(self._clock) as unit:
            await availability.forget_before(unit.session, today - TURNS_KEPT)
            await availability_days.forget_before(unit.session, today - DAYS_KEPT)

    async def _away(self, since: datetime) -> list[str]:
        away: list[str] = []
        async with self._store.reading() as session:
            offset = 0
            while True:
                found, total = await stations.find(session, limit=_PAGE, offset=offset)
                away += [
                    each.station.id
                    for each in found
                    if not each.online
                    and each.station.connectors
                    and (each.disconnected_at or since) <= since
                ]
                offset += _PAGE
                if offset >= total:
                    return away
