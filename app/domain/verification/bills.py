"""A bill as items that can be counted otherwise: rounded up elsewhere, rounded off elsewhere, taxed otherwise."""

from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from app.domain.pricing import Cost, LineKind
from app.domain.tariffs import Price, Tariff, TariffDimension

_FOUR = Decimal("0.0001")
_HOUR = Decimal(3600)


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One amount: kWh, seconds or fees at a price without VAT."""

    kind: LineKind
    dimension: TariffDimension
    volume: Decimal
    unit_price: Decimal
    vat: Decimal | None
    step: int
    period: int | None
    reserved: bool

    @property
    def excl(self) -> Decimal:
        """The amount without VAT."""
        timed = self.dimension in (TariffDimension.TIME, TariffDimension.PARKING_TIME)
        return self.unit_price * (self.volume / _HOUR if timed else self.volume)

    @property
    def incl(self) -> Decimal:
        """The amount with VAT at its own rate."""
        return self.excl * (1 + (self.vat or Decimal(0)) / 100)

    @property
    def step_volume(self) -> Decimal:
        """A step in kWh or seconds; 0 for none."""
        energy = self.dimension is TariffDimension.ENERGY
        return Decimal(self.step) / 1000 if energy else Decimal(self.step)


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """Items, and the tariff whose limits hold."""

    items: tuple[Item, ...]
    tariff: Tariff | None

    def total(self, each: Callable[[Decimal], Decimal] = Decimal) -> Price:
        """The sum with its limits, to four decimals; `each` is done to every amount before adding."""
        excl = sum((each(item.excl) for item in self.items), Decimal(0))
        incl = sum((each(item.incl) for item in self.items), Decimal(0))
        taxed = any(item.vat is not None for item in self.items)
        return limited(Price(excl_vat=excl, incl_vat=incl if taxed else None), self.tariff)


def bill_of(cost: Cost, tariff: Tariff | None) -> Bill:
    """The lines of a cost as items; limits are worked out anew."""
    items = tuple(
        Item(
            kind=line.kind,
            dimension=line.dimension,
            volume=line.billed,
            unit_price=line.unit_price,
            vat=line.vat,
            step=line.step_size or 0,
            period=line.period,
            reserved=line.subtotal == "RESERVATION",
        )
        for line in cost.lines
        if line.dimension is not None and line.unit_price is not None
    )
    return Bill(items=items, tariff=tariff)


def limited(total: Price, tariff: Tariff | None) -> Price:
    """The total within min_price and max_price, each side by itself, to four decimals."""
    excl, incl = total.excl_vat, total.incl_vat
    limits = () if tariff is None else ((tariff.min_price, max), (tariff.max_price, min))
    for limit, pick in limits:
        if limit is None:
            continue
        moved = pick(excl, limit.excl_vat)
        if incl is not None and limit.incl_vat is not None:
            incl = pick(incl, limit.incl_vat)
        elif incl is not None and moved != excl:
            incl = incl * moved / excl if excl else moved
        excl = moved
    return rounded(Price(excl_vat=excl, incl_vat=incl))


def rounded(total: Price, unit: Decimal = _FOUR) -> Price:
    """Both sides rounded half up."""
    incl = None if total.incl_vat is None else total.incl_vat.quantize(unit, ROUND_HALF_UP)
    return Price(excl_vat=total.excl_vat.quantize(unit, ROUND_HALF_UP), incl_vat=incl)


def stepped(item: Item, factor: int = 1) -> Item:
    """The item rounded up to whole steps for itself."""
    step = item.step_volume * factor
    if not step or item.dimension is TariffDimension.FLAT:
        return item
    over = item.volume % step
    return msgspec.structs.replace(item, volume=item.volume + step - over if over else item.volume)


def used(items: Sequence[Item]) -> tuple[Item, ...]:
    """The items without what rounding up added."""
    return tuple(item for item in items if item.kind is LineKind.USE)
