"""Bad tariffs, one defect each: found, at its place, at its level, and shown in money."""

import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.lint import Finding, Level, lint, space
from app.domain.tariffs import Tariff

TODAY = date(2026, 11, 20)
Make = Callable[..., Tariff]

NIGHT = {"clock": "22:00..06:00"}
DAY = {"clock": "06:00..22:00"}
E30 = "ENERGY 0.3 vat 21"
E50 = "ENERGY 0.5 vat 21"


def asks(*components: str, **limits: str) -> dict[str, Any]:
    return {"asks": list(components), "when": limits} if limits else {"asks": list(components)}


def found(tariff: Tariff) -> list[Finding]:
    return list(lint(tariff, TODAY))


GOOD: list[list[Any]] = [
    [E30],
    ["FLAT 0 step 0"],
    [asks(E30, **NIGHT), asks(E50, **DAY)],
    [asks(E30, **NIGHT), E50, "TIME 1 vat 21", "FLAT 0.5 vat 21"],
    [asks(E30, days="SATURDAY SUNDAY"), asks(E50, days="MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY")],
    [asks(E30, kwh="..20"), asks(E50, kwh="20..")],
    [asks(E30, kw="..22"), asks(E50, kw="22..")],
    [E30, asks("PARKING_TIME 6 vat 21", seconds="14400..")],
    [E30, asks("PARKING_TIME 6 vat 21", clock="08:00..20:00")],
    [asks("TIME 5 vat 21", reserved="RESERVATION"), E30],
    [asks(E30, dates="..2027-01-01"), asks(E50, dates="2027-01-01..")],
]


@pytest.mark.parametrize("elements", GOOD)
def test_an_ordinary_tariff_has_no_findings(tariff_of: Make, elements: list[Any]) -> None:
    assert found(tariff_of(*elements)) == []


