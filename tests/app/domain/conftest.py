"""Tariffs and sessions in short notation, as the case files write them."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from app.domain.pricing import CdrDimension, Period, PeriodVolumes, periods_from
from app.domain.tariffs import (
    DayOfWeek,
    Price,
    PriceComponent,
    ReservationRestriction,
    Restrictions,
    Tariff,
    TariffDimension,
    TariffElement,
    check_tariff,
)

RANGES = {
    "clock": ("start_time", "end_time", str),
    "dates": ("start_date", "end_date", str),
    "kwh": ("min_kwh", "max_kwh", Decimal),
    "seconds": ("min_duration", "max_duration", int),
    "kw": ("min_power", "max_power", Decimal),
    "amperes": ("min_current", "max_current", Decimal),
}
UNITS = {
    "kWh": CdrDimension.ENERGY,
    "h charging": CdrDimension.TIME,
    "h parking": CdrDimension.PARKING_TIME,
    "h reserved": CdrDimension.RESERVATION_TIME,
    "kW least": CdrDimension.MIN_POWER,
    "kW most": CdrDimension.MAX_POWER,
    "A least": CdrDimension.MIN_CURRENT,
    "A most": CdrDimension.MAX_CURRENT,
    "kW mean": CdrDimension.POWER,
}


def _component(text: str) -> PriceComponent:
    kind, price, *rest = text.split()
    named = dict(zip(rest[::2], rest[1::2], strict=True))
    return PriceComponent(
        type=TariffDimension(kind),
        price=Decimal(price),
        vat=Decimal(named["vat"]) if "vat" in named else None,
        step_size=int(named.get("step", "1")),
    )


def _restrictions(when: dict[str, str]) -> Restrictions:
    fields: dict[str, Any] = {}
    for word, text in when.items():
        if word == "days":
            fields["day_of_week"] = tuple(DayOfWeek(day) for day in text.split())
        elif word == "reserved":
            fields["reservation"] = ReservationRestriction(text)
        else:
            low_name, high_name, kind = RANGES[word]
            low, high = text.split("..")
            fields |= {name: kind(value) for name, value in ((low_name, low), (high_name, high)) if value}
    return Restrictions(**fields)


def _price(text: str | None) -> Price | None:
    if text is None:
        return None
    excl, _, incl = text.partition(" / ")
    return Price(excl_vat=Decimal(excl), incl_vat=Decimal(incl) if incl else None)


@pytest.fixture(scope="session")
def money() -> Callable[[str | None], Price | None]:
    """Reads "5 / 5.5" as a price without and with VAT."""
    return _price


@pytest.fixture(scope="session")
def tariff_of() -> Callable[..., Tariff]:
    """Makes a checked tariff of elements: "ENERGY 0.25 vat 10 step 1", or {"asks": [...], "when": {...}}."""

    def make(*elements: str | dict[str, Any], **fields: Any) -> Tariff:
        made = []
        for element in elements:
            given = {"asks": [element]} if isinstance(element, str) else element
            made.append(
                TariffElement(
                    price_components=tuple(_component(text) for text in given["asks"]),
                    restrictions=_restrictions(given["when"]) if "when" in given else None,
                )
            )
        known = {
            "country_code": "NL",
            "party_id": "VBR",
            "id": "T",
            "currency": "EUR",
            "elements": tuple(made),
        }
        limits = {name: _price(fields.pop(name, None)) for name in ("min_price", "max_price")}
        tariff = Tariff(**known | limits | {"last_updated": datetime(2026, 1, 1, tzinfo=UTC)} | fields)
        check_tariff(tariff)
        return tariff

    return make


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture(scope="session")
def session_of() -> Callable[..., tuple[Period, ...]]:
    """Reads lines "2026-03-02 10:00:00: 20 kWh, 2 h charging" and an end, all in UTC, as charging periods."""

    def make(*lines: str, ends: str, tariff_id: str | None = None) -> tuple[Period, ...]:
        data = []
        for line in lines:
            start, _, rest = line.partition(": ")
            parts = (part.split(" ", 1) for part in rest.split(", "))
            volumes = {UNITS[unit]: Decimal(number) for number, unit in parts}
            data.append(PeriodVolumes(start=_at(start), volumes=volumes, tariff_id=tariff_id))
        return periods_from(data, start=data[0].start, end=_at(ends))

    return make
