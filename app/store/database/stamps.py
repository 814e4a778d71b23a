"""The stamps of a process: times that never go back, whatever the clock does."""

from datetime import datetime

from app.kit.clock import Clock


class Stamps:
    """Gives each transaction its time, taken behind the write gate and never before an earlier one."""

    def __init__(self) -> None:
        self._last: datetime | None = None

    def take(self, clock: Clock) -> datetime:
        """Now, or the last stamp again where the clock was set back."""
        now = clock.now()
        if self._last is None or now > self._last:
            self._last = now
        return self._last
