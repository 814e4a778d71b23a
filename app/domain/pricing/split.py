"""From a raw session to charging periods: cut wherever activity, price or a wanted interval changes."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from operator import itemgetter
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from app.domain.pricing.cutting import Cutter, Stretch, joined, mean_power
from app.domain.pricing.prepared import Prepared, prepared
from app.domain.pricing.usage import (
    EXACT,
    MICROSECOND,
    Activity,
    Reading,
    Usage,
    check_usage,
    instant,
    moment,
)
from app.domain.pricing.volumes import Period
from app.domain.tariffs import Tariff

_TIME = itemgetter(0)
_GRAIN = Decimal("0.1")
"""Interpolated energy is given in the Wh that travel: whoever prices our periods comes to the same amount."""
GRAIN_US = 1000
"""Times travel in milliseconds."""


def split(
    usage: Usage,
    tariff: Tariff | None,
    zone: ZoneInfo,
    feedback: timedelta | None = None,
    *,
    reservation_expired: bool = False,
) -> tuple[Period, ...]:
    """Cut a session into charging periods (OCPI 2.2.1, CDRs 1.4).

    Cuts lie where the activity changes, where another component of the tariff could apply, and every `feedback`
    since the start. Energy between two readings is given to charging time only, evenly; without charging time
    between them it is spread over all of it. The energies of the periods add up exactly to the last reading.
    Raises ValueError naming the field if the usage is not what it promises.
    """
    check_usage(usage)
    with localcontext(EXACT):
        course = Course(usage)
        wanted = _wanted(usage, feedback)
        ready = None if tariff is None else prepared(tariff)
        if ready is None or ready.unrestricted:
            marks = sorted({usage.start, usage.end, *course.changes, *wanted})
            return tuple(stretch.period() for stretch in course.stretches(marks, ready))
        return _split_by_tariff(course, ready, zone, wanted, reservation_expired=reservation_expired)


def _split_by_tariff(
    course: "Course", ready: Prepared, zone: ZoneInfo, wanted: list[datetime], *, reservation_expired: bool
) -> tuple[Period, ...]:
    """Cut every part in which energy grows evenly, then join what nothing tells apart."""
    usage = course.usage
    cutter = Cutter(
        instant(usage.start),
        instant(usage.end),
        zone,
        reservation_expired=reservation_expired,
        grain=GRAIN_US,
    )
    keep = frozenset(instant(at) for at in (*wanted, *course.changes))
    return tuple(stretch.period() for stretch in joined(pieces_of(course, ready, cutter, wanted), keep))


def pieces_of(
    course: "Course", ready: Prepared | None, cutter: Cutter, wanted: Sequence[datetime]
) -> list[Stretch]:
    """What is used in pieces within which nothing that the tariff asks for changes, with their choices."""
    usage = course.usage
    marks = {usage.start, usage.end, *course.changes, *wanted}
    if ready is not None and not ready.unrestricted:
        groups = (ready.session, ready.used, ready.expired)
        if any(group.powers for group in groups) and not usage.power:
            course = Course(replace(usage, power=course.mean_powers()))
        if any(group.watches_meter for group in groups):
            marks.update(course.readings())
        # Cut by the clock here, where the readings around are known, so that other cuts change nothing.
        marks.update(moment(at) for at in cutter.times(course.stretches(sorted(marks), ready)))
    return [piece for stretch in course.stretches(sorted(marks), ready) for piece in cutter.cut(stretch)]


def _wanted(usage: Usage, feedback: timedelta | None) -> list[datetime]:
    if feedback is None:
        return []
    if feedback < timedelta(seconds=1):
        raise ValueError("feedback: shorter than a second")
    count = (usage.end - usage.start) // feedback
    return [at for at in (usage.start + n * feedback for n in range(1, count + 1)) if at < usage.end]


class Course:
    """The readings of a session as a curve that can be asked at any moment."""

    def __init__(self, usage: Usage) -> None:
        self.usage = usage
        self._spans: list[tuple[datetime, Activity]] = []
        for at, activity in usage.activity:
            if self._spans and self._spans[-1][0] == at:
                self._spans.pop()
            if not self._spans or self._spans[-1][1] is not activity:
                self._spans.append((at, activity))
        self.changes = [at for at, _ in self._spans[1:] if at < usage.end]

    def stretches(self, marks: Sequence[datetime], ready: Prepared | None) -> list[Stretch]:
        """One stretch between each two marks; a session without length is one stretch."""
        usage = self.usage
        tariff_id = None if ready is None else ready.tariff.id
        made: list[Stretch] = []
        before = Decimal(0)
        for start, end in zip(marks, marks[1:] or marks, strict=False):
            energy = self.energy_at(end)
            low, high = _figures(usage.power, start, end)
            least, most = _figures(usage.current, start, end)
            made.append(
                Stretch(
                    start=instant(start),
                    end=instant(end),
                    energy_wh=energy - before,
                    activity=self._activity(start),
                    ready=ready,
                    tariff_id=tariff_id,
                    min_power=low,
                    max_power=high,
                    min_current=least,
                    max_current=most,
                )
            )
            before = energy
        return made

    def readings(self) -> Iterator[datetime]:
        """The moments after the start at which something was measured."""
        usage = self.usage
        for series in (usage.energy, usage.power or (), usage.current or ()):
            yield from (at for at, _ in series if usage.start < at < usage.end)

    def mean_powers(self) -> list[Reading]:
        """Power from the meter where none was reported: the mean of each part in which energy grows evenly."""
        usage = self.usage
        marks = sorted({usage.start, usage.end, *self.changes, *(at for at, _ in usage.energy)})
        means = ((stretch.start, mean_power(stretch)) for stretch in self.stretches(marks, None))
        return [(moment(start), power) for start, power in means if power is not None]

    def _activity(self, at: datetime) -> Activity:
        return self._spans[bisect_right(self._spans, at, key=_TIME) - 1][1]

    def energy_at(self, at: datetime) -> Decimal:
        """Wh since the start, interpolated between the two readings around."""
        readings = self.usage.energy
        place = bisect_right(readings, at, key=_TIME)
        earlier, low = readings[place - 1]
        if earlier == at or place == len(readings):
            return low
        later, high = readings[place]
        if low == high:
            return low
        whole = self._charging(earlier, later)
        part = self._charging(earlier, at) if whole else (at - earlier) // MICROSECOND
        share = (high - low) * part / (whole or (later - earlier) // MICROSECOND)
        return min(low + share.quantize(_GRAIN, ROUND_HALF_UP), high)

    def _charging(self, start: datetime, end: datetime) -> int:
        """Microseconds of charging between two moments."""
        spans = self._spans
        first = bisect_right(spans, start, key=_TIME) - 1
        total = 0
        for number in range(first, bisect_left(spans, end, key=_TIME)):
            if spans[number][1] is Activity.CHARGING:
                until = spans[number + 1][0] if number + 1 < len(spans) else end
                total += (min(until, end) - max(spans[number][0], start)) // MICROSECOND
        return total


def _figures(
    readings: Sequence[Reading] | None, start: datetime, end: datetime
) -> tuple[Decimal | None, Decimal | None]:
    """Lowest and highest reading that counts between two moments; the first counts from the start."""
    if not readings:
        return None, None
    first = max(bisect_right(readings, start, key=_TIME) - 1, 0)
    last = max(bisect_left(readings, end, key=_TIME), first + 1)
    values = [value for _, value in readings[first:last]]
    return min(values), max(values)
