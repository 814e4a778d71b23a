"""Numbers, money and leftovers in their wire form: what every module's mapping needs."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from app.domain.tariffs import Price
from ocpi.wire import types as wire

Body = dict[str, Any]
"""An object in its wire form: plain JSON values, numbers as int or Decimal, absent fields left out."""

_FOUR_DECIMALS = Decimal("0.0001")


def number(amount: Decimal) -> int | Decimal:
    """An OCPI number: at most four decimals, rounded half up, no exponent."""
    rounded = amount.quantize(_FOUR_DECIMALS, ROUND_HALF_UP)
    whole = rounded.to_integral_value()
    return int(whole) if rounded == whole else Decimal(format(rounded, "f").rstrip("0"))


def price(amount: Price) -> Body:
    """OCPI 2.2.1 types, Price."""
    body: Body = {"excl_vat": number(amount.excl_vat)}
    if amount.incl_vat is not None:
        body["incl_vat"] = number(amount.incl_vat)
    return body


def price_from(model: wire.Price | None) -> Price | None:
    """The domain's price of a wire one."""
    return None if model is None else Price(excl_vat=model.excl_vat, incl_vat=model.incl_vat)


def add_present(body: Body, **optional: Any) -> Body:
    """Add those fields that have a value; absent, null and an empty list are the same on the wire."""
    body.update((name, value) for name, value in optional.items() if value is not None and value != [])
    return body


def leftovers(plain: Body, named: frozenset[str]) -> Body:
    """The fields of a wire object that the domain does not name, as JSON that keeps its form when stored.

    Decimals become JSON numbers of Python: they are percentages and the like, which nobody calculates with.
    """
    return {name: _storable(value) for name, value in plain.items() if name not in named}


def _storable(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {name: _storable(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_storable(item) for item in value]
    return value
