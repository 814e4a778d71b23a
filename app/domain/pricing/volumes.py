"""Charging periods: what was used between two moments, read from and written to the volumes of the wire."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from enum import StrEnum

import msgspec

from app.domain.pricing.usage import EXACT, MICROSECOND, Activity, checked_number, checked_span

HOUR = 3_600_000_000
"""Microseconds of an hour."""

_WIRE = Decimal("0.0001")
_SECOND = timedelta(seconds=1)


class CdrDimension(StrEnum):
    """What a volume of a charging period measures (OCPI 2.2.1, CdrDimensionType)."""

    CURRENT = "CURRENT"
    ENERGY = "ENERGY"
    ENERGY_EXPORT = "ENERGY_EXPORT"
    ENERGY_IMPORT = "ENERGY_IMPORT"
    MAX_CURRENT = "MAX_CURRENT"
    MIN_CURRENT = "MIN_CURRENT"
    MAX_POWER = "MAX_POWER"
    MIN_POWER = "MIN_POWER"
    PARKING_TIME = "PARKING_TIME"
    POWER = "POWER"
    RESERVATION_TIME = "RESERVATION_TIME"
    STATE_OF_CHARGE = "STATE_OF_CHARGE"
    TIME = "TIME"


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """What was used from `start` to `end`: Wh, one activity, and power (kW) and current (A) where known."""

    start: datetime
    end: datetime
    energy_wh: Decimal = Decimal(0)
    activity: Activity
    tariff_id: str | None = None
    min_power: Decimal | None = None
    max_power: Decimal | None = None
    min_current: Decimal | None = None
    max_current: Decimal | None = None


class PeriodVolumes(msgspec.Struct, frozen=True, kw_only=True):
    """A charging period as it travels: a start, and volumes by dimension (kWh, hours, kW, A)."""

    start: datetime
    volumes: dict[CdrDimension, Decimal]
    tariff_id: str | None = None


TIMED = (
    (Activity.RESERVED, CdrDimension.RESERVATION_TIME),
    (Activity.CHARGING, CdrDimension.TIME),
    (Activity.PARKING, CdrDimension.PARKING_TIME),
)
"""The activities whose hours are counted, in the order in which they follow each other."""

_DIMENSION_OF = dict(TIMED)
_COUNTED = frozenset({CdrDimension.ENERGY, *_DIMENSION_OF.values()})
"""What can only grow; figures such as power may be negative while a vehicle gives energy back."""


def rounded(value: Decimal) -> Decimal:
    """The value with four decimals, half up: the one rounding of what leaves the engine."""
    return value.quantize(_WIRE, ROUND_HALF_UP)


def hours(microseconds: int) -> Decimal:
    """Microseconds as hours with four decimals."""
    return rounded(Decimal(microseconds) / HOUR)


def volumes_of(periods: Sequence[Period]) -> tuple[PeriodVolumes, ...]:
    """The periods as they travel.

    Each dimension is rounded on its running total, so the volumes of the periods add up to the rounded total.
    """
    with localcontext(EXACT):
        return tuple(_written(periods))


def _written(periods: Sequence[Period]) -> Iterator[PeriodVolumes]:
    writer = VolumeWriter()
    for period in periods:
        yield writer.write(period)


class VolumeWriter:
    """Writes the periods of one session one after the other, each rounded on what all so far come to."""

    __slots__ = ("_elapsed", "_energy")

    def __init__(self) -> None:
        self._energy = Decimal(0)
        self._elapsed = dict.fromkeys(Activity, 0)

    def copy(self) -> "VolumeWriter":
        """Another writer that goes on from here."""
        other = VolumeWriter()
        other._energy = self._energy
        other._elapsed = dict(self._elapsed)
        return other

    def write(self, period: Period) -> PeriodVolumes:
        """The next period as it travels."""
        volumes: dict[CdrDimension, Decimal] = {}
        if period.energy_wh or period.activity in (Activity.CHARGING, Activity.IDLE):
            before = self._energy
            self._energy += period.energy_wh
            volumes[CdrDimension.ENERGY] = rounded(self._energy / 1000) - rounded(before / 1000)
        dimension = _DIMENSION_OF.get(period.activity)
        if dimension is not None:
            spent = self._elapsed[period.activity]
            self._elapsed[period.activity] = spent + (period.end - period.start) // MICROSECOND
            volumes[dimension] = hours(self._elapsed[period.activity]) - hours(spent)
        volumes.update(_figures(period))
        return PeriodVolumes(start=period.start, volumes=volumes, tariff_id=period.tariff_id)


def _figures(period: Period) -> dict[CdrDimension, Decimal]:
    known = (
        (CdrDimension.MIN_POWER, period.min_power),
        (CdrDimension.MAX_POWER, period.max_power),
        (CdrDimension.MIN_CURRENT, period.min_current),
        (CdrDimension.MAX_CURRENT, period.max_current),
    )
    return {dimension: rounded(value) for dimension, value in known if value is not None}


def periods_from(data: Sequence[PeriodVolumes], *, start: datetime, end: datetime) -> tuple[Period, ...]:
    """Periods of a CDR from its volumes; each lasts until the next begins, the last until `end`.

    Times come from the timestamps; an hour volume clearly shorter than its period leaves the rest as another
    activity, and one that does not fit is an error. Raises ValueError beginning with the field's path.
    """
    checked_span(start, end)
    if not data:
        raise ValueError("charging_periods: at least one is needed")
    starts = [item.start for item in data]
    _check_starts(starts, start, end)
    periods: list[Period] = []
    if starts[0] > start:
        periods.append(
            Period(start=start, end=starts[0], activity=Activity.IDLE, tariff_id=data[0].tariff_id)
        )
    with localcontext(EXACT):
        for number, (item, until) in enumerate(zip(data, [*starts[1:], end], strict=True)):
            periods.extend(_read(item, until, f"charging_periods[{number}]"))
    return tuple(periods)


def _check_starts(starts: list[datetime], start: datetime, end: datetime) -> None:
    before = start
    for number, at in enumerate(starts):
        field = f"charging_periods[{number}].start_date_time"
        if at.tzinfo is None:
            raise ValueError(f"{field}: a time without a zone")
        if at < before:
            raise ValueError(f"{field}: lies before the start of the session or of the period before it")
        if at > end:
            raise ValueError(f"{field}: lies after the end of the session")
        before = at


def _read(item: PeriodVolumes, until: datetime, field: str) -> list[Period]:
    """One period, cut where its hour volumes say that the activity changed."""
    for dimension, volume in item.volumes.items():
        checked_number(volume if dimension in _COUNTED else volume.copy_abs(), f"{field}.{dimension}")
    spans = _spans(item, until, field)
    carrier = next((n for n, (_, _, activity) in enumerate(spans) if activity is Activity.CHARGING), None)
    if carrier is None:
        carrier = next((n for n, (_, _, does) in enumerate(spans) if does is not Activity.RESERVED), 0)
    energy = item.volumes.get(CdrDimension.ENERGY, Decimal(0)) * 1000
    power = _bounds(item.volumes, CdrDimension.MIN_POWER, CdrDimension.MAX_POWER, CdrDimension.POWER)
    current = _bounds(item.volumes, CdrDimension.MIN_CURRENT, CdrDimension.MAX_CURRENT, CdrDimension.CURRENT)
    return [
        Period(
            start=start,
            end=end,
            energy_wh=energy if number == carrier else Decimal(0),
            activity=activity,
            tariff_id=item.tariff_id,
            min_power=power[0],
            max_power=power[1],
            min_current=current[0],
            max_current=current[1],
        )
        for number, (start, end, activity) in enumerate(spans)
    ]


def _spans(item: PeriodVolumes, until: datetime, field: str) -> list[tuple[datetime, datetime, Activity]]:
    """The activities of one period: hours are rounded on the wire, so within a second the timestamps win."""
    spans = []
    at = item.start
    for activity, dimension in TIMED:
        volume = item.volumes.get(dimension)
        if not volume:
            continue
        length = timedelta(seconds=int((volume * 3600).quantize(Decimal(1), ROUND_HALF_UP)))
        end = at + length
        if abs(end - until) <= _SECOND:
            end = until
        if end > until:
            raise ValueError(f"{field}.{dimension}: {volume} h do not fit into the period")
        spans.append((at, end, activity))
        at = end
    if not spans:
        spans.append((at, until, _of_nothing(item, until - at)))
    elif at < until:
        spans.append((at, until, Activity.IDLE))
    return spans


def _of_nothing(item: PeriodVolumes, length: timedelta) -> Activity:
    """The activity of a period without hours; one shorter than a second may have lost its own by rounding."""
    named = (activity for activity, dimension in TIMED if dimension in item.volumes)
    return next(named, Activity.IDLE) if length <= _SECOND else Activity.IDLE


def _bounds(
    volumes: dict[CdrDimension, Decimal], low: CdrDimension, high: CdrDimension, mean: CdrDimension
) -> tuple[Decimal | None, Decimal | None]:
    """Lowest and highest figure of a period; the mean stands in where neither is given."""
    if low in volumes or high in volumes:
        return volumes.get(low), volumes.get(high)
    return volumes.get(mean), volumes.get(mean)
