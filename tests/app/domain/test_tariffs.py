"""A tariff is refused when stored if it cannot be meant, with the field named."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from app.domain.currencies import minor_digits
from app.domain.tariffs import Price, PriceComponent, Restrictions, Tariff, TariffElement, check_tariff

AT = datetime(2026, 1, 1, tzinfo=UTC)


def tariff(
    component: dict[str, Any] | None = None, restrictions: dict[str, Any] | None = None, **fields: Any
) -> Tariff:
    parts = {
        "type": "ENERGY",
        "price": Decimal("0.4"),
        "vat": Decimal(21),
        "step_size": 1,
        **(component or {}),
    }
    element = TariffElement(
        price_components=(PriceComponent(**parts),),
        restrictions=None if restrictions is None else Restrictions(**restrictions),
    )
    given = {"country_code": "NL", "party_id": "VBR", "id": "day", "currency": "EUR", "elements": (element,)}
    return Tariff(**{**given, "last_updated": AT, **fields})


def test_an_ordinary_tariff_passes() -> None:
    check_tariff(
        tariff(
            restrictions={
                "start_time": "22:00",
                "end_time": "00:00",
                "start_date": "2024-02-29",
                "min_kwh": Decimal("0.5"),
                "max_duration": 3600,
            },
            min_price=Price(excl_vat=Decimal("0.5")),
            start_date_time=AT,
            end_date_time=AT,
        )
    )


@pytest.mark.parametrize(
    ("component", "field"),
    [
        ({"price": Decimal("NaN")}, "elements[0].price_components[0].price: not a finite"),
        ({"price": Decimal("-Infinity")}, "elements[0].price_components[0].price: not a finite"),
        ({"price": Decimal("1e12")}, "elements[0].price_components[0].price: absurdly"),
        ({"price": Decimal("0.12345")}, "elements[0].price_components[0].price: more than 4"),
        ({"step_size": -1}, "elements[0].price_components[0].step_size: negative"),
        ({"step_size": 10**10}, "elements[0].price_components[0].step_size: absurdly"),
        ({"vat": Decimal(-1)}, "elements[0].price_components[0].vat: negative"),
        ({"vat": Decimal("NaN")}, "elements[0].price_components[0].vat: not a finite"),
    ],
)
def test_a_component_that_cannot_be_meant_is_named(component: dict[str, Any], field: str) -> None:
    with pytest.raises(ValueError) as refusal:
        check_tariff(tariff(component))
    assert str(refusal.value).startswith(field)


@pytest.mark.parametrize(
    ("restrictions", "name"),
    [
        ({"start_time": "24:00"}, "start_time"),
        ({"end_time": "7:30"}, "end_time"),
        ({"end_time": "07:60"}, "end_time"),
        ({"start_time": "٠٧:00"}, "start_time"),
        ({"start_date": "2025-02-29"}, "start_date"),
        ({"end_date": "20250228"}, "end_date"),
        ({"min_kwh": Decimal(-1)}, "min_kwh"),
        ({"max_current": Decimal("Infinity")}, "max_current"),
        ({"min_power": Decimal("NaN")}, "min_power"),
        ({"max_duration": -5}, "max_duration"),
    ],
)
def test_a_restriction_that_cannot_be_meant_is_named(restrictions: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError) as refusal:
        check_tariff(tariff(restrictions=restrictions))
    assert str(refusal.value).startswith(f"elements[0].restrictions.{name}: ")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"currency": "EUX"}, "currency: 'EUX'"),
        ({"elements": ()}, "elements: at least one"),
        ({"elements": (TariffElement(price_components=()),)}, "elements: at least one"),
        ({"max_price": Price(excl_vat=Decimal("1.00001"))}, "max_price.excl_vat"),
        ({"min_price": Price(excl_vat=Decimal(1), incl_vat=Decimal("NaN"))}, "min_price.incl_vat"),
        ({"start_date_time": datetime(2026, 1, 1)}, "start_date_time: a time without a zone"),  # noqa: DTZ001
        ({"start_date_time": AT, "end_date_time": AT.replace(year=2025)}, "end_date_time: lies before"),
    ],
)
def test_a_tariff_that_cannot_be_meant_is_named(fields: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError) as refusal:
        check_tariff(tariff(**fields))
    assert str(refusal.value).startswith(text)


def test_a_tariff_survives_storage() -> None:
    whole = tariff(restrictions={"min_kwh": Decimal("0.10")}, details={"tariff_alt_text": [{"text": "día"}]})
    assert msgspec.json.decode(msgspec.json.encode(whole), type=Tariff) == whole


def test_minor_units_have_no_two_or_three_decimals() -> None:
    assert [minor_digits(code) for code in ("JPY", "EUR", "KWD")] == [0, 2, 3]
