"""Why an element of a tariff did not apply at a moment, in words that a person can check."""

from datetime import date
from decimal import Decimal

from app.domain.pricing.prepared import State
from app.domain.tariffs import DayOfWeek, ReservationRestriction, Restrictions, TariffDimension, TariffElement

_DAYS = tuple(DayOfWeek)


def why_not(
    element: TariffElement,
    dimension: TariffDimension,
    state: State,
    *,
    reserved: bool,
    expired: bool,
) -> str | None:
    """Why the element does not price the dimension at this moment; None if it does."""
    if not any(component.type is dimension for component in element.price_components):
        return f"names no price for {dimension}"
    limits = element.restrictions
    if limits is None:
        return "is for sessions, not for reserved time" if reserved else None
    wrong_kind = _kind(limits.reservation, reserved=reserved, expired=expired)
    if wrong_kind is not None:
        return wrong_kind
    said = [text for text in (_clock(limits, state), *_figures(limits, state)) if text is not None]
    return "; ".join(said) or None


def _kind(of: ReservationRestriction | None, *, reserved: bool, expired: bool) -> str | None:
    if of is None:
        return "is for sessions, not for reserved time" if reserved else None
    if not reserved:
        return "is for reserved time only"
    if of is ReservationRestriction.RESERVATION_EXPIRES and not expired:
        return "is for reservations that expired"
    return None


def _clock(limits: Restrictions, state: State) -> str | None:
    said = []
    if not _in_window(limits, state.minute):
        window = f"{limits.start_time or '00:00'} to {limits.end_time or '24:00'}"
        said.append(f"holds from {window}; it was {state.minute // 60:02}:{state.minute % 60:02}")
    today = _DAYS[(state.day - 1) % 7]
    if limits.day_of_week and today not in limits.day_of_week:
        said.append(f"holds on {', '.join(limits.day_of_week)}; it was {today}")
    day = date.fromordinal(state.day).isoformat()
    if limits.start_date is not None and day < limits.start_date:
        said.append(f"holds from {limits.start_date} on; it was {day}")
    if limits.end_date is not None and day >= limits.end_date:
        said.append(f"holds before {limits.end_date}; it was {day}")
    return "; ".join(said) or None


def _in_window(limits: Restrictions, minute: int) -> bool:
    start, end = limits.start_time or "00:00", limits.end_time or "24:00"
    end = "24:00" if end == "00:00" else end
    now = f"{minute // 60:02}:{minute % 60:02}"
    if start == end:
        return True
    return start <= now < end if start < end else now >= start or now < end


def _figures(limits: Restrictions, state: State) -> list[str | None]:
    elapsed = Decimal(state.elapsed) / 1_000_000
    return [
        _bound(limits.min_kwh, limits.max_kwh, state.energy_wh / 1000, "kWh used so far"),
        _bound(limits.min_duration, limits.max_duration, elapsed, "s since the start"),
        _bound(limits.min_power, limits.max_power, state.power, "kW"),
        _bound(limits.min_current, limits.max_current, state.current, "A"),
    ]


def _bound(
    low: Decimal | int | None, high: Decimal | int | None, value: Decimal | None, unit: str
) -> str | None:
    if low is None and high is None:
        return None
    if value is None:
        return f"needs a figure in {unit}, and none is known"
    if low is not None and value < low:
        return f"holds from {low} {unit} on; it was {_shown(value)}"
    if high is not None and value >= high:
        return f"holds below {high} {unit}; it was {_shown(value)}"
    return None


def _shown(value: Decimal) -> str:
    return format(value.quantize(Decimal("0.0001")).normalize(), "f")
