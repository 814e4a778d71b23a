"""Background tasks are held, their failures heard, and all of them can be ended."""

import asyncio
import gc
import io
import json

import pytest

from app.kit import logs
from app.kit.tasks import cancel_all, drain, running, spawn


@pytest.fixture
def log_lines():
    stream = io.BytesIO()
    logs.setup("debug", "json", stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


async def test_a_task_nobody_else_holds_survives_garbage_collection():
    done = asyncio.Event()

    async def waits_on_nothing_held():
        await asyncio.sleep(0.02)
        done.set()

    spawn(waits_on_nothing_held(), "forgotten")
    gc.collect()
    await asyncio.wait_for(done.wait(), 30)


async def test_the_failure_of_a_task_is_logged_with_its_name(log_lines):
    async def fails():
        raise RuntimeError("the cable is cut")

    task = spawn(fails(), "doomed")
    await asyncio.wait({task})
    await asyncio.sleep(0)
    (line,) = [line for line in log_lines() if line.get("task") == "doomed"]
    assert line["level"] == "error"
    assert "the cable is cut" in line["exception"]


async def test_a_cancelled_task_is_not_logged_as_a_failure(log_lines):
    spawn(asyncio.sleep(60), "sleeper")
    await asyncio.sleep(0)
    assert await cancel_all() is True
    assert log_lines() == []
    assert running() == frozenset()


async def test_drain_waits_for_tasks_that_start_others_and_tells_when_time_is_up():
    async def parent():
        await asyncio.sleep(0.01)
        spawn(asyncio.sleep(0.02), "child")

    spawn(parent(), "parent")
    assert await drain(2) is True
    endless = spawn(asyncio.sleep(60), "endless")
    assert await drain(0.02) is False
    assert not endless.done()
    assert await cancel_all() is True


async def test_cancel_all_from_inside_a_task_spares_that_task():
    async def cleaner():
        spawn(asyncio.sleep(60), "other")
        return await cancel_all()

    assert await spawn(cleaner(), "cleaner") is True
