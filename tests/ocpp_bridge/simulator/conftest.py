"""A simulated station connected to a bridge with doubles of the core behind it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from ocpp_bridge.simulator.scenario import CCS_150, TYPE2_22, StationPlan
from ocpp_bridge.simulator.station16 import Station16

FAST = {"MeterValueSampleInterval": "0", "TransactionMessageRetryInterval": "0", "HeartbeatInterval": "300"}

Switch = Callable[..., AbstractAsyncContextManager[Station16]]


@pytest.fixture
def make_station(bridge: Any) -> Callable[..., Station16]:
    """Makes a station with an AC and a DC connector that is not switched on yet."""

    def make(**plan: Any) -> Station16:
        settings = FAST | plan.pop("settings", {})
        defaults: dict[str, Any] = {"id": "SIM1", "connectors": (TYPE2_22, CCS_150), "settings": settings}
        return Station16(StationPlan(**defaults | plan), bridge.url, reconnect=0.05)

    return make


@pytest.fixture
def switched_on() -> Switch:
    """Runs a station within a `with` block, from its first boot on; `accepted` False: it may not be let in."""

    @asynccontextmanager
    async def run(station: Station16, *, accepted: bool = True) -> AsyncIterator[Station16]:
        running = asyncio.create_task(station.run())
        try:
            if accepted:
                await asyncio.wait_for(station.accepted.wait(), 30)
            yield station
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    return run


@pytest.fixture
def settled() -> Callable[..., Any]:
    """Waits until something is true."""

    async def wait(condition: Callable[[], object]) -> None:
        async with asyncio.timeout(30):
            while not condition():
                await asyncio.sleep(0.01)

    return wait


@pytest.fixture
def of_kind(bridge: Any) -> Callable[[type], list[Any]]:
    """The reports of a kind that the core was given."""
    return lambda kind: [report for report in bridge.intake.reports if isinstance(report, kind)]
