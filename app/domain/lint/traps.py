"""What is legal and often not meant: restrictions, fees, VAT, limits, decimals, steps."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from app.domain.currencies import minor_digits
from app.domain.lint.examples import example, plain_session, telling_example, with_elements
from app.domain.lint.findings import Finding, Level
from app.domain.pricing import Activity, Period
from app.domain.tariffs import (
    DayOfWeek,
    Price,
    PriceComponent,
    Restrictions,
    Tariff,
    TariffDimension,
    TariffElement,
)

_DAYS = tuple(DayOfWeek)
_FAIR_VAT = Decimal(20)
_DYNAMIC = 12
_SMALL_HOURS = ("01:", "02:", "03:")
_TIMED = (TariffDimension.TIME, TariffDimension.PARKING_TIME)
_RESERVED = (TariffDimension.TIME, TariffDimension.FLAT)


def traps(tariff: Tariff) -> Iterator[Finding]:
    """Everything that does not take comparing elements."""
    for number, element in enumerate(tariff.elements):
        limits = element.restrictions or Restrictions()
        yield from _empty_window(tariff, number, limits)
        yield from _over_midnight(tariff, number, limits)
        yield from _twice(tariff, number, element)
        yield from _not_for_reservations(tariff, number, element)
    yield from _fees(tariff)
    yield from _vat(tariff)
    yield from _limits(tariff)
    yield from _decimals(tariff)
    yield from _inert_step(tariff)
    yield from _repeated_hour(tariff)


def _empty_window(tariff: Tariff, number: int, limits: Restrictions) -> Iterator[Finding]:
    if limits.start_time is None or limits.start_time != limits.end_time:
        return
    rest = [each for n, each in enumerate(tariff.elements) if n != number]
    otherwise = with_elements(tariff, rest or [_free()])
    yield Finding(
        level=Level.ERROR,
        kind="empty_window",
        where=f"elements[{number}].restrictions.end_time",
        words=f"a window from {limits.start_time} to {limits.end_time} is taken as the whole day (A5)",
        example=example(tariff, otherwise, plain_session(parking=True), "if the window were empty"),
    )


def _over_midnight(tariff: Tariff, number: int, limits: Restrictions) -> Iterator[Finding]:
    start, end = limits.start_time, limits.end_time
    if start is None or end in (None, "00:00") or not limits.day_of_week or start <= (end or ""):
        return
    mine = tariff.elements[number]
    after = tuple(_DAYS[(_DAYS.index(day) + 1) % 7] for day in limits.day_of_week)
    evening = replace(mine, restrictions=replace(limits, end_time="00:00"))
    morning = replace(mine, restrictions=replace(limits, start_time="00:00", end_time=end, day_of_week=after))
    elements = [*tariff.elements[:number], evening, morning, *tariff.elements[number + 1 :]]
    yield Finding(
        level=Level.WARNING,
        kind="weekday_over_midnight",
        where=f"elements[{number}].restrictions.day_of_week",
        words=f"after midnight the weekday is the next one: {start} to {end} on {limits.day_of_week[-1]} ends at "
        "midnight, and its morning hours are those of the same day (A3)",
        example=example(
            tariff,
            with_elements(tariff, elements),
            _night(limits.day_of_week[-1], end or "00:00"),
            "if the window went on into the next morning",
        ),
    )


def _night(day: DayOfWeek, end: str) -> tuple[Period, ...]:
    """The morning after a day, up to an hour before a window ends."""
    monday = datetime(2026, 6, 1, tzinfo=UTC)
    start = monday + timedelta(days=_DAYS.index(day) + 1)
    hour, minute = map(int, end.split(":"))
    length = min(timedelta(hours=1), timedelta(hours=hour, minutes=minute))
    return (Period(start=start, end=start + length, energy_wh=Decimal(10_000), activity=Activity.CHARGING),)


def _twice(tariff: Tariff, number: int, element: TariffElement) -> Iterator[Finding]:
    seen: set[TariffDimension] = set()
    for place, component in enumerate(element.price_components):
        if component.type in seen:
            others = [each for n, each in enumerate(element.price_components) if n != place]
            moved = replace(element, price_components=(component, *others))
            yield Finding(
                level=Level.ERROR,
                kind="component_twice",
                where=f"elements[{number}].price_components[{place}]",
                words=f"the element prices {component.type} twice: only the first counts",
                example=telling_example(tariff, _with(tariff, number, moved), "if it stood before the other"),
            )
        seen.add(component.type)


def _not_for_reservations(tariff: Tariff, number: int, element: TariffElement) -> Iterator[Finding]:
    if element.restrictions is None or element.restrictions.reservation is None:
        return
    for place, component in enumerate(element.price_components):
        if component.type not in _RESERVED:
            freed = replace(
                element,
                restrictions=replace(element.restrictions, reservation=None),
                price_components=(component,),
            )
            yield Finding(
                level=Level.WARNING,
                kind="not_for_reservations",
                where=f"elements[{number}].price_components[{place}]",
                words=f"{component.type} is not used while reserved: only TIME and FLAT count there",
                example=example(
                    tariff,
                    with_elements(tariff, [freed, *tariff.elements]),
                    plain_session(parking=True),
                    "if it were for sessions",
                ),
            )


def _fees(tariff: Tariff) -> Iterator[Finding]:
    fees = [
        (number, component)
        for number, element in enumerate(tariff.elements)
        if element.restrictions is None or element.restrictions.reservation is None
        for component in element.price_components
        if component.type is TariffDimension.FLAT and component.price
    ]
    if len(fees) < 2:
        return
    numbers = [number for number, _ in fees]
    both = replace(fees[0][1], price=sum((component.price for _, component in fees), Decimal(0)))
    only = TariffElement(price_components=(both,))
    yield Finding(
        level=Level.WARNING,
        kind="several_fees",
        where=f"elements[{numbers[1]}]",
        words=f"elements {', '.join(map(str, numbers))} each have a fee: a session pays only the first to become "
        "active (A2)",
        example=example(
            tariff,
            with_elements(tariff, [only, *tariff.elements]),
            plain_session(),
            "if all of them were due",
        ),
    )


def _vat(tariff: Tariff) -> Iterator[Finding]:
    priced = [
        (number, place, component)
        for number, element in enumerate(tariff.elements)
        for place, component in enumerate(element.price_components)
        if component.price
    ]
    bare = [(number, place) for number, place, component in priced if component.vat is None]
    if not bare:
        return
    rates = [component.vat for _, _, component in priced if component.vat is not None]
    rate = rates[0] if rates else _FAIR_VAT
    number, place = bare[0]
    words = (
        f"{len(bare)} of {len(priced)} prices name no VAT while others do: in sums with VAT they enter as they are"
        if rates
        else "no price names VAT: no VAT applies, and no amount with VAT is given"
    )
    yield Finding(
        level=Level.WARNING,
        kind="mixed_vat" if rates else "no_vat",
        where=f"elements[{number}].price_components[{place}].vat",
        words=words,
        example=telling_example(
            tariff,
            _taxed(tariff, rate),
            f"with {rate.normalize():f} % VAT on all",
        ),
    )


def _taxed(tariff: Tariff, rate: Decimal) -> Tariff:
    return with_elements(
        tariff,
        [
            replace(
                element,
                price_components=tuple(
                    replace(each, vat=rate if each.vat is None else each.vat)
                    for each in element.price_components
                ),
            )
            for element in tariff.elements
        ],
    )


def _limits(tariff: Tariff) -> Iterator[Finding]:
    low, high = tariff.min_price, tariff.max_price
    if low is not None and high is not None and _above(low, high):
        yield Finding(
            level=Level.ERROR,
            kind="min_above_max",
            where="min_price",
            words="min_price is above max_price: every session costs max_price",
            example=example(
                tariff, replace(tariff, max_price=None), plain_session(), "if only min_price were there"
            ),
        )
    for name, limit in (("min_price", low), ("max_price", high)):
        if limit is not None and limit.incl_vat is not None and limit.incl_vat < limit.excl_vat:
            otherwise = replace(tariff, **{name: replace(limit, incl_vat=None)})
            yield Finding(
                level=Level.ERROR,
                kind="limit_without_vat_above",
                where=f"{name}.incl_vat",
                words=f"{name} is lower with VAT than without",
                example=example(tariff, otherwise, plain_session(10, 500), "if it followed the other side"),
            )


def _above(low: Price, high: Price) -> bool:
    if low.excl_vat > high.excl_vat:
        return True
    return low.incl_vat is not None and high.incl_vat is not None and low.incl_vat > high.incl_vat


def _decimals(tariff: Tariff) -> Iterator[Finding]:
    digits = minor_digits(tariff.currency)
    for number, element in enumerate(tariff.elements):
        for place, component in enumerate(element.price_components):
            if component.type is TariffDimension.FLAT and component.price != round(component.price, digits):
                rounded = replace(component, price=round(component.price, digits))
                others = list(element.price_components)
                others[place] = rounded
                yield _too_fine(
                    tariff,
                    _with(tariff, number, replace(element, price_components=tuple(others))),
                    f"elements[{number}].price_components[{place}].price",
                    digits,
                )
    for name in ("min_price", "max_price"):
        limit: Price | None = getattr(tariff, name)
        if limit is not None and limit.excl_vat != round(limit.excl_vat, digits):
            whole = replace(limit, excl_vat=round(limit.excl_vat, digits))
            yield _too_fine(tariff, replace(tariff, **{name: whole}), f"{name}.excl_vat", digits)


def _too_fine(tariff: Tariff, otherwise: Tariff, where: str, digits: int) -> Finding:
    return Finding(
        level=Level.WARNING,
        kind="too_many_decimals",
        where=where,
        words=f"more decimals than {tariff.currency} has ({digits}): nobody can pay exactly this",
        example=telling_example(tariff, otherwise, f"with {digits} decimals"),
    )


def _inert_step(tariff: Tariff) -> Iterator[Finding]:
    components = [
        (number, place, component)
        for number, element in enumerate(tariff.elements)
        if element.restrictions is None or element.restrictions.reservation is None
        for place, component in enumerate(element.price_components)
        if component.type in _TIMED
    ]
    parking = any(component.type is TariffDimension.PARKING_TIME for _, _, component in components)
    for number, place, component in components:
        if parking and component.type is TariffDimension.TIME and component.step_size > 60:
            session = plain_session(1, parking=True)
            odd = (replace(session[0], end=session[0].end + timedelta(seconds=61)),)
            session = (*odd, replace(session[1], start=odd[0].end))
            yield Finding(
                level=Level.INFO,
                kind="step_without_effect",
                where=f"elements[{number}].price_components[{place}].step_size",
                words="charging time is not rounded up to this step in a session with priced parking",
                example=example(tariff, _without_parking(tariff), session, "if parking were not priced"),
            )


def _without_parking(tariff: Tariff) -> Tariff:
    kept = []
    for element in tariff.elements:
        parts: tuple[PriceComponent, ...] = tuple(
            each for each in element.price_components if each.type is not TariffDimension.PARKING_TIME
        )
        if parts:
            kept.append(replace(element, price_components=parts))
    return with_elements(tariff, kept)


def _repeated_hour(tariff: Tariff) -> Iterator[Finding]:
    hourly = [
        (number, element.restrictions)
        for number, element in enumerate(tariff.elements)
        if element.restrictions is not None and _within_an_hour(element.restrictions)
    ]
    nightly = [number for number, limits in hourly if (limits.start_time or "").startswith(_SMALL_HOURS)]
    if len(hourly) < _DYNAMIC or not nightly:
        return
    dated = next((limits.start_date for number, limits in hourly if number == nightly[0]), None)
    day = date(2026, 10, 25) if dated is None else date.fromisoformat(dated)
    start = datetime.combine(day, datetime.min.time(), UTC)
    night = (
        Period(
            start=start, end=start + timedelta(hours=3), energy_wh=Decimal(30_000), activity=Activity.CHARGING
        ),
    )
    long = (replace(night[0], end=night[0].end + timedelta(hours=1)),)
    shown = example(
        tariff, tariff, night, "if it charged an hour longer, as in the night the clock goes back"
    )
    longer = example(tariff, tariff, long, "")
    yield Finding(
        level=Level.WARNING,
        kind="repeated_hour",
        where=f"elements[{nightly[0]}].restrictions.start_time",
        words="a price per hour cannot tell the hour that the clock repeats in autumn from the one before: both "
        "cost the same, and the hour skipped in spring never applies (A21)",
        example=replace(shown, otherwise=longer.cost),
    )


def _within_an_hour(limits: Restrictions) -> bool:
    if limits.start_time is None or limits.end_time is None:
        return False
    (start_hour, start_minute), (end_hour, end_minute) = (
        map(int, text.split(":")) for text in (limits.start_time, limits.end_time)
    )
    length = (end_hour * 60 + end_minute - start_hour * 60 - start_minute) % 1440
    return 0 < length <= 60


def _with(tariff: Tariff, number: int, element: TariffElement) -> Tariff:
    elements: Sequence[TariffElement] = [*tariff.elements[:number], element, *tariff.elements[number + 1 :]]
    return with_elements(tariff, elements)


def _free() -> TariffElement:
    nothing = PriceComponent(type=TariffDimension.FLAT, price=Decimal(0), step_size=1)
    return TariffElement(price_components=(nothing,))
