"""What is said of tariffs in few words, from what the API tells."""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

from app.admin.console import writing

DIMENSIONS = {
    "ENERGY": "Energy, per kWh", "TIME": "Charging, per hour", "PARKING_TIME": "Parking, per hour", "FLAT": "Once per session",
}  # fmt: skip
"""What a price asks money for, by its name in OCPI."""
SHORT = {"ENERGY": "Energy", "TIME": "Charging", "PARKING_TIME": "Parking", "FLAT": "Once"}
UNITS = {"ENERGY": "/kWh", "TIME": "/h", "PARKING_TIME": "/h", "FLAT": ""}
DAYS = {
    "MONDAY": "Mon", "TUESDAY": "Tue", "WEDNESDAY": "Wed", "THURSDAY": "Thu", "FRIDAY": "Fri", "SATURDAY": "Sat",
    "SUNDAY": "Sun",
}  # fmt: skip

_FOUR = Decimal("0.0001")


def page_of(tariff_id: str) -> str:
    """The address of its page."""
    return f"/tariffs/{quote(tariff_id, safe='')}"


def number(text: object) -> Decimal | None:
    """The number that was typed or read, a comma for a point too; None for anything else."""
    try:
        found = Decimal(str(text).strip().replace(",", "."))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def gross(net: Decimal, vat: Decimal | None) -> Decimal:
    """A price with its VAT (per cent), to four decimals."""
    return net if vat is None else (net * (100 + vat) / 100).quantize(_FOUR, ROUND_HALF_UP)


def net(with_vat: Decimal, vat: Decimal | None) -> Decimal:
    """A price without the VAT (per cent) in it, to the four decimals that a tariff may have."""
    return with_vat if vat is None else (with_vat * 100 / (100 + vat)).quantize(_FOUR, ROUND_HALF_UP)


def plain(amount: Decimal) -> str:
    """A price for people: two decimals at least, as many as it has."""
    places = max(2, -int(amount.normalize().as_tuple().exponent))
    return f"{amount:.{places}f}"


def range_of(tariff: dict[str, Any], dimension: str) -> str:
    """From the lowest to the highest price of a dimension, with VAT where there is one."""
    found = sorted(_prices(tariff, dimension))
    if not found:
        return writing.NOTHING
    low, high = plain(found[0]), plain(found[-1])
    return f"{low if low == high else f'{low} – {high}'} {UNITS[dimension]}".strip()


def when(restrictions: dict[str, Any] | None) -> str:
    """When an element applies, in one line."""
    given = {name: value for name, value in (restrictions or {}).items() if value not in (None, "", [])}
    if not given:
        return "always"
    parts = [_span(given, "start_time", "end_time", ""), _days(given.get("day_of_week", []))]
    parts.append(_span(given, "start_date", "end_date", ""))
    seconds = {
        name: writing.span(given[name])
        for name in ("min_duration", "max_duration")
        if _whole(given.get(name))
    }
    parts.append(_span(given | seconds, "min_duration", "max_duration", ""))
    for what, unit in (("kwh", " kWh"), ("power", " kW"), ("current", " A")):
        parts.append(_span(given, f"min_{what}", f"max_{what}", unit))
    parts.append(str(given.get("reservation", "")).replace("_", " ").lower())
    return ", ".join(part for part in parts if part)


def _span(given: dict[str, Any], low: str, high: str, unit: str) -> str:
    if low in given and high in given:
        return f"{given[low]}–{given[high]}{unit}"
    if low in given:
        return f"from {given[low]}{unit}"
    return f"until {given[high]}{unit}" if high in given else ""


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _days(days: Iterable[str]) -> str:
    return " ".join(DAYS.get(day, day) for day in days)


def _prices(tariff: dict[str, Any], dimension: str) -> Iterable[Decimal]:
    for element in tariff["elements"]:
        for each in element["price_components"]:
            if each["type"] == dimension:
                vat = each.get("vat")
                yield gross(Decimal(each["price"]), None if vat is None else Decimal(vat))
