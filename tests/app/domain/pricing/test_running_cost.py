"""What a driver is told while charging: never anything else than the record would say at that moment."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.pricing import (
    Activity,
    Cost,
    Curve,
    PeriodVolumes,
    RunningCost,
    Usage,
    price,
    split,
    volumes_of,
)
from app.domain.pricing import running as room
from app.domain.tariffs import Tariff

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
Make = Callable[..., Tariff]

minutes = st.integers(0, 95).map(lambda quarter: f"{quarter // 4:02}:{quarter % 4 * 15:02}")
asks = st.sampled_from(
    [
        "ENERGY 0.30 vat 21 step 100",
        "ENERGY 0.55",
        "TIME 2 vat 7.7 step 300",
        "PARKING_TIME 6 step 900",
        "FLAT 0.5",
    ]
)
restrictions = {
    "clock": st.tuples(minutes, minutes).map("..".join),
    "days": st.sampled_from(["MONDAY", "TUESDAY SATURDAY"]),
    "seconds": st.integers(1, 20).map(lambda n: f"..{n * 600}"),
    "kwh": st.tuples(st.integers(0, 5), st.integers(5, 30)).map(lambda pair: f"{pair[0]}..{pair[1]}"),
    "kw": st.integers(1, 11).map(lambda n: f"{n}.."),
    "amperes": st.integers(6, 16).map(lambda n: f"..{n}"),
}


@st.composite
def one_element(draw: st.DrawFn) -> dict[str, Any]:
    names = draw(st.sets(st.sampled_from(sorted(restrictions)), max_size=2))
    when = {name: draw(restrictions[name]) for name in sorted(names)}
    asked = draw(st.lists(asks, min_size=1, max_size=3))
    return {"asks": asked, "when": when} if when else {"asks": asked}


tariffs = st.lists(one_element(), min_size=1, max_size=4)
limits = st.fixed_dictionaries({}, optional={"min_price": st.just("2"), "max_price": st.just("9 / 10")})
seconds = st.integers(1, 4000)


def series(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[tuple[datetime, Any]]]:
    """What a session tells of one thing, in the order of time."""
    return st.dictionaries(st.integers(1, 20_000), values, max_size=6).map(
        lambda told: [(NOON + timedelta(seconds=at), told[at]) for at in sorted(told)]
    )


@st.composite
def energies(draw: st.DrawFn) -> list[tuple[datetime, Decimal]]:
    at, total = NOON, Decimal(0)
    told = [(at, total)]
    for gap in draw(st.lists(seconds, min_size=1, max_size=7)):
        at, total = at + timedelta(seconds=gap), total + draw(st.integers(0, 6000))
        told.append((at, total))
    return told


def finished(curve: Curve, until: datetime, *, by_power: bool) -> Usage:
    """The session as if it ended at this moment."""
    energy = [reading for reading in curve.energy if reading[0] < until] or [(NOON, Decimal(0))]
    activity = [each for each in curve.activity if each[0] < until]
    if not activity or activity[0][0] > NOON:
        activity.insert(0, (NOON, Activity.CHARGING))
    return Usage(
        start=NOON,
        end=until,
        energy=[*energy, (until, curve.energy[-1][1])],
        activity=activity,
        power=[each for each in curve.power if each[0] < until] if by_power else None,
        current=[each for each in curve.current if each[0] < until] if by_power else None,
    )


def record(usage: Usage, tariff: Tariff) -> tuple[Cost, tuple[PeriodVolumes, ...]]:
    periods = split(usage, tariff, BERLIN, QUARTER)
    return price(periods, [tariff], BERLIN), volumes_of(periods)


@settings(deadline=None, max_examples=300)
@given(
    elements=tariffs,
    bounds=limits,
    energy=energies(),
    activity=series(st.sampled_from([Activity.CHARGING, Activity.PARKING, Activity.IDLE])),
    power=series(st.integers(1, 22).map(Decimal)),
    current=series(st.integers(1, 32).map(Decimal)),
    pauses=st.sets(st.integers(1, 6)),
    late=st.booleans(),
)
def test_at_every_moment_it_says_what_the_record_would_say(
    tariff_of: Make,
    elements: list[Any],
    bounds: dict[str, str],
    energy: list[tuple[datetime, Decimal]],
    activity: list[tuple[datetime, Activity]],
    power: list[tuple[datetime, Decimal]],
    current: list[tuple[datetime, Decimal]],
    pauses: set[int],
    late: bool,
) -> None:
    """Asked after some of the readings, and in between them; statuses may be told one reading late.

    Where energy flows without any charging time, periods may be joined elsewhere than in the record.
    """
    tariff = tariff_of(*elements, **bounds)
    by_power = any({"kw", "amperes"} & set(each.get("when", {})) for each in elements)
    running = RunningCost(tariff, BERLIN, QUARTER)
    for count in range(2, len(energy) + 1):
        if count - 1 in pauses and count < len(energy):
            continue
        told_until = energy[count - 2 if late and count < len(energy) else count - 1][0]
        curve = Curve(
            energy=energy[:count],
            activity=[each for each in activity if each[0] <= told_until],
            power=[each for each in power if each[0] <= told_until],
            current=[each for each in current if each[0] <= told_until],
        )
        for until in (energy[count - 1][0], energy[count - 1][0] + timedelta(seconds=1000)):
            cost, periods = record(finished(curve, until, by_power=by_power), tariff)
            so_far = running.so_far(curve, until)
            assert so_far.cost == cost.total_cost
            if not any(
                period.energy_wh and period.activity is not Activity.CHARGING for period in cost.periods
            ):
                assert so_far.periods == periods


def curve_of(count: int, **told: Any) -> Curve:
    """A reading each minute, 100 Wh apart."""
    energy = [(NOON + timedelta(minutes=n), Decimal(100 * n)) for n in range(count)]
    known: dict[str, Any] = {"energy": energy, "activity": [], "power": [], "current": []}
    return Curve(**(known | told))


def test_a_reading_is_taken_in_once(tariff_of: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the session is already: the same few stretches for each new reading."""
    taken: list[int] = []
    cut = room.pieces_of

    def counted(*args: Any) -> Any:
        pieces = cut(*args)
        taken.append(len(pieces))
        return pieces

    monkeypatch.setattr(room, "pieces_of", counted)
    running = RunningCost(tariff_of({"asks": ["ENERGY 1"], "when": {"kwh": "..1000"}}), BERLIN)
    for count in range(2, 1500):
        running.so_far(curve_of(count), NOON + timedelta(minutes=count - 1))
    assert taken == [1] * 1498


