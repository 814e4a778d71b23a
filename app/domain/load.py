"""How much power is drawn at a moment, from what meters said last."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from app.domain.registers import Register

STALE_AFTER = timedelta(minutes=15)
"""A meter that has been silent for so long says nothing of now."""

_ZERO = Decimal(0)
_HOUR = Decimal(3600)
_WATT_HOURS = Decimal(1000)
_WATT = Decimal("0.001")


def power_now(registers: Iterable[Register], now: datetime) -> Decimal:
    """Power in kW of all these transactions together."""
    return sum((power_of(each, now) for each in registers), _ZERO).quantize(_WATT)


def power_of(register: Register, now: datetime) -> Decimal:
    """Power in kW of one transaction: as metered, or else from the last two readings of its energy."""
    if register.power and now - register.power[-1][0] < STALE_AFTER:
        return register.power[-1][1]
    if len(register.points) < 2 or now - register.last_at >= STALE_AFTER:
        return _ZERO
    (before, less), (last, more) = register.points[-2:]
    seconds = Decimal((last - before).total_seconds())
    return (more - less) / _WATT_HOURS * _HOUR / seconds if seconds > 0 else _ZERO
