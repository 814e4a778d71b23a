"""What a station's meter says of one transaction: which readings to believe, and the energy they make.

Stations report registers that restart, roll over, come late, come twice or make no sense. The rule: the
last good reading stays until a better one comes; nothing is ever billed from a single odd value.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from app.domain.metering import KILO, Reading
from app.domain.transactions import Flag

ZERO = Decimal(0)
_UNKNOWN_POWER_KW = Decimal(400)
_CLOCK_SLACK = timedelta(hours=1)
_SECOND = timedelta(seconds=1)
_MARGIN = Decimal("1.25")
_BELIEVE_AFTER = 3
_ROUNDING_WH = Decimal(10)


def plausible_wh(rated_kw: Decimal | None, elapsed: timedelta) -> Decimal:
    """The most energy (Wh) that can have flowed in `elapsed` at the rated power.

    An hour is granted on top because station clocks are set right in the middle of sessions.
    """
    seconds = (max(elapsed, timedelta(0)) + _CLOCK_SLACK) // _SECOND
    return (rated_kw or _UNKNOWN_POWER_KW) * seconds / 3600 * KILO * _MARGIN


class Register:
    """The energy curve of one transaction: points of (time, Wh since the start), never falling."""

    __slots__ = (
        "_base",
        "_intervals",
        "_low",
        "_odd",
        "_rated_kw",
        "current",
        "last_raw",
        "points",
        "power",
        "reset",
    )

    def __init__(self, started_at: datetime, meter_start: Decimal, rated_kw: Decimal | None) -> None:
        self.points: list[tuple[datetime, Decimal]] = [(started_at, ZERO)]
        self.power: list[tuple[datetime, Decimal]] = []
        self.current: list[tuple[datetime, Decimal]] = []
        self.last_raw = meter_start
        self.reset = False
        self._base = meter_start
        self._rated_kw = rated_kw
        self._low: list[Decimal] = []
        self._odd: Decimal | None = None
        self._intervals: dict[datetime, Decimal] = {}

    @property
    def energy_wh(self) -> Decimal:
        """Energy so far by the last good reading."""
        return self.points[-1][1]

    @property
    def last_at(self) -> datetime:
        """The time of the last good reading."""
        return self.points[-1][0]

    def add(self, at: datetime, reading: Reading) -> None:
        """Take in what one sample says; anything odd or late leaves the curve as it is."""
        if reading.power_kw is not None and (not self.power or at > self.power[-1][0]):
            self.power.append((at, reading.power_kw))
        if reading.current_a is not None and (not self.current or at > self.current[-1][0]):
            self.current.append((at, reading.current_a))
        if at < self.last_at:
            return
        if reading.register_wh is not None:
            self._add_register(at, reading.register_wh)
        elif reading.interval_wh is not None and self.last_raw == self._base and not self.reset:
            self._add_interval(at, reading.interval_wh)

    def _add_register(self, at: datetime, raw: Decimal) -> None:
        if raw < self.last_raw:
            self._suspect(at, raw)
            return
        energy = raw - self._base
        if energy > plausible_wh(self._rated_kw, at - self.points[0][0]):
            self._odd = raw if self._odd is None else self._odd
            return
        self._low.clear()
        self.last_raw = raw
        self._append(at, energy)

    def _suspect(self, at: datetime, raw: Decimal) -> None:
        """A register below the last one: a glitch, unless it keeps counting from there (a meter was changed)."""
        if self._low and raw < self._low[-1]:
            self._low.clear()
        self._low.append(raw)
        if len(self._low) < _BELIEVE_AFTER or self._low[-1] == self._low[0]:
            return
        self.reset = True
        self._base = self._low[0] - self.energy_wh
        self.last_raw = raw
        self._low.clear()
        self._append(at, raw - self._base)

    def _add_interval(self, at: datetime, interval: Decimal) -> None:
        """Energy of one interval; the same moment again is a repetition."""
        if at in self._intervals or interval < 0:
            return
        self._intervals[at] = interval
        self._append(at, self.energy_wh + interval)

    def _append(self, at: datetime, energy: Decimal) -> None:
        if at <= self.points[0][0]:
            return
        if at == self.last_at:
            self.points[-1] = (at, max(energy, self.energy_wh))
        else:
            self.points.append((at, max(energy, self.energy_wh)))

    def settle(
        self, at: datetime, meter_stop: Decimal | None, meter_start: Decimal
    ) -> tuple[Decimal, Flag | None]:
        """The total (Wh) at the stop, and what is wrong with it if it is only our best estimate.

        A stop a few Wh below the last sample is rounding by the station, not a meter that runs backwards.
        """
        if meter_stop is None:
            return self.energy_wh, Flag.METER_RESET
        total = meter_stop - meter_start
        limit = plausible_wh(self._rated_kw, at - self.points[0][0])
        if (
            total < 0
            or total + _ROUNDING_WH < self.energy_wh
            or (self.reset and not self._leads_to(at, total))
        ):
            return self.energy_wh, Flag.METER_RESET
        if total <= limit:
            return total, None
        since_first_odd = ZERO if self._odd is None else meter_stop - self._odd
        if ZERO < since_first_odd <= limit:
            return since_first_odd, Flag.ABSURD_ENERGY
        return self.energy_wh, Flag.ABSURD_ENERGY

    def _leads_to(self, at: datetime, total: Decimal) -> bool:
        """Whether samples that count from another point than start and stop still tell the same energy.

        Some stations begin each session's samples at zero; then only what flowed since the last sample may differ.
        """
        most = (
            (self._rated_kw or _UNKNOWN_POWER_KW) * KILO * ((at - self.last_at) // _SECOND) / 3600 * _MARGIN
        )
        return total <= self.energy_wh + most + _ROUNDING_WH

    def until(self, at: datetime, total: Decimal) -> list[tuple[datetime, Decimal]]:
        """The curve cut at `at` and ending at `total` Wh there; points beyond either are dropped."""
        kept = [(t, wh) for t, wh in self.points if t < at and wh <= total]
        if not kept:
            kept = [(self.points[0][0], ZERO)]
        return [*kept, (at, total)]