BAD: list[tuple[list[Any], dict[str, str], str, str, str]] = [
    # elements, limits, level, kind, where
    ([E50, E30], {}, "error", "unreachable", "elements[1]"),
    ([E50, asks(E30, **NIGHT)], {}, "error", "unreachable", "elements[1]"),
    ([asks(E30, **NIGHT), asks(E50, **DAY), "ENERGY 0.9 vat 21"], {}, "error", "unreachable", "elements[2]"),
    ([asks(E30, kwh="..10"), asks(E50, kwh="5.."), asks("ENERGY 1 vat 21", kwh="2..12")], {},
     "error", "unreachable", "elements[2]"),
    ([asks(E30, clock="..12:00", kwh="..10"), asks(E30, clock="12:00.."), asks(E50, kwh="10.."),
      "ENERGY 1 vat 21"], {}, "error", "unreachable", "elements[3]"),
    ([asks(E30, days="SATURDAY SUNDAY"), asks(E50, days="SUNDAY", clock="10:00..12:00"),
      "ENERGY 1 vat 21"], {}, "error", "unreachable", "elements[1]"),
    ([E50, asks(E30, "TIME 1 vat 21", **NIGHT), "TIME 2 vat 21"], {},
     "warning", "unreachable", "elements[1].price_components[0]"),
    ([asks(E30, kwh="20..10"), E50], {}, "error", "impossible", "elements[0]"),
    ([asks(E30, kwh="..0"), E50], {}, "error", "impossible", "elements[0]"),
    ([asks(E30, seconds="3600..3600"), E50], {}, "error", "impossible", "elements[0]"),
    ([asks(E30, kw="50..22"), E50], {}, "error", "impossible", "elements[0]"),
    ([asks(E30, amperes="32..16"), E50], {}, "error", "impossible", "elements[0]"),
    ([asks(E30, dates="2027-02-01..2027-01-01"), E50], {}, "error", "impossible", "elements[0]"),
    ([asks(E30, dates="2026-06-01..2026-06-03", days="SATURDAY"), E50], {}, "error", "impossible",
     "elements[0]"),
    ([asks("TIME 1 vat 21", reserved="RESERVATION"), asks("TIME 2 vat 21", reserved="RESERVATION"), E30], {},
     "error", "unreachable", "elements[1]"),
    ([asks(E30, clock="00:00..23:59")], {}, "warning", "hole", "elements"),
    ([asks(E30, clock="06:00..23:00"), asks(E50, clock="23:59..06:00")], {}, "warning", "hole", "elements"),
    ([asks(E30, kwh="1..")], {}, "warning", "hole", "elements"),
    ([asks("TIME 3 vat 21", seconds="600..")], {}, "warning", "hole", "elements"),
    ([asks(E30, days="MONDAY")], {}, "warning", "hole", "elements"),
    ([E30, asks("PARKING_TIME 6 vat 21", clock="00:00..23:59")], {}, "warning", "hole", "elements"),
    ([asks(E30, clock="08:00..08:00"), "TIME 1 vat 21"], {}, "error", "empty_window",
     "elements[0].restrictions.end_time"),
    ([asks(E30, clock="22:00..06:00", days="FRIDAY"), E50], {}, "warning", "weekday_over_midnight",
     "elements[0].restrictions.day_of_week"),
    ([asks(E30, "ENERGY 0.4 vat 21")], {}, "error", "component_twice", "elements[0].price_components[1]"),
    ([asks(E30, clock="00:00..23:59"), asks("ENERGY 0.3 vat 21", "ENERGY 0.4 vat 21")], {}, "error",
     "component_twice", "elements[1].price_components[1]"),
    ([asks(E30, clock="00:00..23:59"), "ENERGY 0.3"], {}, "warning", "mixed_vat",
     "elements[1].price_components[0].vat"),
    ([asks("TIME 1 vat 21", "ENERGY 0.4 vat 21", reserved="RESERVATION"), E30], {},
     "warning", "not_for_reservations", "elements[0].price_components[1]"),
    ([asks("FLAT 1 vat 21", **DAY), asks("FLAT 2 vat 21", **NIGHT), E30], {},
     "warning", "several_fees", "elements[1]"),
    ([E30, "TIME 1"], {}, "warning", "mixed_vat", "elements[1].price_components[0].vat"),
    (["ENERGY 0.3"], {}, "warning", "no_vat", "elements[0].price_components[0].vat"),
    ([E30], {"min_price": "5", "max_price": "4"}, "error", "min_above_max", "min_price"),
    ([E30], {"min_price": "5 / 6", "max_price": "5 / 5.5"}, "error", "min_above_max", "min_price"),
    ([E30], {"max_price": "5 / 4"}, "error", "limit_without_vat_above", "max_price.incl_vat"),
    ([E30, "FLAT 0.125 vat 21"], {}, "warning", "too_many_decimals", "elements[1].price_components[0].price"),
    ([E30], {"min_price": "3.999"}, "warning", "too_many_decimals", "min_price.excl_vat"),
    (["TIME 3 vat 21 step 900", "PARKING_TIME 6 vat 21"], {}, "info", "step_without_effect",
     "elements[0].price_components[0].step_size"),
]  # fmt: skip


@pytest.mark.parametrize(("elements", "limits", "level", "kind", "where"), BAD)
def test_a_defect_is_found_and_shown_in_money(
    tariff_of: Make, elements: list[Any], limits: dict[str, str], level: str, kind: str, where: str
) -> None:
    findings = found(tariff_of(*elements, **limits))
    mine = [each for each in findings if each.kind == kind]
    assert [(each.level, each.where) for each in mine] == [(Level(level), where)], findings
    assert not [each for each in findings if each.level is Level.ERROR and each.kind != kind]
    example = mine[0].example
    assert example is not None
    assert example.cost != example.otherwise, example
    assert example.end > example.start


def test_worst_first(tariff_of: Make) -> None:
    levels = [each.level for each in found(tariff_of("TIME 1 step 900", "PARKING_TIME 2", "TIME 3 vat 7"))]
    assert levels == [Level.ERROR, Level.WARNING, Level.INFO]


def test_a_price_per_hour_is_told_of_the_hour_that_comes_twice(tariff_of: Make) -> None:
    hourly = [
        asks(f"ENERGY 0.{10 + hour} vat 21", clock=f"{hour:02}:00..{(hour + 1) % 24:02}:00")
        for hour in range(24)
    ]
    (finding,) = found(tariff_of(*hourly))
    assert (finding.kind, finding.where) == ("repeated_hour", "elements[1].restrictions.start_time")
    assert finding.example is not None
    assert finding.example.cost != finding.example.otherwise


