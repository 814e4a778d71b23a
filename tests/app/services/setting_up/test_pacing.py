"""Work that may wait: once per station, after a while, few at once."""

import asyncio
from typing import Any

import pytest

from app.kit import tasks
from app.services.setting_up.pacing import TICK_SECONDS, Paced


class Work:
    """Does nothing until it is let go."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.may_end = asyncio.Event()
        self.failing = False

    async def __call__(self, station_id: str) -> None:
        self.begun.append(station_id)
        await self.may_end.wait()
        if self.failing:
            raise RuntimeError(station_id)


@pytest.fixture
async def work() -> Work:
    return Work()


def paced(clock: Any, work: Work, *, per_second: float = 4, at_once: int = 3) -> Paced:
    return Paced("work", clock, work, delay=2.0, per_second=per_second, at_once=at_once)


async def turn(queue: Paced) -> None:
    await queue.go_on()
    await asyncio.sleep(0)


async def test_it_waits_and_is_done_once(clock: Any, work: Work) -> None:
    queue = paced(clock, work)
    queue.ask("A")
    queue.ask("A")
    clock.advance(1.9)
    await turn(queue)
    assert (work.begun, len(queue)) == ([], 1)
    queue.ask("A")
    clock.advance(0.1)
    await turn(queue)
    assert (work.begun, queue.busy("A")) == (["A"], True)
    # Asked for while it is under way: once more afterwards, not beside it.
    queue.ask("A", delay=0)
    await turn(queue)
    assert work.begun == ["A"]
    work.may_end.set()
    await tasks.drain(1)
    await turn(queue)
    await tasks.drain(1)
    assert work.begun == ["A", "A"]
    assert len(queue) == 0


async def test_many_are_seen_to_at_a_pace(clock: Any, work: Work) -> None:
    queue = paced(clock, work)
    for number in range(2000):
        queue.ask(f"S{number}")
    clock.advance(2)
    await turn(queue)
    assert len(work.begun) == 4 * TICK_SECONDS
    for _ in range(5):
        await turn(queue)
    assert len(work.begun) == 3
    work.may_end.set()
    await tasks.drain(1)
    await turn(queue)
    assert work.begun == ["S0", "S1", "S2", "S3", "S4"]
    await tasks.drain(1)


async def test_a_failure_stops_nobody_else(clock: Any, work: Work) -> None:
    queue = paced(clock, work)
    work.failing = True
    work.may_end.set()
    queue.ask("A", delay=0)
    queue.ask("B", delay=0)
    await turn(queue)
    await tasks.drain(1)
    assert (work.begun, len(queue)) == (["A", "B"], 0)
