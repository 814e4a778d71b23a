"""How numbers are written for people: energy in kWh, power in kW, money with its currency, spans of time."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

NOTHING = "–"

Number = Decimal | int | float


def whole(value: int | None) -> str:
    """A count, such as 12,345."""
    return NOTHING if value is None else f"{value:,}"


def energy(kwh: Number | None) -> str:
    """Energy given in kWh."""
    if kwh is None:
        return NOTHING
    exact = _exact(kwh)
    return f"{exact / 1000:,.2f} MWh" if abs(exact) >= 100_000 else f"{exact:,.{_places(exact)}f} kWh"


def energy_of_wh(wh: Number | None) -> str:
    """Energy given in Wh."""
    return NOTHING if wh is None else energy(_exact(wh) / 1000)


def power(kw: Number | None) -> str:
    """Power given in kW."""
    if kw is None:
        return NOTHING
    exact = _exact(kw)
    return f"{exact / 1000:,.2f} MW" if abs(exact) >= 10_000 else f"{exact:,.{_places(exact)}f} kW"


def money(amount: Number | None, currency: str) -> str:
    """An amount with its currency, two decimals at least and as many as it has."""
    if amount is None:
        return NOTHING
    exact = _exact(amount)
    places = max(2, -int(exact.normalize().as_tuple().exponent))
    return f"{exact:,.{places}f} {currency}"


def revenue(amount: Number, currency: str) -> str:
    """An amount of a whole day or month: two decimals are enough."""
    return f"{_exact(amount):,.2f} {currency}"


def moneys(amounts: Mapping[str, Number]) -> str:
    """Sums by currency."""
    return ", ".join(revenue(amount, currency) for currency, amount in amounts.items()) or NOTHING


def span(seconds: Number | None) -> str:
    """How long something takes: 45 s, 12 min, 3 h 05 min, 2 d 4 h."""
    if seconds is None:
        return NOTHING
    total = int(seconds)
    if total < 60:
        return f"{total} s"
    minutes = total // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def number(words: str | None) -> Decimal | None:
    """A number written as text; None for anything else."""
    try:
        return None if words is None else Decimal(words)
    except InvalidOperation:
        return None


def milliseconds(at: str) -> int:
    """An instant (RFC 3339) as charts count them."""
    return int(datetime.fromisoformat(at).timestamp() * 1000)


def share(part: Number | None) -> str:
    """A share between 0 and 1 as per cent."""
    return NOTHING if part is None else f"{part * 100:.1f} %"


def said(value: Any) -> str:
    """What somebody else wrote, or a dash."""
    return NOTHING if value is None or value == "" else str(value)


def _exact(value: Number) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


def _places(value: Decimal) -> int:
    return 0 if value == 0 or abs(value) >= 1000 else 1 if abs(value) >= 10 else 2
