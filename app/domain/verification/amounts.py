"""Wrong readings of a bill that is otherwise right: VAT, rounding, limits, something left out."""

from collections.abc import Iterator
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from msgspec.structs import replace

from app.domain.currencies import minor_digits
from app.domain.tariffs import Price, TariffDimension
from app.domain.verification.bills import Bill, Item, limited, rounded
from app.domain.verification.claims import Reading


def of_vat(bill: Bill) -> Iterator[Reading]:
    """VAT twice, inside, left out, at one rate."""
    total = bill.total()
    if total.incl_vat is None:
        return
    twice = sum((item.incl * (1 + (item.vat or 0) / Decimal(100)) for item in bill.items), Decimal(0))
    yield "vat_twice", "VAT was added twice", lambda: rounded(replace(total, incl_vat=twice))
    yield (
        "vat_inside",
        "the amount without VAT is the one with VAT",
        lambda: replace(total, excl_vat=total.incl_vat),
    )
    yield (
        "vat_on_gross",
        "VAT was added to prices with VAT",
        lambda: rounded(Price(excl_vat=total.incl_vat or Decimal(0), incl_vat=twice)),
    )
    yield "no_vat", "VAT was left out", lambda: replace(total, incl_vat=total.excl_vat)
    for rate in sorted({item.vat for item in bill.items if item.vat is not None}):
        items = tuple(replace(item, vat=rate) for item in bill.items)
        yield (
            "one_vat_rate",
            f"all was taxed at {rate.normalize():f} %",
            lambda items=items: replace(bill, items=items).total(),  # type: ignore[misc]
        )


def of_rounding(bill: Bill, currency: str) -> Iterator[Reading]:
    """Cents per line, decimals cut off."""
    unit = Decimal(1).scaleb(-minor_digits(currency))

    def half_up(amount: Decimal) -> Decimal:
        return amount.quantize(unit, ROUND_HALF_UP)

    def down(amount: Decimal) -> Decimal:
        return amount.quantize(unit, ROUND_DOWN)

    total = bill.total()
    yield "cents_per_line", "every line was rounded to the minor unit", lambda: bill.total(half_up)
    yield (
        "cents_cut_off",
        "decimals beyond the minor unit were cut off",
        lambda: Price(
            excl_vat=down(total.excl_vat), incl_vat=None if total.incl_vat is None else down(total.incl_vat)
        ),
    )


def of_limits(bill: Bill) -> Iterator[Reading]:
    """Limits left out, one or both."""
    tariff = bill.tariff
    if tariff is None or (tariff.min_price is None and tariff.max_price is None):
        return
    free = replace(bill, tariff=None)
    yield "no_limits", "min_price and max_price were left out", free.total
    no_min, no_max = replace(tariff, min_price=None), replace(tariff, max_price=None)
    yield "no_min_price", "min_price was left out", lambda: limited(free.total(), no_min)
    yield "no_max_price", "max_price was left out", lambda: limited(free.total(), no_max)


def scaled(item: Item, factor: int) -> Item:
    """The item with its price per hour so many times higher."""
    timed = item.dimension in (TariffDimension.TIME, TariffDimension.PARKING_TIME)
    return replace(item, unit_price=item.unit_price * factor) if timed else item


def left_out(bill: Bill) -> Iterator[Reading]:
    """One dimension not billed at all."""
    for dimension in TariffDimension:
        items = tuple(item for item in bill.items if item.dimension is not dimension)
        if len(items) < len(bill.items):
            yield (
                "left_out",
                f"{dimension} was not billed",
                lambda items=items: replace(bill, items=items).total(),  # type: ignore[misc]
            )
