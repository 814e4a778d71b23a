"""A record held against itself: its periods, totals, times and units, before any price is worked out."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import msgspec

from app.domain.currencies import minor_digits
from app.domain.pricing import CdrDimension
from app.domain.tariffs import Price
from app.domain.verification.claims import Claim

_GRAIN = Decimal("0.0001")
_THOUSAND = Decimal(1000)
_SUMS = (
    "total_fixed_cost",
    "total_energy_cost",
    "total_time_cost",
    "total_parking_cost",
    "total_reservation_cost",
)


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """Something in a record that does not fit together; `kind` is a word for programs."""

    kind: str
    field: str
    words: str


def checks(claim: Claim) -> Iterator[Check]:
    """Everything about the record that contradicts itself."""
    yield from _energy(claim)
    yield from _times(claim)
    yield from _costs(claim)
    yield from _currency(claim)


def _energy(claim: Claim) -> Iterator[Check]:
    energies = [period.volumes.get(CdrDimension.ENERGY, Decimal(0)) for period in claim.volumes]
    total = sum(energies, Decimal(0))
    slack = _GRAIN * len(energies)
    if abs(total - claim.total_energy) <= slack:
        return
    if abs(total / _THOUSAND - claim.total_energy) <= slack:
        words = f"the periods hold {total:f}, which is {claim.total_energy:f} kWh in Wh"
        yield Check(kind="wh_for_kwh", field="charging_periods", words=words)
    elif abs(total - claim.total_energy / _THOUSAND) <= slack:
        words = f"the total is {claim.total_energy:f}, which is {total:f} kWh in Wh"
        yield Check(kind="wh_for_kwh", field="total_energy", words=words)
    else:
        words = f"the periods hold {total:f} kWh, the total says {claim.total_energy:f}"
        yield Check(kind="energy_differs", field="total_energy", words=words)


def _times(claim: Claim) -> Iterator[Check]:
    charging, parking, reserved = (
        sum((period.volumes.get(each, Decimal(0)) for period in claim.volumes), Decimal(0))
        for each in (CdrDimension.TIME, CdrDimension.PARKING_TIME, CdrDimension.RESERVATION_TIME)
    )
    length = Decimal((claim.end - claim.start) // timedelta(seconds=1)) / 3600
    slack = _GRAIN * (len(claim.volumes) + 3)
    if charging + parking + reserved > length + slack:
        words = f"the periods hold {charging + parking + reserved:f} h in a session of {length:.4f} h"
        yield Check(kind="more_time_than_there_was", field="charging_periods", words=words)
    if min(abs(claim.total_time - length), abs(claim.total_time - length + reserved)) > slack:
        words = f"the session lasted {length:.4f} h, the total says {claim.total_time:f}"
        if abs(claim.total_time - charging) <= slack:
            words += ": it is the charging time only"
        yield Check(kind="time_differs", field="total_time", words=words)
    said = claim.total_parking_time or Decimal(0)
    if abs(said - parking) > slack:
        words = f"the periods hold {parking:f} h of parking, the total says {said:f}"
        yield Check(kind="parking_differs", field="total_parking_time", words=words)


def _costs(claim: Claim) -> Iterator[Check]:
    total = claim.total_cost
    if total.incl_vat is not None and abs(total.incl_vat) < abs(total.excl_vat):
        words = "less with VAT than without"
        yield Check(kind="vat_below_net", field="total_cost.incl_vat", words=words)
    named = [claim.sums[name] for name in _SUMS if name in claim.sums]
    limited = any(tariff.min_price or tariff.max_price for tariff in claim.tariffs)
    if not named or limited:
        return
    parts = sum((each.excl_vat for each in named), Decimal(0))
    unit = Decimal(1).scaleb(-min(minor_digits(claim.currency), 2))
    if abs(parts - total.excl_vat) > unit / 2 * (len(named) + 1):
        words = f"the sums come to {parts:f}, the total says {total.excl_vat:f}"
        yield Check(kind="sums_differ", field="total_cost", words=words)


def _currency(claim: Claim) -> Iterator[Check]:
    for number, tariff in enumerate(claim.tariffs):
        if tariff.currency != claim.currency:
            words = f"the tariff is in {tariff.currency}, the record in {claim.currency}"
            yield Check(kind="currency_differs", field=f"tariffs[{number}].currency", words=words)


def negated(price: Price) -> Price:
    """The opposite amount."""
    return Price(excl_vat=-price.excl_vat, incl_vat=None if price.incl_vat is None else -price.incl_vat)