def test_a_tariff_of_96_quarters_is_checked_in_time(tariff_of: Make) -> None:
    quarters = [
        asks(
            f"ENERGY 0.{100 + number} vat 21",
            clock=f"{number // 4:02}:{number % 4 * 15:02}..{(number + 1) // 4 % 24:02}:{(number + 1) % 4 * 15:02}",
            dates="2026-11-20..2026-11-21",
        )
        for number in range(96)
    ]
    began = time.perf_counter()
    kinds = [each.kind for each in found(tariff_of(*quarters, E30))]
    assert kinds == ["repeated_hour"]
    assert time.perf_counter() - began < 5


def test_what_is_too_tangled_is_said_to_be(tariff_of: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space, "MOST_BOXES", 1)
    tariff = tariff_of(asks(E30, kwh="5..10", clock="10:00..12:00"), E50)
    (finding,) = found(tariff)
    assert (finding.level, finding.kind, finding.example) == (Level.INFO, "too_many_cases", None)


minutes = st.integers(0, 23).map(lambda hour: f"{hour:02}:00")
limits = {
    "clock": st.tuples(minutes, minutes).filter(lambda pair: pair[0] != pair[1]).map("..".join),
    "days": st.sets(st.sampled_from(["MONDAY", "TUESDAY", "SUNDAY"]), min_size=1).map(" ".join),
    "kwh": st.tuples(st.integers(0, 3), st.integers(1, 4)).map(lambda pair: f"{pair[0]}..{pair[1]}"),
    "seconds": st.integers(0, 3).map(lambda n: f"{n * 600}.."),
}


@st.composite
def one_element(draw: st.DrawFn) -> dict[str, Any]:
    names = draw(st.sets(st.sampled_from(sorted(limits)), max_size=3))
    chosen = {name: draw(limits[name]) for name in sorted(names)}
    return asks(draw(st.sampled_from([E30, "TIME 1 vat 21"])), **chosen)


@settings(deadline=None, max_examples=100)
@given(elements=st.lists(one_element(), min_size=1, max_size=5))
def test_never_reached_is_exactly_what_no_moment_reaches(tariff_of: Make, elements: list[Any]) -> None:
    """Against asking at every hour of a week, at every kWh and every ten minutes of a session."""
    tariff = tariff_of(*elements)
    said = {each.where for each in found(tariff) if each.kind in ("unreachable", "impossible")}
    reached = {number for number in range(len(elements)) if _reached(elements, number)}
    assert said == {f"elements[{number}]" for number in range(len(elements)) if number not in reached}


def _reached(elements: list[Any], number: int) -> bool:
    kind = elements[number]["asks"][0].split()[0]
    rivals = [each for each in elements[:number] if each["asks"][0].split()[0] == kind]
    return any(
        _holds(elements[number], *moment) and not any(_holds(rival, *moment) for rival in rivals)
        for moment in (
            (day, hour, kwh, elapsed)
            for day in ("MONDAY", "TUESDAY", "SATURDAY", "SUNDAY")
            for hour in range(24)
            for kwh in range(5)
            for elapsed in range(0, 2400, 600)
        )
    )


def _holds(element: Any, day: str, hour: int, kwh: int, elapsed: int) -> bool:
    given_limits = element.get("when", {})
    low, high = (given_limits.get("clock") or "00:00..24:00").split("..")
    start, end = int(low[:2]), int(high[:2]) or 24
    within = start <= hour < end if start < end else hour >= start or hour < end
    least, most = (given_limits.get("kwh") or "0..99").split("..")
    return (
        within
        and day in given_limits.get("days", day).split()
        and int(least) <= kwh < int(most)
        and elapsed >= int(given_limits.get("seconds", "0..")[:-2])
    )


def test_examples_have_the_session_in_words(tariff_of: Make) -> None:
    (finding,) = found(tariff_of(asks(E30, clock="22:00..06:00", days="FRIDAY"), E50))
    example = finding.example
    assert example is not None
    assert example.what == "SATURDAY 00:00, 60 min CHARGING, 10 kWh"
    assert (example.cost.excl_vat, example.otherwise.excl_vat) == (Decimal(5), Decimal(3))
    assert example.meaning == "if the window went on into the next morning"
