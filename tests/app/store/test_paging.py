"""Changed-since pages: whole, in order, stable while objects change, and true about their number."""

from datetime import timedelta
from typing import Any

from app.domain.parties import Party
from app.store import sessions, tariffs
from app.store.database.engine import Store
from app.store.paging import Page, Position, Window


async def _fill(store: Store, clock: Any, make: Any, ids: list[str]) -> None:
    for id_ in ids:
        clock.advance(1)
        async with store.unit_of_work(clock) as unit:
            await tariffs.save(unit.session, make.tariff(id_), unit.now())


async def _page(store: Store, window: Window) -> Page:
    async with store.reading() as session:
        return await tariffs.page(session, window)


def _ids(page: Page) -> list[str]:
    return [id_ for id_, _ in page.items]


async def test_pages_follow_creation_and_know_their_end(store: Store, clock: Any, make: Any) -> None:
    await _fill(store, clock, make, ["T3", "T1", "T2", "T5", "T4"])
    first = await _page(store, Window(limit=2))
    assert (_ids(first), first.total) == (["T3", "T1"], 5)
    assert first.next is not None
    second = await _page(store, Window(limit=2, after=first.next))
    assert _ids(second) == ["T2", "T5"]
    last = await _page(store, Window(limit=2, after=second.next))
    assert (_ids(last), last.next, last.total) == (["T4"], None, 5)
    assert _ids(await _page(store, Window(limit=2, offset=3))) == ["T5", "T4"]
    exactly = await _page(store, Window(limit=5))
    assert exactly.next is None
    beyond = await _page(store, Window(limit=5, offset=9))
    assert (beyond.items, beyond.total, beyond.next) == ((), 5, None)


async def test_equal_creation_times_are_ordered_by_id(store: Store, clock: Any, make: Any) -> None:
    async with store.unit_of_work(clock) as unit:
        for id_ in ("b", "a", "c"):
            await tariffs.save(unit.session, make.tariff(id_), unit.now())
    first = await _page(store, Window(limit=1))
    assert _ids(first) == ["a"]
    assert first.next is not None
    assert _ids(await _page(store, Window(limit=5, after=first.next))) == ["b", "c"]


async def test_a_change_between_two_pages_moves_nothing(store: Store, clock: Any, make: Any) -> None:
    await _fill(store, clock, make, ["T1", "T2", "T3", "T4"])
    until = clock.now() + timedelta(seconds=1)
    first = await _page(store, Window(limit=2, date_to=until))
    await _fill(store, clock, make, ["T1", "T3", "T9"])
    rest = await _page(store, Window(limit=9, after=first.next, date_to=until))
    assert _ids(first) == ["T1", "T2"]
    assert _ids(rest) == ["T4"], "T3 has moved out of this window, and into the next one"
    later = await _page(store, Window(limit=9, date_from=until))
    assert _ids(later) == ["T1", "T3", "T9"]


async def test_the_window_is_closed_below_and_open_above(store: Store, clock: Any, make: Any) -> None:
    await _fill(store, clock, make, ["T1", "T2", "T3"])
    async with store.reading() as session:
        stored = await tariffs.get(session, "t2")
    assert stored is not None
    at = stored.last_updated
    assert _ids(await _page(store, Window(limit=9, date_from=at))) == ["T2", "T3"]
    assert _ids(await _page(store, Window(limit=9, date_to=at))) == ["T1"]
    found = await _page(store, Window(limit=9, date_from=at, date_to=at + timedelta(microseconds=1)))
    assert (_ids(found), found.total) == (["T2"], 1)


async def test_an_unknown_position_is_only_a_place_in_the_order(store: Store, clock: Any, make: Any) -> None:
    await _fill(store, clock, make, ["T1"])
    assert _ids(await _page(store, Window(limit=9, after=Position(0, "zzz")))) == ["T1"]
    assert _ids(await _page(store, Window(limit=9, after=Position(2**62, "")))) == []


async def test_an_emsp_sees_its_own_published_sessions_only(store: Store, clock: Any, make: Any) -> None:
    async with store.unit_of_work(clock) as unit:
        for id_, party, place in (("S1", "ABC", "LOC1"), ("S2", "XYZ", "LOC1"), ("S3", "abc", None)):
            charging = make.session(id_, party, location_id=place)
            await sessions.save(unit.session, charging, make.snapshot(), None, unit.now())
    async with store.reading() as session:
        mine = await sessions.page(session, Window(limit=9), [Party("de", "abc")])
        assert _ids(mine) == ["S1"]
        assert mine.total == 1
        assert (await sessions.page(session, Window(limit=9))).total == 3
