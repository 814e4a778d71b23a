"""How much power is drawn: now, by what meters said last; before, by what each transaction drew in its time."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from app.domain.charging.registers import Register

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


class Drawn(NamedTuple):
    """What one transaction drew: from when, until when, how much (Wh)."""

    began: datetime
    ended: datetime
    wh: Decimal | float


def curve(drawn: Iterable[Drawn], since: datetime, until: datetime, step: timedelta) -> list[float]:
    """Mean power in kW in each step from `since` on, the energy of a transaction spread evenly over its time.

    Steps that have not ended yet are left out.
    """
    count = max(0, (until - since) // step)
    width = step.total_seconds()
    found = [0.0] * count
    for each in drawn:
        first = (each.began - since).total_seconds() / width
        last = (each.ended - since).total_seconds() / width
        kw = float(each.wh) / 1000 / max((each.ended - each.began).total_seconds(), 1.0) * 3600
        for place in range(max(0, int(first)), min(count, int(last) + 1)):
            share = min(last, place + 1.0) - max(first, float(place))
            found[place] += kw * max(0.0, share)
    return found


def energy_within(drawn: Iterable[Drawn], since: datetime) -> float:
    """Energy in kWh that was drawn at or after `since`, spread as for `curve`."""
    total = 0.0
    for each in drawn:
        span = max((each.ended - each.began).total_seconds(), 1.0)
        inside = max(0.0, (each.ended - max(each.began, since)).total_seconds())
        total += float(each.wh) / 1000 * (1.0 if each.began >= since else min(1.0, inside / span))
    return total
