"""How long EVSEs could serve: by station, location and day, with what is forgotten and what stays known."""

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.domain.charging.availability import Standing, Turn
from app.store import stations
from app.store.bulk.statements import run
from app.store.database.engine import Store
from app.store.views import availability

DAY = datetime(2026, 11, 16, tzinfo=UTC)
HOUR = timedelta(hours=1)
UP, DOWN, OFF = Standing.SERVING, Standing.FAULTED, Standing.OFFLINE

History = Callable[..., Coroutine[Any, Any, None]]


@pytest.fixture
def history(store: Store, clock: Any, make: Any) -> History:
    """Puts an EVSE with its turns: hours after DAY, and how it stood from then on."""

    async def put(station_id: str, evse: int, *turns: tuple[float, Standing], place: str = "LOC1") -> None:
        async with store.unit_of_work(clock) as unit:
            await stations.save(unit.session, make.station(station_id, location_id=place), unit.now())
            report = (station_id, evse, 1, "Available", "NoError", None, None, None, 0, 0)
            await run(unit.session, stations.UPSERT_CONNECTORS, [report])
            rows = [availability.row(station_id, Turn(evse, how), DAY + hours * HOUR) for hours, how in turns]
            await run(unit.session, availability.PUT_TURNS, rows)

    return put


async def test_shares_of_stations_and_of_places(store: Store, history: History) -> None:
    await history("A", 1, (-30, UP), (6, OFF), (9, UP))  # away for three hours
    await history("A", 2, (6, UP), (18, DOWN))  # new at six, broken since eighteen
    await history("B", 1, (-100, OFF), place="LOC2")  # the last one knows nothing better
    await history("C", 1, (30, UP))  # began after the period
    async with store.reading() as session:
        found = await availability.by_station(session, DAY, DAY + 24 * HOUR)
        places = await availability.by_location(session, DAY, DAY + 24 * HOUR)
    assert found == {"A": (42 * 3600, 33 * 3600), "B": (24 * 3600, 0)}
    assert places == {"LOC1": (42 * 3600, 33 * 3600), "LOC2": (24 * 3600, 0)}
    assert found["B"].ratio == 0
    assert availability.Share(0, 0).ratio is None


async def test_days_share_what_lies_across_them(store: Store, history: History) -> None:
    await history("A", 1, (-5, UP), (10, DOWN), (12, UP), (24, OFF), (60, UP))
    await history("A", 2, (20, DOWN), (44, UP))
    async with store.reading() as session:
        found = await availability.by_day(session, DAY, DAY + 84 * HOUR)
    hours = {day: (share.known / 3600, share.served / 3600) for day, share in found.items()}
    assert hours == {
        "2026-11-16": (24 + 4, 22),
        "2026-11-17": (24 + 24, 4),
        "2026-11-18": (24 + 24, 12 + 24),
        "2026-11-19": (12 + 12, 12 + 12),
    }


async def test_nothing_is_known_of_a_time_before_the_first_turn(store: Store, history: History) -> None:
    await history("A", 1, (30, UP))
    async with store.reading() as session:
        assert await availability.by_station(session, DAY, DAY + 24 * HOUR) == {}
        assert await availability.by_day(session, DAY, DAY + 24 * HOUR) == {}
        assert await availability.spans_of(session, "A", DAY, DAY + 24 * HOUR) == []


async def test_spans_of_one_station(store: Store, history: History) -> None:
    await history("A", 1, (-5, UP), (2, UP), (10, OFF))
    await history("B", 1, (3, DOWN))
    async with store.reading() as session:
        found = await availability.spans_of(session, "A", DAY, DAY + 24 * HOUR)
    assert found == [
        (1, UP, None, DAY, DAY + 10 * HOUR),
        (1, OFF, None, DAY + 10 * HOUR, DAY + 24 * HOUR),
    ]


async def test_what_is_forgotten_changes_no_later_figure(store: Store, clock: Any, history: History) -> None:
    await history("A", 1, (-50, UP), (-40, OFF), (-30, DOWN), (6, UP))
    await history("B", 1, (-50, UP))
    async with store.reading() as session:
        before = await availability.by_station(session, DAY, DAY + 24 * HOUR)
    async with store.unit_of_work(clock) as unit:
        assert await availability.forget_before(unit.session, DAY) == 2
    async with store.unit_of_work(clock) as unit:
        assert await availability.forget_before(unit.session, DAY) == 0
        assert await availability.by_station(unit.session, DAY, DAY + 24 * HOUR) == before


async def test_a_process_that_is_gone_leaves_its_stations_offline(
    store: Store, clock: Any, history: History
) -> None:
    await history("A", 1, (0, UP))
    await history("B", 1, (0, UP))
    async with store.unit_of_work(clock) as unit:
        epoch = await stations.take_lease(unit.session, "A")
        await stations.set_online(unit.session, "A", epoch, DAY, online=True)
        await availability.turn_lost(unit.session, DAY + 12 * HOUR)
        await stations.give_up_lost(unit.session, unit.now())
        found = await availability.by_station(unit.session, DAY, DAY + 24 * HOUR)
        assert {key: share.ratio for key, share in found.items()} == {"A": 0.5, "B": 1}
        await availability.turn_lost(unit.session, DAY)  # nobody is online any more
        assert await availability.by_station(unit.session, DAY, DAY + 24 * HOUR) == found
        await availability.forget_station(unit.session, "A")
        assert list(await availability.by_station(unit.session, DAY, DAY + 24 * HOUR)) == ["B"]
