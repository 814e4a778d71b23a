"""The feed: one question for all who look, told only what is new, silent when nobody looks."""

import asyncio
from typing import Any

import pytest

from app.admin.console import feed as feeding
from app.admin.console.asking import Answered, Refusal
from app.admin.console.feed import Feed


class Source:
    """An API whose answer can be changed; counts how often it is asked."""

    def __init__(self) -> None:
        self.body = b"1"
        self.asked = 0
        self.refusal: Refusal | None = None

    async def send(self, method: str, path: str, query: Any = None, body: Any = None) -> Answered:
        self.asked += 1
        await asyncio.sleep(0)
        if self.refusal is not None:
            raise self.refusal
        return Answered(self.body, None)


@pytest.fixture
def source():
    return Source()


@pytest.fixture
def feed(source):
    return Feed(source)


def viewer() -> tuple[list[Any], list[Any], Any, Any]:
    seen: list[Any] = []
    failed: list[Any] = []
    return seen, failed, lambda document, _total: seen.append(document), failed.append


async def test_twenty_viewers_are_one_question_at_a_time(feed, source):
    viewers = [viewer() for _ in range(20)]
    leaves = [await feed.follow("/now", {}, take, fail, every=0.01) for _, _, take, fail in viewers]
    before = source.asked
    source.body = b"2"
    await until(lambda: [seen for seen, *_ in viewers] == [[1, 2]] * 20)
    assert source.asked - before < 15
    for leave in leaves:
        leave()


async def test_who_comes_later_sees_what_is_so_now_and_so_do_the_others(feed, source):
    seen, _, take, fail = viewer()
    leave = await feed.follow("/now", {}, take, fail, every=60)
    source.body = b"2"
    later, _, take_too, fail_too = viewer()
    leave_too = await feed.follow("/now", {}, take_too, fail_too, every=60)
    assert (seen, later) == ([1, 2], [2])
    leave()
    leave_too()


async def test_the_same_again_is_not_told_again(feed, source):
    seen, _, take, fail = viewer()
    leave = await feed.follow("/now", {}, take, fail, every=0.01)
    await until(lambda: source.asked > 2)
    assert seen == [1]
    leave()


async def test_it_stops_asking_when_the_last_one_left(feed, source):
    _, _, take, fail = viewer()
    leave = await feed.follow("/now", {"a": 1}, take, fail, every=0.01)
    leave()
    await until(lambda: feed.topics == 0)
    asked = source.asked
    await asyncio.sleep(0.05)
    assert source.asked == asked


async def test_a_failure_is_told_and_taken_back(feed, source):
    seen, failed, take, fail = viewer()
    leave = await feed.follow("/now", {}, take, fail, every=0.01)
    source.refusal = Refusal(503, "Service Unavailable", "the database is away")
    await until(lambda: failed)
    source.refusal, source.body = None, b"3"
    await until(lambda: seen == [1, 3])
    assert failed[0].status == 503
    assert failed[-1] is None
    assert seen == [1, 3]
    leave()


async def test_what_cannot_be_read_at_all_is_refused_and_not_followed(feed, source):
    source.refusal = Refusal(404, "Not Found", "nothing")
    _, _, take, fail = viewer()
    with pytest.raises(Refusal):
        await feed.follow("/nothing", {}, take, fail, every=0.01)
    assert feed.topics == 0


async def test_one_page_that_fails_does_not_silence_the_others(feed, source):
    seen, _, take, fail = viewer()

    def broken(document: Any, _total: Any) -> None:
        if document != 1:
            raise ValueError("this page is broken")

    leaves = [
        await feed.follow("/now", {}, broken, fail, every=0.01),
        await feed.follow("/now", {}, take, fail, every=0.01),
    ]
    source.body = b"2"
    await until(lambda: seen == [1, 2])
    for leave in leaves:
        leave()


async def test_nothing_is_asked_for_pages_that_nobody_can_see(feed, source):
    seen, _, take, fail = viewer()
    visible = [False]
    leave = await feed.follow("/now", {}, take, fail, every=0.01, looking=lambda: visible[0])
    source.body = b"2"
    await asyncio.sleep(0.05)
    assert (source.asked, seen) == (1, [1])
    visible[0] = True
    await until(lambda: seen == [1, 2])
    leave()


async def test_what_stays_the_same_is_asked_for_less_often_until_it_changes(feed, source, monkeypatch):
    monkeypatch.setattr(feeding, "QUIET", 3)
    monkeypatch.setattr(feeding, "SLOWER", 20)
    seen, _, take, fail = viewer()
    leave = await feed.follow("/now", {}, take, fail, every=0.01)
    await until(lambda: source.asked == 4)
    (topic,) = feed._topics.values()
    await until(lambda: topic.pause == 0.2)
    source.body = b"2"
    await until(lambda: seen == [1, 2])
    assert topic.pause == 0.01
    monkeypatch.setattr(feeding, "LONGEST_PAUSE", 0.05)
    await until(lambda: topic.pause == 0.05)
    leave()


async def until(true, seconds=10.0):
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.001)
