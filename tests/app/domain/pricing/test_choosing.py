"""Which of several tariffs prices a session."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.domain.pricing import Period, ProfileType, price, session_tariff
from app.domain.tariffs import Tariff, TariffType

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
Make = Callable[..., Tariff]


@pytest.fixture
def offers(tariff_of: Make) -> list[Tariff]:
    kinds = (None, TariffType.PROFILE_GREEN, TariffType.REGULAR, TariffType.AD_HOC_PAYMENT)
    return [tariff_of("ENERGY 1", id=str(kind), type=kind) for kind in kinds]


@pytest.mark.parametrize(
    ("session", "chosen"),
    [
        ({}, "REGULAR"),
        ({"profile": ProfileType.REGULAR}, "REGULAR"),
        ({"profile": ProfileType.GREEN}, "PROFILE_GREEN"),
        ({"profile": ProfileType.FAST}, "None"),
        ({"ad_hoc_payment": True}, "AD_HOC_PAYMENT"),
        ({"ad_hoc_payment": True, "profile": ProfileType.GREEN}, "AD_HOC_PAYMENT"),
    ],
)
def test_the_own_type_comes_before_no_type(
    offers: list[Tariff], session: dict[str, Any], chosen: str
) -> None:
    assert session_tariff(offers, AT, **session).id == chosen


def test_a_tariff_meant_for_others_is_never_taken(offers: list[Tariff]) -> None:
    with pytest.raises(ValueError, match="tariffs: none is meant for a session of type PROFILE_CHEAP"):
        session_tariff(offers[1:], AT, profile=ProfileType.CHEAP)


def test_the_only_tariff_is_the_sessions(tariff_of: Make) -> None:
    only = tariff_of("ENERGY 1", type=TariffType.AD_HOC_PAYMENT, end_date_time=AT.replace(year=2020))
    assert session_tariff([only], AT) is only


def test_the_version_valid_at_the_start_counts(
    tariff_of: Make, session_of: Callable[..., tuple[Period, ...]]
) -> None:
    versions = [
        tariff_of("ENERGY 1", end_date_time=AT),
        tariff_of("ENERGY 2", start_date_time=AT, end_date_time=AT.replace(hour=11)),
        tariff_of("ENERGY 3", start_date_time=AT.replace(hour=11)),
    ]
    zone = ZoneInfo("UTC")
    for tariff_id in ("T", None):
        periods = session_of(
            "2026-03-02 10:00:00: 5 kWh, 5 h charging", ends="2026-03-02 15:00:00", tariff_id=tariff_id
        )
        assert price(periods, versions, zone).total_cost.excl_vat == 10


def test_of_two_valid_ones_the_newer_counts(tariff_of: Make) -> None:
    old, new = (tariff_of("ENERGY 1", start_date_time=AT.replace(year=year)) for year in (2024, 2025))
    assert session_tariff([tariff_of("ENERGY 1"), old, new, old], AT) is new
