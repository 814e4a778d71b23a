"""The cost of a session under way: each meter value is taken in once, and what is told equals the record to come."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from operator import itemgetter
from typing import TypeVar
from zoneinfo import ZoneInfo

import msgspec

from app.domain.pricing.cost import total_of
from app.domain.pricing.cutting import Cutter, Stretch, alike, lengthen
from app.domain.pricing.prepared import Group, Prepared, prepared
from app.domain.pricing.split import GRAIN_US, Course, pieces_of
from app.domain.pricing.tally import Tally
from app.domain.pricing.usage import (
    EXACT,
    MICROSECOND,
    Activity,
    Reading,
    Usage,
    check_usage,
    checked_number,
    checked_span,
    instant,
)
from app.domain.pricing.volumes import PeriodVolumes, VolumeWriter
from app.domain.tariffs import Price, Tariff

_TIME = itemgetter(0)

T = TypeVar("T")
Seen = tuple[Sequence[object], int, int]
Firsts = tuple[Reading | None, Reading | None]
"""The first readings of power and current: they count from the start of the session, whenever they come."""


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """A session under way, as `Usage` without an end: its live series, which grow from one question to the next."""

    energy: Sequence[Reading]
    activity: Sequence[tuple[datetime, Activity]]
    power: Sequence[Reading]
    current: Sequence[Reading]


class SoFar(msgspec.Struct, frozen=True, kw_only=True):
    """Cost and periods of a session up to a moment; the last period is still open. No tariff has no cost."""

    cost: Price | None
    periods: tuple[PeriodVolumes, ...]


class RunningCost:
    """Tells at any moment what a session costs so far.

    Everything up to the last reading is settled and never looked at again. What follows it is not: the energy
    since then is unknown, and the next reading spreads it over all of the time in between. So that part is
    worked out on a copy and thrown away. If what was settled turns out otherwise (a status that comes late, a
    reading that replaces another, the first reading of power), everything is worked out anew from the curve,
    as after a restart.
    """

    def __init__(self, tariff: Tariff | None, zone: ZoneInfo, feedback: timedelta | None = None) -> None:
        self._ready = None if tariff is None else prepared(tariff)
        self._zone = zone
        self._feedback = feedback
        self._settled: _Settled | None = None

    def so_far(self, curve: Curve, until: datetime) -> SoFar:
        """Cost and periods up to `until`, which is not before the last reading of energy.

        Raises ValueError beginning with the field as `split` does; a later question may succeed again.
        """
        started, known = curve.energy[0][0], curve.energy[-1]
        checked_span(started, until)
        checked_number(known[1], "energy")
        settled, self._settled = self._settled, None
        with localcontext(EXACT):
            firsts = _first(curve.power, until), _first(curve.current, until)
            if settled is None or settled.refuted_by(curve, firsts):
                settled = _Settled(self._ready, self._zone, self._feedback, started, firsts)
            if known[0] > settled.until:
                settled.take(curve, known[0])
            open_end = settled.copy()
            if until > settled.until or open_end.untouched:
                open_end.take(curve, until)
            self._settled = settled
            return open_end.told()


class _Settled:
    """All that is worked out of a session up to a reading."""

    __slots__ = (
        "_closed",
        "_cutter_state",
        "_feedback",
        "_firsts",
        "_last",
        "_ready",
        "_seen",
        "_started",
        "_taken",
        "_tally",
        "_writer",
        "_zone",
        "until",
    )

    def __init__(
        self,
        ready: Prepared | None,
        zone: ZoneInfo,
        feedback: timedelta | None,
        started: datetime,
        firsts: Firsts,
    ) -> None:
        self._ready = ready
        self._zone = zone
        self._feedback = feedback
        self._started = started
        self._firsts = firsts
        self.until = started
        self._tally = Tally(itemized=False)
        self._writer = VolumeWriter()
        self._closed: list[PeriodVolumes] = []
        self._last: Stretch | None = None
        self._cutter_state: tuple[dict[bool, int], Decimal] = ({}, Decimal(0))
        self._taken: tuple[int, Reading] = (0, (started, Decimal(0)))
        self._seen: Seen = ((), 0, 0)

    @property
    def untouched(self) -> bool:
        """Whether nothing was taken in yet."""
        return self._last is None

    @property
    def _watches_power(self) -> bool:
        return any(group.powers or group.currents for group in self._groups)

    @property
    def _groups(self) -> tuple[Group, ...]:
        ready = self._ready
        return () if ready is None else (ready.session, ready.used, ready.expired)

    def refuted_by(self, curve: Curve, firsts: Firsts) -> bool:
        """Whether the curve says something else of the time up to here than it did."""
        place, reading = self._taken
        if curve.energy[place] != reading:
            return True
        return self._told_by(curve) != self._seen or (self._watches_power and firsts != self._firsts)

    def copy(self) -> "_Settled":
        """The same, to go on from here on its own; periods that are closed are shared."""
        other = _Settled(self._ready, self._zone, self._feedback, self._started, self._firsts)
        other.until = self.until
        other._tally = self._tally.copy()
        other._writer = self._writer.copy()
        other._closed = self._closed.copy()
        other._last = None if self._last is None else msgspec.structs.replace(self._last)
        other._cutter_state = self._cutter_state
        other._taken = self._taken
        return other

    def take(self, curve: Curve, until: datetime) -> None:
        """Take in what happened from where we are up to `until`."""
        usage = self._part(curve, until)
        check_usage(usage)
        began, energy = self._cutter_state
        cutter = Cutter(
            instant(usage.start),
            instant(until),
            self._zone,
            reservation_expired=False,
            began=began,
            energy=energy,
            grain=GRAIN_US,
        )
        for piece in pieces_of(Course(usage), self._ready, cutter, self._wanted(usage)):
            if self._ready is not None:
                length = piece.end - piece.start
                self._tally.take(0, piece.activity, length, piece.energy_wh, piece.choice)
            self._append(piece)
        self._cutter_state = (cutter.began, cutter.energy)
        self._taken = (len(curve.energy) - 1, curve.energy[-1])
        self.until = until
        self._seen = self._told_by(curve)

    def told(self) -> SoFar:
        """Cost and periods; ends this copy, for steps are rounded up."""
        last = () if self._last is None else (self._writer.write(self._last.period()),)
        return SoFar(cost=self._cost(), periods=(*self._closed, *last))

    def _cost(self) -> Price | None:
        if self._ready is None:
            return None
        self._tally.steps()
        began, _ = self._cutter_state
        return total_of(self._tally.added()[0], self._ready if False in began else None)

    def _told_by(self, curve: Curve) -> Seen:
        """What the curve says of the time before `until`, apart from energy, short enough to be compared."""
        activity = curve.activity[: bisect_left(curve.activity, self.until, key=_TIME)]
        if not self._watches_power:
            return activity, 0, 0
        powers = bisect_left(curve.power, self.until, key=_TIME)
        return activity, powers, bisect_left(curve.current, self.until, key=_TIME)

    def _part(self, curve: Curve, until: datetime) -> Usage:
        """The session between here and `until` as a session of its own."""
        start, known = self.until, self._taken[1][1]
        energy = [(start, Decimal(0))]
        energy.extend((at, wh - known) for at, wh in curve.energy[self._taken[0] + 1 :] if start < at < until)
        energy.append((until, curve.energy[-1][1] - known))
        return Usage(
            start=start,
            end=until,
            energy=energy,
            activity=_without_gap(_since(curve.activity, start, until), start),
            power=self._figures(curve.power, self._firsts[0], until),
            current=self._figures(curve.current, self._firsts[1], until),
        )

    def _figures(
        self, readings: Sequence[Reading], first: Reading | None, until: datetime
    ) -> Sequence[Reading] | None:
        if first is None or not self._watches_power:
            return None
        return _since(readings, self.until, until) or [(self.until, first[1])]

    def _wanted(self, usage: Usage) -> list[datetime]:
        """The feedback moments inside a part."""
        if self._feedback is None:
            return []
        number = (usage.start - self._started) // self._feedback + 1
        wanted = []
        while (at := self._started + number * self._feedback) < usage.end:
            wanted.append(at)
            number += 1
        return wanted

    def _append(self, piece: Stretch) -> None:
        last = self._last
        if last is not None and alike(last, piece) and not self._tells(piece.start):
            lengthen(last, piece)
            return
        if last is not None:
            self._closed.append(self._writer.write(last.period()))
        self._last = piece

    def _tells(self, at: int) -> bool:
        """Whether a period is wanted at this instant for the driver's information."""
        feedback = self._feedback
        return feedback is not None and (at - instant(self._started)) % (feedback // MICROSECOND) == 0


def _since(
    series: Sequence[tuple[datetime, T]], start: datetime, until: datetime
) -> list[tuple[datetime, T]]:
    """What counts from `start` to `until`; what began before begins there."""
    first = max(bisect_right(series, start, key=_TIME) - 1, 0)
    last = bisect_left(series, until, key=_TIME)
    return [(max(at, start), value) for at, value in series[first:last]]


def _without_gap(
    activity: list[tuple[datetime, Activity]], start: datetime
) -> list[tuple[datetime, Activity]]:
    """Until a status says otherwise, the vehicle charges."""
    if activity and activity[0][0] == start:
        return activity
    return [(start, Activity.CHARGING), *activity]


def _first(series: Sequence[Reading], until: datetime) -> Reading | None:
    return series[0] if series and series[0][0] < until else None
