"""Sessions that show in money what a finding means: made for one moment of a tariff's space."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from app.domain.lint.findings import Example
from app.domain.lint.space import Box, Slot, Space, TooManyCases, first, without
from app.domain.pricing import Activity, Period, price
from app.domain.pricing.prepared import prepared
from app.domain.tariffs import Tariff, TariffDimension, TariffElement

_UTC = ZoneInfo("UTC")
_DAYS = ("SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY")
_USUAL_WH = Decimal(10_000)
"""In an hour."""
_GRAIN = Decimal("0.1")
_MINUTE_US = 60_000_000
_HOUR = timedelta(hours=1)


def session_at(
    space: Space, box: Box, dimension: TariffDimension, *, reserved: bool = False
) -> tuple[Period, ...]:
    """Up to an hour at the first moment of a box, with what came before it to get there."""
    slot = space.slots[first(box[0])]
    since, least_wh = _elapsed(space, box), space.interval(2, box[2])
    length = timedelta(minutes=min(slot.end - slot.start, 60))
    at = datetime.combine(date.fromordinal(slot.day()), datetime.min.time(), UTC) + timedelta(
        minutes=slot.start
    )
    before = least_wh[0]
    if before and not since:
        since = timedelta(minutes=1)
    usual = (_USUAL_WH * (length // timedelta(minutes=1)) / 60).quantize(_GRAIN)
    energy = usual if least_wh[1] is None else min(usual, (least_wh[1] - before) / 2)
    activity = Activity.PARKING if dimension is TariffDimension.PARKING_TIME else Activity.CHARGING
    if reserved:
        activity, energy = Activity.RESERVED, Decimal(0)
    main = Period(
        start=at,
        end=at + length,
        energy_wh=energy if activity is Activity.CHARGING else Decimal(0),
        activity=activity,
        **_figures(space, box),
    )
    if not since:
        return (main,)
    lead = replace(
        main,
        start=at - since,
        end=at,
        energy_wh=before,
        activity=Activity.RESERVED if reserved else Activity.CHARGING,
    )
    return (lead, main)


def example(
    tariff: Tariff,
    otherwise: Tariff,
    periods: Sequence[Period],
    meaning: str,
    *,
    expired: bool = False,
) -> Example:
    """The session priced by the tariff and by another reading of it."""
    now, other = (price(periods, [each], _UTC, reservation_expired=expired) for each in (tariff, otherwise))
    kwh = sum((period.energy_wh for period in periods), Decimal(0)) / 1000
    return Example(
        start=periods[0].start,
        end=periods[-1].end,
        kwh=kwh,
        what=_what(periods),
        cost=now.total_cost,
        otherwise=other.total_cost,
        meaning=meaning,
    )


def telling_example(tariff: Tariff, otherwise: Tariff, meaning: str) -> Example:
    """The first session that costs something else otherwise: a plain one, or one at a moment of some element's own."""
    shown = example(tariff, otherwise, plain_session(parking=True), meaning)
    for periods in _own_moments(tariff):
        if shown.cost != shown.otherwise:
            break
        shown = example(tariff, otherwise, periods, meaning)
    return shown


def _own_moments(tariff: Tariff) -> Iterator[tuple[Period, ...]]:
    """A session at what each element has to itself."""
    rules = prepared(tariff).session.rules
    space = Space(rules, tariff.last_updated.date())
    boxes = [space.box(rule) for rule in rules]
    for number, box in enumerate(boxes):
        try:
            left = without(box, boxes[:number])
        except TooManyCases:
            return
        for dimension in (TariffDimension.ENERGY, TariffDimension.PARKING_TIME) if left else ():
            yield session_at(space, left[0], dimension)


def plain_session(hours: int = 1, kwh: int = 10, *, parking: bool = False) -> tuple[Period, ...]:
    """A Monday at ten: charging, and an hour of parking after it if wanted."""
    start = datetime(2026, 6, 1, 10, tzinfo=UTC)
    end = start + hours * _HOUR
    charging = Period(start=start, end=end, energy_wh=Decimal(kwh * 1000), activity=Activity.CHARGING)
    if not parking:
        return (charging,)
    return (charging, Period(start=end, end=end + _HOUR, activity=Activity.PARKING))


def described(slot: Slot, *, dated: bool) -> str:
    """A slot in words: the day, with its date if wanted, and the minutes."""
    day = f"{date.fromordinal(slot.day())} " if dated else ""
    return f"{day}{_DAYS[slot.weekday]} {_clock(slot.start)}-{_clock(slot.end)}"


def with_elements(tariff: Tariff, elements: Sequence[TariffElement]) -> Tariff:
    """The tariff with other elements."""
    return replace(tariff, elements=tuple(elements))


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _elapsed(space: Space, box: Box) -> timedelta:
    low, _ = space.interval(1, box[1])
    if not low:
        return timedelta(0)
    return timedelta(microseconds=int(low))


def _figures(space: Space, box: Box) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for axis, name in ((3, "power"), (4, "current")):
        low, high = space.interval(axis, box[axis])
        figure = None
        if space.bounds[axis - 1]:
            figure = low if low or high is None else high / 2
        found |= {f"min_{name}": figure, f"max_{name}": figure}
    return found


def _what(periods: Sequence[Period]) -> str:
    parts = []
    for period in periods:
        length = (period.end - period.start) // timedelta(minutes=1)
        energy = f", {period.energy_wh / 1000:f} kWh" if period.energy_wh else ""
        weekday = _DAYS[period.start.toordinal() % 7]
        parts.append(f"{weekday} {period.start:%H:%M}, {length} min {period.activity}{energy}")
    return "; ".join(parts)
