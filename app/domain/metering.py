"""Meter values: from the station's series to readings in exact Wh, kW and A."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal, InvalidOperation

import msgspec

KILO = Decimal(1000)
ABSURD_WH = Decimal(10) ** 12
_MICRO = Decimal("0.000001")
_PHASES = ("L1", "L2", "L3")
_REGISTER = "Energy.Active.Import.Register"
_INTERVAL = "Energy.Active.Import.Interval"
_TO_WH = {"Wh": Decimal(1), "kWh": KILO}
_TO_KW = {"W": 1 / KILO, "kW": Decimal(1)}


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


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What one sample says in one unit each: register and interval in Wh, power in kW, current in A (sum)."""

    register_wh: Decimal | None = None
    interval_wh: Decimal | None = None
    power_kw: Decimal | None = None
    current_a: Decimal | None = None
    soc: Decimal | None = None


def number(text: str) -> Decimal | None:
    """A finite decimal with at most six places, or None for anything else (NaN, infinity, words)."""
    try:
        value = Decimal(text.strip())
    except (InvalidOperation, ValueError):
        return None
    if not value.is_finite() or abs(value) >= ABSURD_WH:
        return None
    return value if int(value.as_tuple().exponent) >= -6 else value.quantize(_MICRO)


def read(values: Iterable[SampledValue]) -> Reading:
    """One reading from all values of one moment.

    A total wins over phases; phases make a total only where all that the station meters are summed
    (an L1-only register is one phase of the total, never the total). Signed values are kept, not read.
    """
    plain = [v for v in values if not v.signed and (v.location == "Outlet" or v.measurand == "SoC")]
    return Reading(
        register_wh=_total(plain, _REGISTER, _TO_WH, "Wh", one_phase_is_total=False),
        interval_wh=_total(plain, _INTERVAL, _TO_WH, "Wh", one_phase_is_total=False),
        power_kw=_total(plain, "Power.Active.Import", _TO_KW, "W", one_phase_is_total=True),
        current_a=_total(plain, "Current.Import", {"A": Decimal(1)}, "A", one_phase_is_total=True),
        soc=_total(
            plain, "SoC", {"Percent": Decimal(1), "%": Decimal(1)}, "Percent", one_phase_is_total=True
        ),
    )


def _total(
    values: list[SampledValue],
    measurand: str,
    factors: dict[str, Decimal],
    default: str,
    *,
    one_phase_is_total: bool,
) -> Decimal | None:
    phases: dict[str, Decimal] = {}
    for value in values:
        if value.measurand != measurand:
            continue
        factor = factors.get(value.unit or default)
        amount = number(value.value)
        if factor is None or amount is None:
            continue
        if value.phase is None:
            return amount * factor
        phases[value.phase.removesuffix("-N")] = amount * factor
    parts = [phases[p] for p in _PHASES if p in phases]
    if len(parts) == len(_PHASES) or (parts and one_phase_is_total):
        return sum(parts, Decimal(0))
    return None
