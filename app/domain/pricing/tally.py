"""Adding up: what each stretch costs, then steps, sums, VAT and limits, exactly until the one rounding."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal, localcontext
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

import msgspec

from app.domain.pricing.prepared import Choice, Prepared, Priced, Subtotal
from app.domain.pricing.usage import EXACT, Activity
from app.domain.pricing.volumes import HOUR, Period, rounded
from app.domain.tariffs import Price, TariffDimension

SCALE = HOUR
"""Amounts are counted in parts of 3.6 thousand million, so that price x microseconds needs no division."""

_PER_WH = SCALE // 1000
_UP = Decimal(SCALE)
_DOWN = Decimal(2 * SCALE)


class LineKind(StrEnum):
    """Where a line of a bill comes from."""

    USE = "USE"
    STEP = "STEP"
    """What rounding up to whole steps adds."""
    LIMIT = "LIMIT"
    """What min_price adds or max_price takes off."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the bill. Quantities are kWh or seconds (1 for a fee); amounts of all lines sum to the total.

    `period` counts into `Cost.periods`; `element` and `component` count into the tariff. A LIMIT line has neither.
    """

    kind: LineKind
    subtotal: Subtotal | None = None
    period: int | None = None
    dimension: TariffDimension | None = None
    tariff_id: str | None = None
    element: int | None = None
    component: int | None = None
    measured: Decimal = Decimal(0)
    billed: Decimal = Decimal(0)
    unit_price: Decimal | None = None
    vat: Decimal | None = None
    step_size: int | None = None
    cost: Price


class Cost(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """What a session costs, rounded once to four decimals, and the lines that prove it.

    A sum is absent if nothing of its kind was priced; `incl_vat` is absent if no component of the sum names VAT.
    `total_energy` is in kWh, `total_time` in hours and without reserved time.
    """

    currency: str
    total_cost: Price
    total_fixed_cost: Price | None
    total_energy_cost: Price | None
    total_time_cost: Price | None
    total_parking_cost: Price | None
    total_reservation_cost: Price | None
    total_energy: Decimal
    total_time: Decimal
    total_parking_time: Decimal | None
    start: datetime
    end: datetime
    periods: tuple[Period, ...]
    entries: tuple["Entry", ...]
    """What the lines are made of, exact."""

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """The lines of the bill, in the order of time; made when first asked for."""
        with localcontext(EXACT):
            return lines_of(self.entries, self.total_cost)


def money(amount: Decimal) -> Decimal:
    """An amount in parts of SCALE as money with four decimals, half up; a whole-number division, so exact."""
    units = ((abs(amount) * 20_000 + _UP) // _DOWN).scaleb(-4)
    return -units if amount < 0 else units


class Sum:
    """A growing pair of amounts; remembers whether anything, and anything with VAT, belongs to it."""

    __slots__ = ("excl", "incl", "used", "vat")

    def __init__(self) -> None:
        self.excl = Decimal(0)
        self.incl = Decimal(0)
        self.used = False
        self.vat = False

    def add(self, priced: Priced, amount: Decimal) -> None:
        """Add an amount without VAT, and with it at the component's own rate."""
        self.used = True
        self.excl += amount
        if priced.vat_factor is None:
            self.incl += amount
        else:
            self.vat = True
            self.incl += amount * priced.vat_factor

    def price(self) -> Price | None:
        """The rounded pair, or None where nothing was priced."""
        if not self.used:
            return None
        return Price(excl_vat=money(self.excl), incl_vat=money(self.incl) if self.vat else None)


class Entry(NamedTuple):
    """A line before rounding."""

    kind: LineKind
    period: int | None
    priced: Priced
    volume: Decimal


_SECOND_US = 1_000_000
_ZERO = Decimal(0)
_ONE = Decimal(1)


