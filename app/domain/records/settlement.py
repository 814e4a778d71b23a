"""What one eMSP owes for a month: its records and credits, summed by currency and VAT rate."""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from app.domain.cdrs import ChargeDetailRecord
from app.domain.records.repricing import repriced
from app.domain.tariffs import Price

_NOTHING = Price(excl_vat=Decimal(0), incl_vat=Decimal(0))


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """The part of an amount that has this VAT rate in percent; None where there is no one rate to it."""

    currency: str
    vat: Decimal | None
    amount: Price


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One record with its amount by VAT rate; a credit counts with the opposite sign. Energy in kWh."""

    record: ChargeDetailRecord
    energy: Decimal
    shares: tuple[Share, ...]


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over records: `sessions` without those that were taken back by `credits`."""

    sessions: int
    credits: int
    energy: Decimal
    shares: tuple[Share, ...]


def entry(record: ChargeDetailRecord) -> Entry:
    """An issued record for the settlement; its shares add up to its total cost exactly."""
    sign = -1 if record.credit else 1
    return Entry(record=record, energy=sign * record.total_energy, shares=_shares(record, sign))


def totals(entries: Iterable[Entry]) -> Totals:
    """The sums of these records."""
    found = list(entries)
    credited = sum(1 for each in found if each.record.credit)
    return Totals(
        sessions=len(found) - 2 * credited,
        credits=credited,
        energy=sum((each.energy for each in found), Decimal(0)),
        shares=_summed(share for each in found for share in each.shares),
    )


def _shares(record: ChargeDetailRecord, sign: int) -> tuple[Share, ...]:
    total = record.total_cost or _NOTHING
    try:
        lines = repriced(record).lines
    except ValueError:
        lines = ()
    shares = _summed(
        Share(currency=record.currency, vat=line.vat, amount=_times(sign, line.cost)) for line in lines
    )
    if _sum(each.amount for each in shares) == total and shares:
        return shares
    # Priced by hand, or by a tariff that it does not carry: the amount stands, its rates are not known.
    return (Share(currency=record.currency, vat=None, amount=total),)


def _summed(shares: Iterable[Share]) -> tuple[Share, ...]:
    found: dict[tuple[str, Decimal | None], list[Price]] = {}
    for share in shares:
        found.setdefault((share.currency, share.vat), []).append(share.amount)
    order = sorted(found, key=lambda key: (key[0], key[1] is None, key[1] or Decimal(0)))
    return tuple(Share(currency=key[0], vat=key[1], amount=_sum(found[key])) for key in order)


def _sum(amounts: Iterable[Price]) -> Price:
    """The sum; without VAT where one of the amounts has none."""
    given = list(amounts)
    including = [each.incl_vat for each in given if each.incl_vat is not None]
    return Price(
        excl_vat=sum((each.excl_vat for each in given), Decimal(0)),
        incl_vat=sum(including, Decimal(0)) if len(including) == len(given) else None,
    )


def _times(sign: int, price: Price) -> Price:
    return Price(
        excl_vat=sign * price.excl_vat, incl_vat=None if price.incl_vat is None else sign * price.incl_vat
    )
