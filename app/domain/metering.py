"""Meter values: from the station's series to readings in exact Wh, kW and A."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

import msgspec

KILO = Decimal(1000)
ABSURD_WH = Decimal(10) ** 12
_MICRO = Decimal("0.000001")
_PHASES = ("L1", "L2", "L3")
_REGISTER = "Energy.Active.Import.Register"
_SHORT = 7
_PLACES = 6


class _Kind(NamedTuple):
    """How a measurand is read: into which field, by which factor per unit, and whether only at the outlet."""

    field: str
    factors: dict[str | None, Decimal]
    at_outlet: bool = True


_ONE = Decimal(1)
_TO_WH: dict[str | None, Decimal] = {None: _ONE, "Wh": _ONE, "kWh": KILO}
_READ = {
    _REGISTER: _Kind("register_wh", _TO_WH),
    "Energy.Active.Import.Interval": _Kind("interval_wh", _TO_WH),
    "Power.Active.Import": _Kind("power_kw", {None: 1 / KILO, "W": 1 / KILO, "kW": _ONE}),
    "Current.Import": _Kind("current_a", {None: _ONE, "A": _ONE}),
    "SoC": _Kind("soc", {None: _ONE, "Percent": _ONE, "%": _ONE}, at_outlet=False),
}
_ONE_PHASE_IS_TOTAL = frozenset({"power_kw", "current_a"})


class SampledValue(msgspec.Struct, frozen=True, kw_only=True):
    """One sampled value with the defaults of the specification filled in; `value` is text as received."""

    value: str
    measurand: str = _REGISTER
    unit: str | None = None
    context: str = "Sample.Periodic"
    location: str = "Outlet"
    phase: str | None = None
    signed: bool = False


class MeterSample(msgspec.Struct, frozen=True, kw_only=True):
    """All values a station took at one moment; `at` is the station's time, None where it was unusable.

    `document` is the list of sampled values as received, as JSON, byte for byte.
    """

    at: datetime | None
    values: tuple[SampledValue, ...]
    document: str


class Reading(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one sample says in one unit each: register and interval in Wh, power in kW, current in A (sum)."""

    register_wh: Decimal | None = None
    interval_wh: Decimal | None = None
    power_kw: Decimal | None = None
    current_a: Decimal | None = None
    soc: Decimal | None = None


def number(text: str) -> Decimal | None:
    """A finite decimal with at most six places, or None for anything else (NaN, infinity, words)."""
    try:
        value = Decimal(text)
    except (InvalidOperation, ValueError):
        return None
    if not value.is_finite():
        return None
    # Short texts cannot have too many digits or places; those of the others are dear to ask for.
    if len(text) <= _SHORT and "e" not in text and "E" not in text:
        return value
    return None if abs(value) >= ABSURD_WH else _limited(value)


def _limited(value: Decimal) -> Decimal:
    return value if int(value.as_tuple().exponent) >= -_PLACES else value.quantize(_MICRO)


def read(values: Iterable[SampledValue]) -> Reading:
    """One reading from all values of one moment.

    A total wins over phases; phases make a total only where all that the station meters are summed
    (an L1-only register is one phase of the total, never the total). Signed values are kept, not read.
    """
    totals: dict[str, Decimal] = {}
    phases: dict[str, dict[str, Decimal]] = {}
    for value in values:
        kind = _READ.get(value.measurand)
        if kind is None or value.signed:
            continue
        field, factors, at_outlet = kind
        factor = factors.get(value.unit)
        if factor is None or (at_outlet and value.location != "Outlet"):
            continue
        amount = number(value.value)
        if amount is None:
            continue
        if factor is not _ONE:
            amount *= factor
        if value.phase is None:
            totals.setdefault(field, amount)
        else:
            phases.setdefault(field, {})[value.phase.removesuffix("-N")] = amount
    for field, parts in phases.items():
        found = [parts[phase] for phase in _PHASES if phase in parts]
        if field not in totals and (field in _ONE_PHASE_IS_TOTAL or len(found) == len(_PHASES)):
            totals[field] = found[0] if len(found) == 1 else sum(found, Decimal(0))
    return Reading(**totals)
