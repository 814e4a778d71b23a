"""Periodic work comes again and again, survives its own failures, and stops when told."""

import asyncio
import io
import json

import pytest

from app.kit import logs
from app.kit.periodic import Periodic


async def test_it_runs_again_and_again_and_never_after_stop():
    runs = []

    async def work():
        runs.append(asyncio.get_running_loop().time())

    periodic = Periodic("beat", 0.01, work)
    periodic.start()
    periodic.start()
    while len(runs) < 3:
        await asyncio.sleep(0.005)
    await periodic.stop()
    seen = len(runs)
    await asyncio.sleep(0.05)
    assert len(runs) == seen


async def test_a_failing_run_is_logged_and_the_next_one_comes():
    stream = io.BytesIO()
    logs.setup("info", "json", stream)
    runs = []

    async def work():
        runs.append(1)
        if len(runs) == 1:
            raise ValueError("first time unlucky")

    periodic = Periodic("stubborn", 0.005, work, at_once=True)
    periodic.start()
    while len(runs) < 2:
        await asyncio.sleep(0.005)
    await periodic.stop()
    (line,) = [json.loads(text) for text in stream.getvalue().splitlines()]
    assert line["periodic"] == "stubborn"
    assert "first time unlucky" in line["exception"]


async def test_two_runs_never_overlap():
    under_way = most = 0

    async def slow():
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.02)
        under_way -= 1

    periodic = Periodic("slow", 0.001, slow, at_once=True)
    periodic.start()
    await asyncio.sleep(0.1)
    await periodic.stop()
    assert most == 1


async def test_stop_lets_a_run_finish_but_not_for_ever():
    finished = []

    async def short():
        await asyncio.sleep(0.03)
        finished.append("short")

    patient = Periodic("short", 60, short, at_once=True)
    patient.start()
    await asyncio.sleep(0.005)
    await patient.stop()
    assert finished == ["short"]

    async def endless():
        await asyncio.sleep(600)

    stuck = Periodic("endless", 60, endless, at_once=True)
    stuck.start()
    await asyncio.sleep(0.005)
    await asyncio.wait_for(stuck.stop(seconds=0.02), 1)


async def test_the_first_run_waits_for_the_first_pause_unless_at_once():
    runs = []

    async def work():
        runs.append(1)

    later = Periodic("later", 60, work)
    later.start()
    await asyncio.sleep(0.02)
    await asyncio.wait_for(later.stop(), 1)
    assert runs == []


async def test_a_period_of_nothing_is_refused():
    with pytest.raises(ValueError, match="hot"):
        Periodic("hot", 0, asyncio.sleep)
