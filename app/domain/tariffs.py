"""Tariffs: what a session costs, as plain values in OCPI's words, and the check that one makes sense."""

import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

from app.domain.currencies import minor_digits

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_MOST = Decimal(10) ** 9


class TariffDimension(StrEnum):
    """What a component asks money for (OCPI 2.2.1, TariffDimensionType)."""

    ENERGY = "ENERGY"
    FLAT = "FLAT"
    PARKING_TIME = "PARKING_TIME"
    TIME = "TIME"


class DayOfWeek(StrEnum):
    """The days of the week in order, Monday first."""

    MONDAY = "MONDAY"
    TUESDAY = "TUESDAY"
    WEDNESDAY = "WEDNESDAY"
    THURSDAY = "THURSDAY"
    FRIDAY = "FRIDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"


class ReservationRestriction(StrEnum):
    """Which reserved time an element prices."""

    RESERVATION = "RESERVATION"
    RESERVATION_EXPIRES = "RESERVATION_EXPIRES"


class TariffType(StrEnum):
    """For which sessions a tariff is meant; a tariff without a type is meant for all."""

    AD_HOC_PAYMENT = "AD_HOC_PAYMENT"
    PROFILE_CHEAP = "PROFILE_CHEAP"
    PROFILE_FAST = "PROFILE_FAST"
    PROFILE_GREEN = "PROFILE_GREEN"
    REGULAR = "REGULAR"


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """An amount of money; `incl_vat` is absent where no VAT is known."""

    excl_vat: Decimal
    incl_vat: Decimal | None = None


class PriceComponent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A price without VAT per kWh, per hour or once; `vat` in percent; `step_size` in Wh or seconds."""

    type: TariffDimension
    price: Decimal
    vat: Decimal | None = None
    step_size: int


class Restrictions(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When an element applies: all that is set must hold. Times "HH:MM" and dates are local to the site."""

    start_time: str | None = None
    end_time: str | None = None
    start_date: str | None = None
    end_date: str | None = None
    min_kwh: Decimal | None = None
    max_kwh: Decimal | None = None
    min_current: Decimal | None = None
    max_current: Decimal | None = None
    min_power: Decimal | None = None
    max_power: Decimal | None = None
    min_duration: int | None = None
    max_duration: int | None = None
    day_of_week: tuple[DayOfWeek, ...] = ()
    reservation: ReservationRestriction | None = None


class TariffElement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Components that apply together while the restrictions hold."""

    price_components: tuple[PriceComponent, ...]
    restrictions: Restrictions | None = None


class Tariff(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A tariff; `details` carries what travels along without being read here (texts, links, energy mix)."""

    country_code: str
    party_id: str
    id: str
    currency: str
    type: TariffType | None = None
    min_price: Price | None = None
    max_price: Price | None = None
    elements: tuple[TariffElement, ...]
    start_date_time: datetime | None = None
    end_date_time: datetime | None = None
    details: dict[str, Any] = {}
    last_updated: datetime


def check_tariff(tariff: Tariff) -> None:
    """Raise ValueError, its text beginning with the field's path, if the tariff cannot be meant."""
    minor_digits(tariff.currency)
    if not any(element.price_components for element in tariff.elements):
        raise ValueError("elements: at least one element with a price component is needed")
    for limit in ("min_price", "max_price"):
        _check_price(getattr(tariff, limit), limit)
    for number, element in enumerate(tariff.elements):
        for index, component in enumerate(element.price_components):
            _check_component(component, f"elements[{number}].price_components[{index}]")
        if element.restrictions is not None:
            _check_restrictions(element.restrictions, f"elements[{number}].restrictions")
    _check_validity(tariff)


def _check_validity(tariff: Tariff) -> None:
    for field in ("start_date_time", "end_date_time", "last_updated"):
        at: datetime | None = getattr(tariff, field)
        if at is not None and at.tzinfo is None:
            raise ValueError(f"{field}: a time without a zone")
    start, end = tariff.start_date_time, tariff.end_date_time
    if start is not None and end is not None and end < start:
        raise ValueError("end_date_time: lies before start_date_time")


def _check_price(price: Price | None, field: str) -> None:
    if price is None:
        return
    _check_amount(price.excl_vat, f"{field}.excl_vat")
    if price.incl_vat is not None:
        _check_amount(price.incl_vat, f"{field}.incl_vat")


def _check_component(component: PriceComponent, field: str) -> None:
    _check_amount(component.price, f"{field}.price")
    if component.step_size < 0:
        raise ValueError(f"{field}.step_size: negative")
    if component.step_size > _MOST:
        raise ValueError(f"{field}.step_size: absurdly large")
    if component.vat is not None:
        _check_amount(component.vat, f"{field}.vat")
        if component.vat < 0:
            raise ValueError(f"{field}.vat: negative")


def _check_amount(amount: Decimal, field: str) -> None:
    if not amount.is_finite():
        raise ValueError(f"{field}: not a finite number")
    if abs(amount) > _MOST:
        raise ValueError(f"{field}: absurdly large")
    if amount != round(amount, 4):
        raise ValueError(f"{field}: more than 4 decimals")


def _check_restrictions(restrictions: Restrictions, field: str) -> None:
    for name in ("start_time", "end_time"):
        clock: str | None = getattr(restrictions, name)
        if clock is not None and not _CLOCK.fullmatch(clock):
            raise ValueError(f"{field}.{name}: {clock!r} is not a time HH:MM")
    for name in ("start_date", "end_date"):
        day: str | None = getattr(restrictions, name)
        if day is not None:
            _check_day(day, f"{field}.{name}")
    for name, bound in _bounds(restrictions):
        if bound is not None and not (Decimal(bound).is_finite() and 0 <= bound <= _MOST):
            raise ValueError(f"{field}.{name}: must be a number from 0 to {_MOST:f}")


def _bounds(restrictions: Restrictions) -> Iterator[tuple[str, Decimal | int | None]]:
    for quantity in ("kwh", "current", "power", "duration"):
        for name in (f"min_{quantity}", f"max_{quantity}"):
            yield name, getattr(restrictions, name)


def _check_day(day: str, field: str) -> None:
    if not _DAY.fullmatch(day):
        raise ValueError(f"{field}: {day!r} is not a date YYYY-MM-DD")
    try:
        date.fromisoformat(day)
    except ValueError as error:
        raise ValueError(f"{field}: {day!r} is not a day of the calendar") from error
