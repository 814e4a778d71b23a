"""Work per station that may wait: a while after it was asked for, few at once, so many a second and no more."""

from collections.abc import Awaitable, Callable

from app.kit import logs
from app.kit.clock import Clock
from app.kit.tasks import spawn
from app.store.database.errors import StoreError

TICK_SECONDS = 0.5
"""How often `go_on` is to be called."""
AGAIN_SECONDS = 30.0
"""How long work waits that the store was away for."""

_log = logs.get("services.pacing")


class Paced:
    """`work` is done for a station `delay` seconds after it was asked for, once however often that was.

    At most `per_second` are begun and at most `at_once` under way. A thousand stations that come back together are
    seen to one after the other.
    """

    def __init__(
        self,
        name: str,
        clock: Clock,
        work: Callable[[str], Awaitable[None]],
        *,
        delay: float,
        per_second: float,
        at_once: int,
    ) -> None:
        self._name = name
        self._clock = clock
        self._work = work
        self._delay = delay
        self._share = max(1, round(per_second * TICK_SECONDS))
        self._at_once = at_once
        self._due: dict[str, float] = {}
        self._busy: set[str] = set()

    def __len__(self) -> int:
        return len(self._due) + len(self._busy)

    def busy(self, station_id: str) -> bool:
        """Whether the work for this station is under way."""
        return station_id in self._busy

    def ask(self, station_id: str, *, delay: float | None = None) -> None:
        """Have it done; where it waits already it waits no longer for that."""
        moment = self._clock.monotonic() + (self._delay if delay is None else delay)
        self._due.setdefault(station_id, moment)

    async def go_on(self) -> None:
        """Begin what is due, as far as the pace allows."""
        free = min(self._share, self._at_once - len(self._busy))
        if free <= 0 or not self._due:
            return
        now = self._clock.monotonic()
        ready = [name for name, moment in self._due.items() if moment <= now and name not in self._busy]
        for station_id in ready[:free]:
            del self._due[station_id]
            self._busy.add(station_id)
            spawn(self._do(station_id), f"{self._name} {station_id}")

    async def _do(self, station_id: str) -> None:
        try:
            await self._work(station_id)
        except StoreError as error:
            _log.warning("put off: the store is away", work=self._name, station=station_id, reason=str(error))
            self.ask(station_id, delay=AGAIN_SECONDS)
        finally:
            self._busy.discard(station_id)