class Tally:
    """The bill of one session while it grows: `take` each stretch in order, then `steps` and `added`.

    Volumes are added per component and priced once at the end. Taking costs the same however long the session
    is, so a running cost comes from the same state as the CDR; such a tally keeps no lines (`itemized` is False).
    """

    __slots__ = ("_energy", "_fees", "_itemized", "_parking", "_reserved", "_time", "_volumes", "entries")

    def __init__(self, *, itemized: bool = True) -> None:
        self.entries: list[Entry] = []
        self._itemized = itemized
        self._volumes: dict[Priced, Decimal] = {}
        self._fees: tuple[bool, bool] = (False, False)
        # The last component that priced a part of each volume that is rounded up to whole steps.
        self._energy: Priced | None = None
        self._time: Priced | None = None
        self._parking: Priced | None = None
        self._reserved: Priced | None = None

    def copy(self) -> "Tally":
        """The same sums without the lines, to try how the session could end."""
        other = Tally(itemized=False)
        other._volumes = self._volumes.copy()
        other._fees = self._fees
        other._energy, other._time = self._energy, self._time
        other._parking, other._reserved = self._parking, self._reserved
        return other

    def take(
        self, period: int, activity: Activity, microseconds: int, energy_wh: Decimal, choice: Choice
    ) -> None:
        """Bill one stretch at the components that apply to it."""
        flat, energy, time, parking = choice
        if flat is not None:
            self._fee(period, flat, reserved=activity is Activity.RESERVED)
        billed = energy is not None and (energy_wh or activity is Activity.CHARGING)
        if energy is not None and billed and self._use(period, energy, energy_wh):
            self._energy = energy
        if activity is Activity.CHARGING:
            if time is not None and self._use(period, time, Decimal(microseconds)):
                self._time = time
        elif activity is Activity.PARKING:
            if parking is not None and self._use(period, parking, Decimal(microseconds)):
                self._parking = parking
        elif (
            activity is Activity.RESERVED
            and time is not None
            and self._use(period, time, Decimal(microseconds))
        ):
            self._reserved = time

    def steps(self) -> None:
        """Round up to whole steps, once each (OCPI 2.2.1, CDRs 1.4.2): of time and parking only parking, if priced."""
        timed = self._parking if self._parking is not None else self._time
        for last, unit in ((self._energy, 1), (timed, _SECOND_US), (self._reserved, _SECOND_US)):
            if last is not None and last.step_size:
                missing = _missing(self._volume_like(last), last.step_size, unit)
                if missing:
                    self._enter(LineKind.STEP, None, last, missing)

    def added(self) -> tuple[Sum, dict[Subtotal, Sum]]:
        """Everything before limits, and its parts; a part that nothing belongs to is missing."""
        total, sums = Sum(), dict[Subtotal, Sum]()
        for priced, volume in self._volumes.items():
            amount = amount_of(priced, volume)
            total.add(priced, amount)
            part = sums.get(priced.subtotal)
            if part is None:
                part = sums[priced.subtotal] = Sum()
            part.add(priced, amount)
        return total, sums

    def _fee(self, period: int, flat: Priced, *, reserved: bool) -> None:
        paid, paid_reserved = self._fees
        if reserved and not paid_reserved:
            self._fees = (paid, True)
        elif not reserved and not paid:
            self._fees = (True, paid_reserved)
        else:
            return
        self._enter(LineKind.USE, period, flat, _ONE)

    def _use(self, period: int, priced: Priced, volume: Decimal) -> bool:
        if volume:
            self._enter(LineKind.USE, period, priced, volume)
            return True
        # Nothing to bill, but the sum exists and is known to carry this component's VAT.
        self._volumes.setdefault(priced, _ZERO)
        return False

    def _enter(self, kind: LineKind, period: int | None, priced: Priced, volume: Decimal) -> None:
        volumes = self._volumes
        before = volumes.get(priced)
        volumes[priced] = volume if before is None else before + volume
        if self._itemized:
            self.entries.append(Entry(kind, period, priced, volume))

    def _volume_like(self, last: Priced) -> Decimal:
        """All that was priced of this kind, by whatever component."""
        reserved = last.subtotal is Subtotal.RESERVATION
        return sum(
            (
                volume
                for priced, volume in self._volumes.items()
                if priced.dimension is last.dimension
                and (priced.subtotal is Subtotal.RESERVATION) is reserved
            ),
            _ZERO,
        )


def _missing(volume: Decimal, step_size: int, unit: int) -> Decimal:
    """What is missing to whole steps; time is first taken to the whole second."""
    exact = volume
    if unit != 1:
        volume = (volume / unit).to_integral_value("ROUND_HALF_UP") * unit
    step = step_size * unit
    over = volume % step
    whole = volume + step - over if over else volume
    return max(whole - exact, _ZERO)


def amount_of(priced: Priced, volume: Decimal) -> Decimal:
    """Price times volume (Wh, microseconds, or 1 for a fee) in parts of SCALE."""
    if priced.dimension is TariffDimension.ENERGY:
        return priced.price * volume * _PER_WH
    if priced.dimension is TariffDimension.FLAT:
        return priced.price * volume * SCALE
    return priced.price * volume


def limited(total: Sum, ready: Prepared) -> tuple[Decimal, Decimal]:
    """The total after min_price and max_price, each side by its own limit, in parts of SCALE.

    A limit without `incl_vat` moves that side in the proportion of the other (A10).
    """
    excl, incl = total.excl, total.incl
    for limit, pick in ((ready.tariff.min_price, max), (ready.tariff.max_price, min)):
        if limit is None:
            continue
        bound = limit.excl_vat * SCALE
        moved = pick(excl, bound)
        if limit.incl_vat is not None:
            incl = pick(incl, limit.incl_vat * SCALE)
        elif moved != excl:
            incl = incl * moved / excl if excl else moved
        excl = moved
    return excl, incl


def lines_of(entries: Sequence[Entry], total: Price) -> tuple[Line, ...]:
    """The entries as lines, each rounded on the running total, and a line for what a limit changed."""
    with_vat = total.incl_vat is not None
    excl, incl = Decimal(0), Decimal(0)
    excl_before = incl_before = money(excl)
    lines = []
    for entry in entries:
        priced = entry.priced
        amount = amount_of(priced, entry.volume)
        excl += amount
        incl += amount if priced.vat_factor is None else amount * priced.vat_factor
        excl_after, incl_after = money(excl), money(incl)
        cost = Price(
            excl_vat=excl_after - excl_before, incl_vat=incl_after - incl_before if with_vat else None
        )
        lines.append(_line(entry, cost))
        excl_before, incl_before = excl_after, incl_after
    rest = Price(
        excl_vat=total.excl_vat - excl_before,
        incl_vat=None if total.incl_vat is None else total.incl_vat - incl_before,
    )
    if rest.excl_vat or rest.incl_vat:
        lines.append(Line(kind=LineKind.LIMIT, cost=rest))
    return tuple(lines)


def _line(entry: Entry, cost: Price) -> Line:
    priced = entry.priced
    volume = entry.volume
    if priced.dimension is TariffDimension.ENERGY:
        volume = volume / 1000
    elif priced.dimension is not TariffDimension.FLAT:
        volume = volume / _SECOND_US
    volume = rounded(volume)
    return Line(
        kind=entry.kind,
        subtotal=priced.subtotal,
        period=entry.period,
        dimension=priced.dimension,
        tariff_id=priced.tariff_id,
        element=priced.element,
        component=priced.component,
        measured=volume if entry.kind is LineKind.USE else Decimal(0),
        billed=volume,
        unit_price=priced.price,
        vat=priced.vat,
        step_size=priced.step_size,
        cost=cost,
    )
