"""An explanation as plain text that an operator can send to a driver."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from app.domain.pricing.explaining import ExplainedLine, Explanation, PassedOver, Unpriced
from app.domain.pricing.tally import Cost, Line, LineKind
from app.domain.tariffs import Price, TariffDimension

_NAMES = {
    TariffDimension.ENERGY: "energy",
    TariffDimension.TIME: "charging time",
    TariffDimension.PARKING_TIME: "parking time",
    TariffDimension.FLAT: "fee",
}
_UNITS = {TariffDimension.ENERGY: "kWh", TariffDimension.TIME: "h", TariffDimension.PARKING_TIME: "h"}
_HOUR = Decimal(3600)


def as_text(explanation: Explanation, title: str) -> str:
    """The bill in lines of plain text; times are those of the site."""
    return "\n".join(_lines(explanation, title)) + "\n"


def _lines(explanation: Explanation, title: str) -> Iterator[str]:
    cost, zone = explanation.cost, ZoneInfo(explanation.zone)
    yield title
    yield f"from {_moment(cost.start, zone)} to {_moment(cost.end, zone)} ({explanation.zone})"
    yield f"{_number(cost.total_energy)} kWh in {_length(cost.total_time * _HOUR)}"
    yield ""
    for line in explanation.lines:
        yield from _told(line, cost, zone)
    for free in explanation.unpriced:
        yield from _free(free, zone)
    yield ""
    yield f"Total: {_amount(cost.total_cost, cost.currency)}"


def _told(explained: ExplainedLine, cost: Cost, zone: ZoneInfo) -> Iterator[str]:
    line = explained.line
    yield f"{_what(explained, zone)} = {_amount(line.cost, cost.currency)}{_vat(line)}"
    yield from _why(explained.passed_over)


def _what(explained: ExplainedLine, zone: ZoneInfo) -> str:
    line = explained.line
    if line.dimension is None or line.unit_price is None:
        return f"Limit of the tariff: {explained.why}"
    if line.kind is LineKind.STEP:
        step = f"{line.step_size} {'Wh' if line.dimension is TariffDimension.ENERGY else 's'}"
        return f"Rounded up to whole steps of {step}: {_quantity(line)} more of {_NAMES[line.dimension]}"
    when = _span(explained.start, explained.end, zone)
    if line.dimension is TariffDimension.FLAT:
        return f"{when} {_NAMES[line.dimension]}"
    price = f"{_number(line.unit_price)} per {_UNITS[line.dimension]}"
    return f"{when} {_NAMES[line.dimension]}: {_quantity(line)} at {price}"


def _quantity(line: Line) -> str:
    return f"{_number(line.billed)} kWh" if line.dimension is TariffDimension.ENERGY else _length(line.billed)


def _free(free: Unpriced, zone: ZoneInfo) -> Iterator[str]:
    energy = free.dimension is TariffDimension.ENERGY
    measured = f"{_number(free.measured)} kWh" if energy else _length(free.measured)
    yield f"{_span(free.start, free.end, zone)} {_NAMES[free.dimension]}: {measured} free of charge"
    yield from _why(free.passed_over)


def _why(passed_over: tuple[PassedOver, ...]) -> Iterator[str]:
    for each in passed_over:
        if not each.why.startswith("names no price"):
            yield f"    price {each.element + 1} of the tariff was not used: it {each.why}"


def _span(start: datetime | None, end: datetime | None, zone: ZoneInfo) -> str:
    if start is None or end is None:
        return ""
    return f"{start.astimezone(zone):%H:%M:%S}-{end.astimezone(zone):%H:%M:%S}"


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def _amount(price: Price, currency: str) -> str:
    text = f"{_money(price.excl_vat)} {currency}"
    return text if price.incl_vat is None else f"{text} ({_money(price.incl_vat)} with VAT)"


def _vat(line: Line) -> str:
    return "" if line.vat is None else f", {_number(line.vat)} % VAT"


def _money(amount: Decimal) -> str:
    return format(amount.normalize() if amount != round(amount, 2) else round(amount, 2), "f")


def _number(value: Decimal) -> str:
    return format(value.normalize(), "f")


def _length(seconds: Decimal) -> str:
    whole = int(seconds.quantize(Decimal(1)))
    hours, rest = divmod(whole, 3600)
    return (
        f"{hours} h {rest // 60:02} min {rest % 60:02} s" if hours else f"{rest // 60} min {rest % 60:02} s"
    )
