"""From a transaction to money: its usage, the session partners see, and the one CDR at its end."""

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from app.domain.cdrs import CdrState, ChargeDetailRecord, HoldReason, SignedData
from app.domain.charging.state import BilledRecord, Running
from app.domain.metering import KILO
from app.domain.pricing import (
    Activity,
    Cost,
    Curve,
    Period,
    PeriodVolumes,
    RunningCost,
    Usage,
    price,
    split,
    volumes_of,
)
from app.domain.sessions import ChargingPeriod, ChargingSession, Dimension, SessionStatus, Snapshot
from app.domain.tariffs import Tariff
from app.domain.transactions import Flag

_WORST_FIRST = (
    (Flag.NO_STOP, HoldReason.NO_STOP),
    (Flag.METER_RESET, HoldReason.METER_RESET),
    (Flag.ABSURD_ENERGY, HoldReason.ABSURD_ENERGY),
    (Flag.OVERLAP, HoldReason.OVERLAP),
    (Flag.MIXED_CLOCKS, HoldReason.MIXED_CLOCKS),
)
_FOUR_DIGITS = Decimal("0.0001")


def usage(running: Running, until: datetime, total_wh: Decimal) -> Usage:
    """What a transaction used up to `until`, ending with `total_wh`."""
    register = running.register
    start = register.points[0][0]
    activity = [(max(at, start), what) for at, what in running.transaction.activity if at < until]
    if not activity or activity[0][0] > start:
        activity.insert(0, (start, Activity.CHARGING))
    by_power = _asks_for_power(running.snapshot.tariff)
    return Usage(
        start=start,
        end=until,
        energy=register.until(until, total_wh),
        activity=activity,
        power=[(at, kw) for at, kw in register.power if at < until] if by_power else None,
        current=[(at, amperes) for at, amperes in register.current if at < until] if by_power else None,
    )


def zone_of(snapshot: Snapshot) -> ZoneInfo:
    """The time zone of the site; UTC for a station without a location."""
    return ZoneInfo(snapshot.place.location.time_zone if snapshot.place else "UTC")


def progressed(running: Running, until: datetime, now: datetime, *, cut: bool) -> ChargingSession:
    """The running session as partners see it: energy and cost so far, and the periods that are closed.

    `cut`: a period ends at `until`, so that the last one is closed too.
    """
    session, register = running.session, running.register
    try:
        so_far = _running_cost(running).so_far(
            Curve(
                energy=register.points,
                activity=running.transaction.activity,
                power=register.power,
                current=register.current,
            ),
            until,
        )
        periods = so_far.periods
        cost = so_far.cost if len(register.points) > 1 else None
    except (ValueError, ArithmeticError, KeyError):
        periods, cost = (), None
    return replace(
        session,
        kwh=kwh(register.energy_wh),
        periods=_on_the_wire(periods if cut else periods[:-1]),
        total_cost=cost,
        last_updated=now,
    )


def _running_cost(running: Running) -> RunningCost:
    if running.cost is None:
        snapshot = running.snapshot
        running.cost = RunningCost(snapshot.tariff, zone_of(snapshot), snapshot.feedback)
    return running.cost


def bill(running: Running, ended_at: datetime, cdr_id: str, now: datetime) -> BilledRecord | None:
    """Complete the session and make its CDR; None where nothing was delivered to somebody never let in.

    `running.transaction` has its end, energy and flags. A held record carries the reason that is worst.
    """
    transaction = running.transaction
    energy = transaction.energy_wh or Decimal(0)
    if not transaction.authorized and energy <= 0:
        running.session = replace(
            running.session, status=SessionStatus.INVALID, end_date_time=ended_at, last_updated=now
        )
        return None
    # A session that nobody can cut or price is still a session: the operator sees it and decides.
    try:
        periods = _periods(running, ended_at, energy)
        cost, unpriced = _cost(running.snapshot, periods)
    except (ValueError, ArithmeticError, KeyError):
        periods = (
            Period(
                start=running.register.points[0][0],
                end=ended_at,
                energy_wh=energy,
                activity=Activity.CHARGING,
            ),
        )
        cost, unpriced = None, HoldReason.PRICING_FAILED
    running.session = replace(
        running.session,
        status=SessionStatus.COMPLETED,
        end_date_time=ended_at,
        kwh=kwh(energy),
        periods=_on_the_wire(volumes_of(periods)),
        total_cost=cost.total_cost if cost else None,
        last_updated=now,
    )
    reason = _worst(running, unpriced)
    record = _record(running, cost, ended_at, cdr_id, now)
    return BilledRecord(record, transaction.ref, CdrState.HELD if reason else CdrState.ISSUED, reason)


