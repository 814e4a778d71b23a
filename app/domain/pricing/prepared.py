"""A tariff made ready to price with: restrictions read once, components numbered, one group per kind of time."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from threading import Lock
from typing import NamedTuple, TypeVar

import msgspec

from app.domain.pricing.usage import Activity
from app.domain.tariffs import (
    DayOfWeek,
    PriceComponent,
    ReservationRestriction,
    Restrictions,
    Tariff,
    TariffDimension,
)

DAY_MINUTES = 1440
_KEPT = 1024
_DAYS = tuple(DayOfWeek)

T = TypeVar("T", int, Decimal)


class Subtotal(StrEnum):
    """The sum of a CDR into which an amount goes."""

    FIXED = "FIXED"
    ENERGY = "ENERGY"
    TIME = "TIME"
    PARKING = "PARKING"
    RESERVATION = "RESERVATION"


class Priced(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One price component with its place in the tariff; compared by identity."""

    tariff_id: str
    element: int
    component: int
    dimension: TariffDimension
    price: Decimal
    vat: Decimal | None
    vat_factor: Decimal | None
    """What turns an amount without VAT into one with it; None where no VAT applies."""
    step_size: int
    subtotal: Subtotal


class Choice(NamedTuple):
    """The component that applies to each dimension at a moment; None costs nothing."""

    flat: Priced | None = None
    energy: Priced | None = None
    time: Priced | None = None
    parking: Priced | None = None


class State(msgspec.Struct, kw_only=True, eq=False):
    """Everything that a restriction can ask about one moment."""

    minute: int
    """Minute of the local day."""
    day: int
    """The local day's ordinal number."""
    elapsed: int
    """Microseconds since the session began (for reserved time: since the reservation began)."""
    energy_wh: Decimal
    power: Decimal | None
    current: Decimal | None


