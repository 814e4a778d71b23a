"""What was used: a raw session as the meter and the connector reported it, before any price is known."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from enum import StrEnum
from itertools import pairwise

import msgspec

LONGEST = timedelta(days=366)
"""A session longer than this is a broken clock, not a session."""

MOST_WH = Decimal(10) ** 9
"""One gigawatt hour: a session above it is a broken meter, not a session."""

_FINEST = -20

EXACT = Context(prec=100)
"""Wide enough that no sum or product of checked numbers is ever rounded."""

Reading = tuple[datetime, Decimal]


class Activity(StrEnum):
    """What happens at the connector, in the sense of money."""

    CHARGING = "CHARGING"
    """Energy is offered and taken, or no status says otherwise: TIME."""
    PARKING = "PARKING"
    """The vehicle takes nothing (SuspendedEV inside the transaction): PARKING_TIME."""
    IDLE = "IDLE"
    """The EVSE gives nothing: neither TIME nor PARKING_TIME."""
    RESERVED = "RESERVED"
    """Held for a driver who has not begun: RESERVATION_TIME."""


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """One session in facts.

    `energy` holds (at, Wh since the start), never falling, from (start, 0) to (end, total), one reading for each
    moment; only a session without length has both at once. `activity` holds (at, what begins there), the first
    at `start`. `power` (kW) and `current` (A, summed over the phases) hold readings that count until the next
    one. All times are aware.
    """

    start: datetime
    end: datetime
    energy: Sequence[Reading]
    activity: Sequence[tuple[datetime, Activity]]
    power: Sequence[Reading] | None = None
    current: Sequence[Reading] | None = None


def checked_span(start: datetime, end: datetime) -> None:
    """Raise ValueError naming the field unless both times are aware, in order and at most a year apart."""
    for name, at in (("start_date_time", start), ("end_date_time", end)):
        if at.tzinfo is None:
            raise ValueError(f"{name}: a time without a zone")
    if end < start:
        raise ValueError("end_date_time: lies before start_date_time")
    if end - start > LONGEST:
        raise ValueError("end_date_time: more than 366 days after start_date_time")


def checked_number(value: Decimal, field: str, most: Decimal = MOST_WH) -> Decimal:
    """The value, if it is a finite number from 0 to `most` with at most twenty decimals; else ValueError."""
    if not value.is_finite():
        raise ValueError(f"{field}: not a finite number")
    if value < 0:
        raise ValueError(f"{field}: negative")
    if value > most:
        raise ValueError(f"{field}: absurdly large")
    if int(value.as_tuple().exponent) < _FINEST:
        raise ValueError(f"{field}: more than twenty decimals")
    return value


def check_usage(usage: Usage) -> None:
    """Raise ValueError naming the field if the readings are not what `Usage` promises."""
    checked_span(usage.start, usage.end)
    _check_energy(usage)
    if not usage.activity or usage.activity[0][0] != usage.start:
        raise ValueError("activity: must begin at the start of the session")
    _check_order("activity", [at for at, _ in usage.activity], usage)
    for field, series in (("power", usage.power), ("current", usage.current)):
        _check_order(field, [at for at, _ in series or ()], None)


def _check_energy(usage: Usage) -> None:
    if not usage.energy or usage.energy[0] != (usage.start, Decimal(0)):
        raise ValueError("energy: must begin at the start of the session with 0 Wh")
    if usage.energy[-1][0] != usage.end:
        raise ValueError("energy: must end with the session")
    checked_number(usage.energy[-1][1], "energy")
    # A jump within no time has no place in a curve: where it is cut would decide whose price it gets.
    jumps = usage.start == usage.end
    for (before_at, before_wh), (at, wh) in pairwise(usage.energy):
        if at < before_at:
            raise ValueError("energy: readings out of order")
        if at == before_at and not jumps:
            raise ValueError("energy: two readings at one moment")
        if not wh >= before_wh:
            raise ValueError("energy: a reading below the one before")


def _check_order(field: str, times: list[datetime], within: Usage | None) -> None:
    if any(later < earlier for earlier, later in pairwise(times)):
        raise ValueError(f"{field}: out of order")
    if within is not None and times[-1] > within.end:
        raise ValueError(f"{field}: goes on after the end of the session")


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def instant(at: datetime) -> int:
    """The time as whole microseconds since 1970: what the engine counts in."""
    return (at - EPOCH) // MICROSECOND


def moment(instant_us: int) -> datetime:
    """The aware UTC time of an instant."""
    return EPOCH + timedelta(microseconds=instant_us)