def test_what_a_later_reading_moves_was_never_settled(tariff_of: Make) -> None:
    """A pause is told between two readings; only the second says how much was taken before the pause."""
    tariff = tariff_of("ENERGY 1", "PARKING_TIME 6")
    running = RunningCost(tariff, BERLIN)
    pause = NOON + timedelta(minutes=1, seconds=30)
    curve = curve_of(2, activity=[(pause, Activity.PARKING)])
    before = running.so_far(curve, pause)
    assert [dict(each.volumes)["ENERGY"] for each in before.periods] == [Decimal("0.1")]
    after = running.so_far(curve_of(3, activity=[(pause, Activity.PARKING)]), NOON + timedelta(minutes=2))
    assert dict(after.periods[0].volumes)["ENERGY"] == Decimal("0.2")
    assert dict(after.periods[1].volumes) == {"PARKING_TIME": Decimal("0.0083")}


def test_a_status_that_comes_late_moves_what_was_settled(tariff_of: Make) -> None:
    tariff = tariff_of("ENERGY 1", "PARKING_TIME 6")
    running = RunningCost(tariff, BERLIN)
    end = NOON + timedelta(minutes=9)
    assert running.so_far(curve_of(10), end).cost == price_of(tariff, curve_of(10), end)
    late = curve_of(10, activity=[(NOON + timedelta(minutes=3), Activity.PARKING)])
    assert running.so_far(late, end).cost == price_of(tariff, late, end)
    assert price_of(tariff, late, end) != price_of(tariff, curve_of(10), end)


def price_of(tariff: Tariff, curve: Curve, until: datetime) -> Any:
    return record(finished(curve, until, by_power=False), tariff)[0].total_cost


def test_without_a_tariff_there_are_periods_and_no_cost() -> None:
    so_far = RunningCost(None, BERLIN, QUARTER).so_far(curve_of(20), NOON + timedelta(minutes=19))
    assert so_far.cost is None
    assert [dict(each.volumes)["ENERGY"] for each in so_far.periods] == [Decimal("1.5"), Decimal("0.4")]


def test_after_an_absurd_reading_it_goes_on(tariff_of: Make) -> None:
    running = RunningCost(tariff_of("ENERGY 1"), BERLIN)
    odd = curve_of(2, energy=[(NOON, Decimal(0)), (NOON + timedelta(minutes=1), Decimal(10) ** 10)])
    with pytest.raises(ValueError, match="energy: absurdly large"):
        running.so_far(odd, NOON + timedelta(minutes=1))
    cost = running.so_far(curve_of(3), NOON + timedelta(minutes=2)).cost
    assert cost is not None
    assert cost.excl_vat == Decimal("0.2")
