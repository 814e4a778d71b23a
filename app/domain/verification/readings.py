"""Known wrong readings of a tariff, each as what it would make of a session."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from app.domain.pricing import Activity
from app.domain.tariffs import Price, Restrictions, Tariff, TariffDimension, TariffElement
from app.domain.verification.amounts import left_out, of_limits, of_rounding, of_vat, scaled
from app.domain.verification.bills import Bill, Item, bill_of, stepped, used
from app.domain.verification.claims import Reading, Total, Use

_KWH = Decimal(1000)
_SESSION = (Activity.CHARGING, Activity.PARKING, Activity.IDLE)


def readings(use: Use, governing: Tariff) -> Iterator[Reading]:
    """All of them, the likeliest first."""
    bill = bill_of(use.cost(), governing)
    yield from _of_clocks(use)
    yield from _of_steps(use, bill)
    yield from _of_times(use)
    yield from _of_fees(use, bill)
    yield from _of_elements(use)
    yield from of_vat(bill)
    yield from of_rounding(bill, use.tariffs[0].currency)
    yield from of_limits(bill)
    yield from _of_units(use, bill)
    yield from left_out(bill)


def _cost(use: Use) -> Total:
    return use.cost().total_cost


def _of_clocks(use: Use) -> Iterator[Reading]:
    utc = replace(use, zone=ZoneInfo("UTC"))
    yield "utc", "windows and days were held against UTC instead of local time", lambda: _cost(utc)
    winter, summer = _offsets(use)
    for name, words, offset in (
        ("no_daylight_saving", "daylight saving was left out", winter),
        ("always_daylight_saving", "daylight saving was taken all year", summer),
    ):
        zone = _fixed(offset)
        if zone is not None:
            shifted = replace(use, zone=zone)
            yield name, words, lambda shifted=shifted: _cost(shifted)  # type: ignore[misc]
    yield "at_the_start", "restrictions were asked once, at the start of the session", lambda: _at_once(use)
    yield (
        "period_starts",
        "periods were not cut: restrictions were asked at their starts",
        lambda: _uncut(use),
    )
    yield (
        "since_the_period",
        "durations and kWh were counted from the start of each period",
        lambda: _by_period(use),
    )


def _offsets(use: Use) -> tuple[timedelta, timedelta]:
    year = use.periods[0].start.year
    halves = (datetime(year, month, 1, tzinfo=use.zone).utcoffset() for month in (1, 7))
    offsets = [offset or timedelta(0) for offset in halves]
    return min(offsets), max(offsets)


def _fixed(offset: timedelta) -> ZoneInfo | None:
    hours, rest = divmod(offset, timedelta(hours=1))
    return None if rest else ZoneInfo(f"Etc/GMT{-hours:+d}" if hours else "UTC")


def _at_once(use: Use) -> Total:
    """The whole session by what held in its first second, whatever it did then."""
    start = use.periods[0].start
    chosen: set[tuple[int | None, int | None]] = set()
    for activity in (Activity.CHARGING, Activity.PARKING):
        probe = replace(
            use.periods[0], end=start + timedelta(seconds=1), energy_wh=Decimal(1), activity=activity
        )
        lines = replace(use, periods=(probe,)).cost().lines
        chosen |= {(line.element, line.component) for line in lines}
    (tariff, *_) = use.tariffs
    elements = tuple(
        TariffElement(
            price_components=tuple(
                part for place, part in enumerate(element.price_components) if (number, place) in chosen
            )
        )
        for number, element in enumerate(tariff.elements)
    )
    return _cost(replace(use, tariffs=(replace(tariff, elements=elements),)))


def _only_kind(limits: Restrictions) -> Restrictions:
    return Restrictions(reservation=limits.reservation)


def _uncut(use: Use) -> Total:
    """Each period by what held at its start: with its energy and length put into that one moment."""
    cost = use.cost()
    bill = bill_of(cost, use.tariffs[0])
    starts = {period.start for period in use.periods}
    if all(period.start in starts for period in cost.periods):
        return None
    items: list[Item] = []
    owner = -1
    whole: dict[int, int] = {}
    for number, period in enumerate(cost.periods):
        owner += period.start in starts
        whole[number] = owner
    first_of = {owner: number for number, owner in reversed(list(whole.items()))}
    for item in used(bill.items):
        if item.period is None or first_of[whole[item.period]] != item.period:
            continue
        items.append(_stretched(item, use, whole[item.period]))
    return _with_steps(Bill(items=tuple(items), tariff=bill.tariff)).total()


def _stretched(item: Item, use: Use, number: int) -> Item:
    period = use.periods[number]
    if item.dimension is TariffDimension.FLAT:
        return item
    if item.dimension is TariffDimension.ENERGY:
        return replace(item, volume=period.energy_wh / 1000)
    return replace(item, volume=Decimal((period.end - period.start) // timedelta(microseconds=1)) / 1_000_000)


def _by_period(use: Use) -> Total:
    items: list[Item] = []
    fee = False
    for period in use.periods:
        for item in used(bill_of(replace(use, periods=(period,)).cost(), None).items):
            if item.dimension is TariffDimension.FLAT and fee:
                continue
            fee = fee or item.dimension is TariffDimension.FLAT
            items.append(item)
    return _with_steps(Bill(items=tuple(items), tariff=use.tariffs[0])).total()


def _with_steps(bill: Bill, *, energy: int = 1, time: int = 1) -> Bill:
    """Items rounded up as they should be: energy, and parking or else time, by the last component.

    `energy` and `time` make the steps so many times longer.
    """
    items = list(bill.items)
    parked = any(item.dimension is TariffDimension.PARKING_TIME for item in items)
    timed = TariffDimension.PARKING_TIME if parked else TariffDimension.TIME
    for dimension, factor in ((TariffDimension.ENERGY, energy), (timed, time)):
        mine = [item for item in items if item.dimension is dimension and not item.reserved]
        if mine:
            total = sum((item.volume for item in mine), Decimal(0))
            extra = stepped(replace(mine[-1], volume=total), factor).volume - total
            items.append(replace(mine[-1], volume=extra))
    return replace(bill, items=tuple(items))


def _of_steps(use: Use, bill: Bill) -> Iterator[Reading]:
    plain = used(bill.items)

    def total(items: tuple[Item, ...]) -> Price:
        return replace(bill, items=items).total()

    each = tuple(stepped(item) for item in plain)
    yield "step_per_period", "every period was rounded up to whole steps", lambda: total(each)
    yield "no_step", "nothing was rounded up to whole steps", lambda: total(plain)
    both = tuple(_per_dimension(plain))
    yield "step_of_both", "charging time and parking time were both rounded up", lambda: total(both)
    unpriced = _unpriced_counted(use, bill)
    yield (
        "unpriced_counted",
        "unpriced time and energy were rounded up with the rest",
        lambda: total(unpriced),
    )
    bare = replace(bill, items=plain)
    yield "step_in_minutes", "steps of time were taken as minutes", _with_steps(bare, time=60).total
    yield "step_in_kwh", "steps of energy were taken as kWh", _with_steps(bare, energy=1000).total


def _unpriced_counted(use: Use, bill: Bill) -> tuple[Item, ...]:
    plain = used(bill.items)
    items = list(plain)
    parked = any(item.dimension is TariffDimension.PARKING_TIME for item in plain)
    timed = Activity.PARKING if parked else Activity.CHARGING
    dimension = TariffDimension.PARKING_TIME if parked else TariffDimension.TIME
    seconds = sum(
        (each.end - each.start for each in use.periods if each.activity is timed), timedelta(0)
    ) / timedelta(seconds=1)
    energy = sum((each.energy_wh for each in use.periods), Decimal(0)) / 1000
    for kind, volume in ((TariffDimension.ENERGY, energy), (dimension, Decimal(round(seconds)))):
        mine = [item for item in plain if item.dimension is kind and not item.reserved]
        if mine:
            extra = stepped(replace(mine[-1], volume=volume)).volume - volume
            items.append(replace(mine[-1], volume=extra))
    return tuple(items)


def _per_dimension(items: tuple[Item, ...]) -> Iterator[Item]:
    """All items, and for each dimension what rounding its sum up adds."""
    yield from items
    for dimension in TariffDimension:
        mine = [item for item in items if item.dimension is dimension]
        if mine and dimension is not TariffDimension.FLAT:
            volume = sum((item.volume for item in mine), Decimal(0))
            yield replace(mine[-1], volume=stepped(replace(mine[-1], volume=volume)).volume - volume)


def _of_times(use: Use) -> Iterator[Reading]:
    def as_if(change: dict[Activity, Activity]) -> Total:
        periods = tuple(
            replace(each, activity=change.get(each.activity, each.activity)) for each in use.periods
        )
        return _cost(replace(use, periods=periods))

    charging, parking, idle = _SESSION
    yield (
        "wall_clock_time",
        "the whole stay was billed as charging time",
        lambda: as_if({parking: charging, idle: charging}),
    )
    yield "time_while_parked", "parking was billed as charging time too", lambda: _both(use)
    yield "parking_free", "parking time was left out", lambda: as_if({parking: idle})
    yield (
        "idle_as_parking",
        "time in which the EVSE gave nothing was billed as parking",
        lambda: as_if({idle: parking}),
    )
    yield (
        "idle_as_time",
        "time in which the EVSE gave nothing was billed as charging time",
        lambda: as_if({idle: charging}),
    )
    yield "charging_as_parking", "charging time was billed as parking", lambda: as_if({charging: parking})


def _both(use: Use) -> Total:
    """Parking as it is, and the time of it at the price of charging."""
    whole = tuple(
        replace(each, activity=Activity.CHARGING) if each.activity is Activity.PARKING else each
        for each in use.periods
    )
    right, longer = use.cost(), replace(use, periods=whole).cost()
    parking = right.total_parking_cost
    if parking is None:
        return None
    incl = longer.total_cost.incl_vat
    if incl is not None:
        incl += parking.excl_vat if parking.incl_vat is None else parking.incl_vat
    return Price(excl_vat=longer.total_cost.excl_vat + parking.excl_vat, incl_vat=incl)


def _of_fees(use: Use, bill: Bill) -> Iterator[Reading]:
    fees = [item for item in bill.items if item.dimension is TariffDimension.FLAT]
    if not fees:
        return
    others = tuple(item for item in bill.items if item.dimension is not TariffDimension.FLAT)
    count = len(use.periods)
    per_period = others + tuple(replace(fee, volume=Decimal(count)) for fee in fees)
    yield (
        "fee_per_period",
        "the fee was asked for every period",
        lambda: replace(bill, items=per_period).total(),
    )
    yield "fee_per_element", "the fees of all elements were asked", lambda: _all_fees(use, bill, others)


def _all_fees(use: Use, bill: Bill, others: tuple[Item, ...]) -> Total:
    fee = next(item for item in bill.items if item.dimension is TariffDimension.FLAT)
    fees = tuple(
        replace(fee, unit_price=part.price, vat=part.vat, volume=Decimal(1))
        for element in use.tariffs[0].elements
        if (element.restrictions or Restrictions()).reservation is None
        for part in element.price_components
        if part.type is TariffDimension.FLAT
    )
    return replace(bill, items=others + fees).total()


def _of_elements(use: Use) -> Iterator[Reading]:
    (tariff, *_) = use.tariffs

    def with_elements(elements: tuple[TariffElement, ...]) -> Total:
        return _cost(replace(use, tariffs=(replace(tariff, elements=elements),)))

    bare = tuple(
        replace(each, restrictions=None if each.restrictions is None else _only_kind(each.restrictions))
        for each in tariff.elements
    )
    yield "no_restrictions", "restrictions were left out", lambda: with_elements(bare)
    backwards = tuple(reversed(tariff.elements))
    yield (
        "last_match",
        "the last element that matches was taken, not the first",
        lambda: with_elements(backwards),
    )
    yield "first_element_only", "only the first element was used", lambda: with_elements(tariff.elements[:1])
    yield "last_element_only", "only the last element was used", lambda: with_elements(tariff.elements[-1:])
    no_days = tuple(_loosened(each, day_of_week=()) for each in tariff.elements)
    yield "no_weekdays", "weekdays were left out", lambda: with_elements(no_days)
    no_clock = tuple(_loosened(each, start_time=None, end_time=None) for each in tariff.elements)
    yield "no_windows", "times of the day were left out", lambda: with_elements(no_clock)
    yield (
        "reservation_outcome",
        "a used reservation was taken as expired, or the other way round",
        lambda: _cost(replace(use, reservation_expired=not use.reservation_expired)),
    )
    for number, other in enumerate(use.tariffs if len(use.tariffs) > 1 else ()):
        alone = replace(
            use, tariffs=(other,), periods=tuple(replace(each, tariff_id=None) for each in use.periods)
        )
        yield "other_tariff", f"all was priced by tariffs[{number}]", lambda alone=alone: _cost(alone)  # type: ignore[misc]


def _loosened(element: TariffElement, **limits: object) -> TariffElement:
    if element.restrictions is None:
        return element
    return replace(element, restrictions=replace(element.restrictions, **limits))


def _of_units(use: Use, bill: Bill) -> Iterator[Reading]:
    def energy(factor: Decimal) -> Total:
        periods = tuple(replace(each, energy_wh=each.energy_wh * factor) for each in use.periods)
        return _cost(replace(use, periods=periods))

    yield "wh_for_kwh", "Wh were taken for kWh", lambda: energy(_KWH)
    yield "kwh_for_wh", "kWh were taken for Wh", lambda: energy(1 / _KWH)
    minutes = tuple(scaled(item, 60) for item in bill.items)
    yield (
        "price_per_minute",
        "prices per hour were taken as prices per minute",
        lambda: replace(bill, items=minutes).total(),
    )
    total = bill.total()
    yield (
        "minor_units",
        "the amount is in minor units (cents)",
        lambda: Price(
            excl_vat=total.excl_vat * 100, incl_vat=None if total.incl_vat is None else total.incl_vat * 100
        ),
    )
