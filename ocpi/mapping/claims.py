"""Records that others made, as claims to be checked (OCPI 2.2.1 mod_cdrs)."""

from collections.abc import Sequence
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field

from app.domain.currencies import minor_digits
from app.domain.errors import Invalid
from app.domain.pricing import CdrDimension, PeriodVolumes, ProfileType
from app.domain.tariffs import Price, Tariff
from app.domain.verification import Claim, negated
from ocpi.mapping.amounts import price_from
from ocpi.wire import tokens as wire_tokens
from ocpi.wire import types as wire
from ocpi.wire.base import Currency, DateTime, Flag, OcpiNumber, WireModel

_COSTS = ("fixed", "energy", "time", "parking", "reservation")


class Record(WireModel):
    """The part of a CDR that is checked; the rest is passed over."""

    start_date_time: DateTime
    end_date_time: DateTime
    currency: Currency
    charging_periods: Annotated[list[wire.ChargingPeriod], Field(min_length=1, max_length=10_000)]
    total_cost: wire.Price
    total_fixed_cost: wire.Price | None = None
    total_energy: OcpiNumber
    total_energy_cost: wire.Price | None = None
    total_time: OcpiNumber
    total_time_cost: wire.Price | None = None
    total_parking_time: OcpiNumber | None = None
    total_parking_cost: wire.Price | None = None
    total_reservation_cost: wire.Price | None = None
    credit: Flag = False
    reservation_expired: Flag = False
    profile_type: wire_tokens.ProfileType | None = None
    ad_hoc_payment: Flag = False


def claim_from(record: Record, tariffs: Sequence[Tariff], zone: ZoneInfo) -> Claim:
    """The claim of a record; a credit claims the opposite of what it takes back.

    Raises Invalid, naming the field, for a currency that does not exist and a dimension that is named twice.
    """
    try:
        minor_digits(record.currency)
    except ValueError as error:
        raise Invalid(str(error).partition(": ")[2], field="currency") from None
    asked = Price(excl_vat=record.total_cost.excl_vat, incl_vat=record.total_cost.incl_vat)
    return Claim(
        start=record.start_date_time,
        end=record.end_date_time,
        currency=record.currency,
        volumes=[volumes_from(each, place) for place, each in enumerate(record.charging_periods)],
        tariffs=tariffs,
        zone=zone,
        total_cost=negated(asked) if record.credit else asked,
        total_energy=record.total_energy,
        total_time=record.total_time,
        total_parking_time=record.total_parking_time,
        sums=_sums(record),
        reservation_expired=record.reservation_expired,
        profile=None if record.profile_type is None else ProfileType(record.profile_type),
        ad_hoc_payment=record.ad_hoc_payment,
    )


def volumes_from(period: wire.ChargingPeriod, place: int) -> PeriodVolumes:
    """The charging period at this place. Raises Invalid for a dimension that is named twice."""
    volumes = {CdrDimension(each.type): each.volume for each in period.dimensions}
    if len(volumes) != len(period.dimensions):
        raise Invalid("a type is named twice", field=f"charging_periods[{place}].dimensions")
    return PeriodVolumes(start=period.start_date_time, volumes=volumes, tariff_id=period.tariff_id)


def _sums(record: Record) -> dict[str, Price]:
    named = {f"total_{what}_cost": price_from(getattr(record, f"total_{what}_cost")) for what in _COSTS}
    return {name: amount for name, amount in named.items() if amount is not None}