def _worst(running: Running, unpriced: HoldReason | None) -> HoldReason | None:
    transaction, place = running.transaction, running.snapshot.place
    if not transaction.authorized:
        return HoldReason.TOKEN_INVALID
    for flag, reason in _WORST_FIRST:
        if flag in transaction.flags and Flag.CLOSED_BY_HAND not in transaction.flags:
            return reason
    if unpriced is None and place is not None and place.evse.evse_id is None:
        return HoldReason.NO_EVSE_ID
    return unpriced


def _periods(running: Running, until: datetime, energy: Decimal) -> tuple[Period, ...]:
    snapshot = running.snapshot
    return split(usage(running, until, energy), snapshot.tariff, zone_of(snapshot), snapshot.feedback)


def _on_the_wire(periods: tuple[PeriodVolumes, ...]) -> tuple[ChargingPeriod, ...]:
    return tuple(
        ChargingPeriod(
            start=item.start,
            dimensions=tuple(Dimension(kind.value, volume) for kind, volume in item.volumes.items()),
            tariff_id=item.tariff_id,
        )
        for item in periods
    )


def _asks_for_power(tariff: Tariff | None) -> bool:
    limits = [element.restrictions for element in tariff.elements] if tariff else []
    return any(
        limit is not None
        and (limit.min_power, limit.max_power, limit.min_current, limit.max_current)
        != (None, None, None, None)
        for limit in limits
    )


def _cost(snapshot: Snapshot, periods: tuple[Period, ...]) -> tuple[Cost | None, HoldReason | None]:
    if snapshot.tariff is None:
        return None, HoldReason.NO_TARIFF
    return price(periods, [snapshot.tariff], zone_of(snapshot)), None


def _record(
    running: Running, cost: Cost | None, ended_at: datetime, cdr_id: str, now: datetime
) -> ChargeDetailRecord:
    session, snapshot = running.session, running.snapshot
    seconds = Decimal((ended_at - session.start_date_time) // timedelta(microseconds=1)) / 1_000_000
    return ChargeDetailRecord(
        country_code=session.country_code,
        party_id=session.party_id,
        id=cdr_id,
        start_date_time=session.start_date_time,
        end_date_time=ended_at,
        session_id=session.id,
        token=session.token,
        auth_method=session.auth_method,
        authorization_reference=session.authorization_reference,
        place=snapshot.place,
        meter_id=snapshot.meter_id,
        currency=session.currency,
        tariffs=(snapshot.tariff,) if snapshot.tariff else (),
        periods=session.periods,
        signed_data=_signed(running),
        total_cost=cost.total_cost if cost else None,
        total_fixed_cost=cost.total_fixed_cost if cost else None,
        total_energy=session.kwh,
        total_energy_cost=cost.total_energy_cost if cost else None,
        total_time=cost.total_time if cost else (seconds / 3600).quantize(_FOUR_DIGITS),
        total_time_cost=cost.total_time_cost if cost else None,
        total_parking_time=cost.total_parking_time if cost else None,
        total_parking_cost=cost.total_parking_cost if cost else None,
        total_reservation_cost=cost.total_reservation_cost if cost else None,
        last_updated=now,
    )


def _signed(running: Running) -> SignedData | None:
    values = running.transaction.signed
    if not values:
        return None
    key = next((value.public_key for value in values if value.public_key), None)
    return SignedData(encoding_method=values[0].encoding_method, public_key=key, signed_values=tuple(values))


def kwh(energy_wh: Decimal) -> Decimal:
    """kWh with the four decimals of an OCPI number."""
    return (energy_wh / KILO).quantize(_FOUR_DIGITS)
