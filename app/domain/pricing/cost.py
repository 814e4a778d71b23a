"""The price of a finished session: its periods, the tariffs in force, and one Cost out of them."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal, localcontext
from zoneinfo import ZoneInfo

from app.domain.pricing.choosing import ProfileType, period_tariff, session_tariff
from app.domain.pricing.cutting import Cutter, Stretch, stretch_of
from app.domain.pricing.prepared import Choice, Prepared, Subtotal, prepared
from app.domain.pricing.tally import Cost, Sum, Tally, limited, money
from app.domain.pricing.usage import EXACT, MICROSECOND, Activity, checked_number, checked_span
from app.domain.pricing.volumes import Period, hours, rounded
from app.domain.tariffs import Price, Tariff

_NOTHING = Choice()


def price(
    periods: Sequence[Period],
    tariffs: Sequence[Tariff],
    zone: ZoneInfo,
    *,
    reservation_expired: bool = False,
    profile: ProfileType | None = None,
    ad_hoc_payment: bool = False,
    currency: str | None = None,
) -> Cost:
    """What the periods of one session cost (OCPI 2.2.1, CDRs and Tariffs).

    Periods must follow each other; they are cut further wherever a restriction asks for it. A period is priced by
    the tariff it names, else by the session's (`session_tariff`). Raises ValueError beginning with the field for
    no tariff, mixed or foreign currencies, and periods out of order or with impossible numbers.
    """
    if not tariffs:
        raise ValueError("tariffs: a session without a tariff has no price")
    _check(periods)
    used = {tariff.currency for tariff in tariffs} | ({currency} if currency else set())
    if len(used) > 1:
        raise ValueError(f"currency: {' and '.join(sorted(used))} in one session")
    began = _session_start(periods)
    ready = _readied(periods, tariffs, began, profile=profile, ad_hoc_payment=ad_hoc_payment)
    with localcontext(EXACT):
        tally = Tally()
        if all(tariff.unrestricted for tariff in ready):
            billed = tuple(periods)
            _take_plain(tally, billed, ready, reservation_expired=reservation_expired)
        else:
            billed = _take_cut(tally, periods, ready, zone, reservation_expired=reservation_expired)
        return _cost(tally, billed, _governing(periods, ready), tariffs[0].currency)


def _check(periods: Sequence[Period]) -> None:
    if not periods:
        raise ValueError("charging_periods: at least one is needed")
    checked_span(periods[0].start, periods[-1].end)
    before = periods[0].start
    for number, period in enumerate(periods):
        if period.start < before or period.end < period.start:
            raise ValueError(f"charging_periods[{number}].start_date_time: out of order or overlapping")
        checked_number(period.energy_wh, f"charging_periods[{number}].ENERGY")
        before = period.end


def _session_start(periods: Sequence[Period]) -> datetime:
    """Where the session begins: after reserved time, unless nothing followed."""
    return next((item.start for item in periods if item.activity is not Activity.RESERVED), periods[0].start)


def _readied(
    periods: Sequence[Period],
    tariffs: Sequence[Tariff],
    began: datetime,
    *,
    profile: ProfileType | None,
    ad_hoc_payment: bool,
) -> list[Prepared]:
    """The prepared tariff of each period."""
    if len(tariffs) == 1:
        return [prepared(tariffs[0])] * len(periods)
    named: dict[str | None, Prepared] = {}
    for number, period in enumerate(periods):
        if period.tariff_id in named:
            continue
        tariff = (
            session_tariff(tariffs, began, profile=profile, ad_hoc_payment=ad_hoc_payment)
            if period.tariff_id is None
            else period_tariff(tariffs, period.tariff_id, began, f"charging_periods[{number}].tariff_id")
        )
        named[period.tariff_id] = prepared(tariff)
    return [named[period.tariff_id] for period in periods]


def _take_plain(
    tally: Tally, periods: Sequence[Period], ready: Sequence[Prepared], *, reservation_expired: bool
) -> None:
    """Bill periods whose tariffs ask for nothing but the kind of time."""
    for number, (period, tariff) in enumerate(zip(periods, ready, strict=True)):
        activity = period.activity
        group = tariff.group(activity, reservation_expired=reservation_expired)
        length = (period.end - period.start) // MICROSECOND
        tally.take(number, activity, length, period.energy_wh, group.fixed or _NOTHING)


def _take_cut(
    tally: Tally,
    periods: Sequence[Period],
    ready: Sequence[Prepared],
    zone: ZoneInfo,
    *,
    reservation_expired: bool,
) -> tuple[Period, ...]:
    """Cut the periods by their tariffs, bill the pieces, and give them back as periods."""
    stretches = [stretch_of(period, tariff) for period, tariff in zip(periods, ready, strict=True)]
    cutter = Cutter(stretches[0].start, stretches[-1].end, zone, reservation_expired=reservation_expired)
    pieces: list[Stretch] = [piece for stretch in stretches for piece in cutter.cut(stretch)]
    for number, piece in enumerate(pieces):
        tally.take(number, piece.activity, piece.end - piece.start, piece.energy_wh, piece.choice)
    return tuple(piece.period() for piece in pieces)


def _governing(periods: Sequence[Period], ready: Sequence[Prepared]) -> Prepared | None:
    """The tariff whose limits hold: the one in force at session start; none for a lone reservation (A11)."""
    for period, tariff in zip(periods, ready, strict=True):
        if period.activity is not Activity.RESERVED:
            return tariff
    return None


def _cost(tally: Tally, periods: tuple[Period, ...], governing: Prepared | None, currency: str) -> Cost:
    tally.steps()
    everything, parts = tally.added()
    total = total_of(everything, governing)
    sums = {subtotal: part.price() for subtotal, part in parts.items()}
    energy, session, parking = Decimal(0), 0, 0
    for period in periods:
        energy += period.energy_wh
        if period.activity is not Activity.RESERVED:
            length = (period.end - period.start) // MICROSECOND
            session += length
            parking += length if period.activity is Activity.PARKING else 0
    return Cost(
        currency=currency,
        total_cost=total,
        total_fixed_cost=sums.get(Subtotal.FIXED),
        total_energy_cost=sums.get(Subtotal.ENERGY),
        total_time_cost=sums.get(Subtotal.TIME),
        total_parking_cost=sums.get(Subtotal.PARKING),
        total_reservation_cost=sums.get(Subtotal.RESERVATION),
        total_energy=rounded(energy / 1000),
        total_time=hours(session),
        total_parking_time=hours(parking) if parking else None,
        start=periods[0].start,
        end=periods[-1].end,
        periods=periods,
        entries=tuple(tally.entries),
    )


def total_of(total: Sum, governing: Prepared | None) -> Price:
    """The total after the limits; if nothing was priced at all, the tariff says whether VAT is known."""
    excl, incl = (total.excl, total.incl) if governing is None else limited(total, governing)
    vat = total.vat or (not total.used and governing is not None and governing.carries_vat)
    return Price(excl_vat=money(excl), incl_vat=money(incl) if vat else None)