class Rule(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One element: its first component of each dimension, and its restrictions as numbers."""

    offers: Choice
    minutes: tuple[int, int] | None = None
    days: tuple[int | None, int | None] | None = None
    weekdays: frozenset[int] | None = None
    energy: tuple[Decimal | None, Decimal | None] | None = None
    elapsed: tuple[int | None, int | None] | None = None
    power: tuple[Decimal | None, Decimal | None] | None = None
    current: tuple[Decimal | None, Decimal | None] | None = None

    @property
    def always(self) -> bool:
        """Whether nothing restricts the element."""
        return all(
            limit is None
            for limit in (
                self.minutes,
                self.days,
                self.weekdays,
                self.energy,
                self.elapsed,
                self.power,
                self.current,
            )
        )

    def holds(self, state: State) -> bool:
        """Whether every restriction holds at this moment: a lower bound is included, an upper one is not."""
        return (
            (self.minutes is None or _in_window(state.minute, *self.minutes))
            and (self.days is None or _within(state.day, *self.days))
            and (self.weekdays is None or state.day % 7 in self.weekdays)
            and (self.energy is None or _within(state.energy_wh, *self.energy))
            and (self.elapsed is None or _within(state.elapsed, *self.elapsed))
            and (self.power is None or (state.power is not None and _within(state.power, *self.power)))
            and (
                self.current is None or (state.current is not None and _within(state.current, *self.current))
            )
        )


def _in_window(minute: int, start: int, end: int) -> bool:
    return start <= minute < end if start < end else minute >= start or minute < end


def _within(value: T, low: T | None, high: T | None) -> bool:
    return (low is None or value >= low) and (high is None or value < high)


class Group(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The elements that price one kind of time, in the order in which they are asked, and what they watch."""

    rules: tuple[Rule, ...]
    fixed: Choice | None
    """The answer at every moment, where nothing restricts it."""
    minutes: tuple[int, ...]
    """Minutes of the local day at which the answer can change; empty if it does not depend on the clock."""
    durations: tuple[int, ...]
    energies: tuple[Decimal, ...]
    powers: tuple[Decimal, ...]
    currents: tuple[Decimal, ...]
    dated: bool
    """Whether any element names a date."""
    remembered: dict[tuple[int, ...], Choice]
    """Answers by the bands a state lies in: within them no restriction changes."""

    def choose(self, state: State, bands: tuple[int, int, int] | None = None) -> Choice:
        """For each dimension the first element that has it and whose restrictions hold (OCPI 2.2.1, Tariffs).

        `bands` are those of the state, where they are known already.
        """
        key = (
            # Where dates matter, each day has answers of its own; else the weekday is all that can.
            state.day if self.dated else state.day % 7 if self.minutes else 0,
            bisect_right(self.minutes, state.minute),
            bisect_right(self.durations, state.elapsed) if self.durations else 0,
            *(bands or self.bands(state)),
        )
        choice = self.remembered.get(key)
        if choice is None:
            if len(self.remembered) >= _KEPT:
                self.remembered.clear()
            choice = self.remembered[key] = self._ask(state)
        return choice

    @property
    def watches_meter(self) -> bool:
        """Whether energy, power or current decide, and not only time."""
        return bool(self.energies or self.powers or self.currents)

    def bands(self, state: State) -> tuple[int, int, int]:
        """Between which thresholds of kWh, power and current a state lies; -1 for an unknown figure."""
        if not self.watches_meter:
            return (0, -1 if state.power is None else 0, -1 if state.current is None else 0)
        return (
            bisect_right(self.energies, state.energy_wh),
            -1 if state.power is None else bisect_right(self.powers, state.power),
            -1 if state.current is None else bisect_right(self.currents, state.current),
        )

    def _ask(self, state: State) -> Choice:
        flat = energy = time = parking = None
        for rule in self.rules:
            offers = rule.offers
            useful = (
                (flat is None and offers.flat is not None)
                or (energy is None and offers.energy is not None)
                or (time is None and offers.time is not None)
                or (parking is None and offers.parking is not None)
            )
            if useful and rule.holds(state):
                flat = flat or offers.flat
                energy = energy or offers.energy
                time = time or offers.time
                parking = parking or offers.parking
        return Choice(flat, energy, time, parking)


class Prepared(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A tariff and its three groups: the session's, a used reservation's and an expired reservation's."""

    tariff: Tariff
    session: Group
    used: Group
    expired: Group
    carries_vat: bool
    """Whether any component of the session names a VAT rate."""

    @property
    def unrestricted(self) -> bool:
        """Whether the kind of time alone decides which components apply."""
        return all(group.fixed is not None for group in (self.session, self.used, self.expired))

    def group(self, activity: Activity, *, reservation_expired: bool) -> Group:
        """The elements that price this activity."""
        if activity is not Activity.RESERVED:
            return self.session
        return self.expired if reservation_expired else self.used


_kept: dict[int, Prepared] = {}
_keeping = Lock()
"""Tariffs are checked in threads of their own while sessions are priced."""


def prepared(tariff: Tariff) -> Prepared:
    """The tariff made ready; the last 1024 are remembered by identity. Raises ValueError for a bad time or date."""
    ready = _kept.get(id(tariff))
    if ready is None:
        # A remembered tariff is kept alive by its entry, so its id cannot belong to another one.
        ready = _prepare(tariff)
        with _keeping:
            while len(_kept) >= _KEPT:
                del _kept[next(iter(_kept))]
            _kept[id(tariff)] = ready
    return ready


def _prepare(tariff: Tariff) -> Prepared:
    session, used, expires = [], [], []
    for number, element in enumerate(tariff.elements):
        limits = element.restrictions or Restrictions()
        offers = _offers(tariff.id, number, element.price_components, limits)
        rule = _rule(offers, limits)
        if limits.reservation is None:
            session.append(rule)
        elif limits.reservation is ReservationRestriction.RESERVATION:
            used.append(rule)
        else:
            expires.append(rule)
    return Prepared(
        tariff=tariff,
        session=_group(session),
        used=_group(used),
        expired=_group([*expires, *used]),
        carries_vat=any(
            part is not None and part.vat is not None for rule in session for part in rule.offers
        ),
    )


def _offers(
    tariff_id: str, element: int, components: Sequence[PriceComponent], limits: Restrictions
) -> Choice:
    found: dict[TariffDimension, Priced] = {}
    kinds = {component.type for component in components}
    for index, component in enumerate(components):
        found.setdefault(
            component.type,
            Priced(
                tariff_id=tariff_id,
                element=element,
                component=index,
                dimension=component.type,
                price=component.price,
                vat=component.vat,
                vat_factor=None if component.vat is None else (100 + component.vat) / 100,
                step_size=component.step_size,
                subtotal=_subtotal(component.type, kinds, reserved=limits.reservation is not None),
            ),
        )
    if limits.reservation is not None:
        return Choice(found.get(TariffDimension.FLAT), None, found.get(TariffDimension.TIME), None)
    return Choice(
        found.get(TariffDimension.FLAT),
        found.get(TariffDimension.ENERGY),
        found.get(TariffDimension.TIME),
        found.get(TariffDimension.PARKING_TIME),
    )


def _subtotal(dimension: TariffDimension, kinds: set[TariffDimension], *, reserved: bool) -> Subtotal:
    if reserved:
        return Subtotal.RESERVATION
    if dimension is TariffDimension.ENERGY:
        return Subtotal.ENERGY
    if dimension is TariffDimension.TIME:
        return Subtotal.TIME
    if dimension is TariffDimension.PARKING_TIME:
        return Subtotal.PARKING
    # The fee of an element that otherwise only prices parking is part of what parking costs (A14).
    return (
        Subtotal.PARKING if kinds == {TariffDimension.FLAT, TariffDimension.PARKING_TIME} else Subtotal.FIXED
    )


def _rule(offers: Choice, limits: Restrictions) -> Rule:
    thousand = Decimal(1000)
    return Rule(
        offers=offers,
        minutes=_window(limits),
        days=_pair(_ordinal(limits.start_date), _ordinal(limits.end_date)),
        weekdays=_weekdays(limits.day_of_week),
        energy=_pair(_times(limits.min_kwh, thousand), _times(limits.max_kwh, thousand)),
        elapsed=_pair(_microseconds(limits.min_duration), _microseconds(limits.max_duration)),
        power=_pair(limits.min_power, limits.max_power),
        current=_pair(limits.min_current, limits.max_current),
    )


def _pair(low: T | None, high: T | None) -> tuple[T | None, T | None] | None:
    return None if low is None and high is None else (low, high)


def _times(value: Decimal | None, factor: Decimal) -> Decimal | None:
    return None if value is None else value * factor


def _microseconds(seconds: int | None) -> int | None:
    return None if seconds is None else seconds * 1_000_000


def _ordinal(day: str | None) -> int | None:
    return None if day is None else date.fromisoformat(day).toordinal()


def _weekdays(days: Iterable[DayOfWeek]) -> frozenset[int] | None:
    """The days as ordinals modulo seven: the ordinal of a Monday leaves 1."""
    return frozenset((_DAYS.index(day) + 1) % 7 for day in days) or None


def _window(limits: Restrictions) -> tuple[int, int] | None:
    """The window in minutes; an open side is the day's edge, 00:00 as the end is midnight (A5: equal is all day)."""
    if limits.start_time is None and limits.end_time is None:
        return None
    start = _minute(limits.start_time or "00:00")
    end = _minute(limits.end_time or "00:00") or DAY_MINUTES
    return None if start == end or (start, end) == (0, DAY_MINUTES) else (start, end)


def _minute(clock: str) -> int:
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)


def _group(rules: Sequence[Rule]) -> Group:
    minutes = {edge % DAY_MINUTES for rule in rules for edge in rule.minutes or ()}
    if any(rule.days or rule.weekdays for rule in rules):
        minutes.add(0)
    still = Group(
        rules=tuple(rules),
        fixed=None,
        minutes=tuple(sorted(minutes)),
        durations=_thresholds(rule.elapsed for rule in rules),
        energies=_thresholds(rule.energy for rule in rules),
        powers=_thresholds(rule.power for rule in rules),
        currents=_thresholds(rule.current for rule in rules),
        dated=any(rule.days is not None for rule in rules),
        remembered={},
    )
    if not all(rule.always for rule in rules):
        return still
    nowhere = State(minute=0, day=0, elapsed=0, energy_wh=Decimal(0), power=None, current=None)
    return msgspec.structs.replace(still, fixed=still.choose(nowhere))


def _thresholds(pairs: Iterable[tuple[T | None, T | None] | None]) -> tuple[T, ...]:
    return tuple(sorted({bound for pair in pairs if pair for bound in pair if bound is not None}))
