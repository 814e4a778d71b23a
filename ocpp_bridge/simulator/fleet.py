"""Many stations at once, each with traffic of its own, from one description."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

from app.kit.tasks import spawn
from ocpp_bridge.simulator.connector import Connector
from ocpp_bridge.simulator.scenario import Fault, StationPlan, Traffic, Visit
from ocpp_bridge.simulator.station16 import Station16

_FAULTS = (
    Fault(error_code="GroundFailure"),
    Fault(error_code="ConnectorLockFailure", info="cable not locked"),
    Fault(error_code="OtherError", vendor_error_code="PowerLimitExceeded"),
)


class Fleet:
    """Stations and the cars that visit them. The same seed makes the same choices."""

    def __init__(
        self, plans: Sequence[tuple[StationPlan, Traffic]], url: str, *, seed: int = 1, reconnect: float = 1.0
    ) -> None:
        self._chance = random.Random(seed)  # noqa: S311  # no secret hangs on it
        self._traffic = [(Station16(plan, url, reconnect=reconnect), traffic) for plan, traffic in plans]
        self._cars: list[asyncio.Task[None]] = []
        self._lives: list[asyncio.Task[None]] = []

    @property
    def stations(self) -> list[Station16]:
        """The stations, in the order of their plans."""
        return [station for station, _ in self._traffic]

    def start(self) -> None:
        """Connect the stations and let cars come."""
        for station, traffic in self._traffic:
            name = station.plan.id
            self._lives.append(spawn(station.run(), f"station {name}"))
            self._lives.append(spawn(self._network(station, traffic), f"network of {name}"))
            self._cars += [
                spawn(self._come_and_go(station, connector, traffic), f"cars at {name}/{connector.number}")
                for connector in station.connectors
            ]

    async def stop(self, seconds: float = 2.0) -> None:
        """Send the cars away, wait at most so long until that is acknowledged, and switch the stations off."""
        await _end(self._cars)
        waiting = [spawn(station.queue.empty.wait(), "last messages") for station in self.stations]
        if waiting:
            await asyncio.wait(waiting, timeout=seconds)
        await _end([*waiting, *self._lives])
        self._cars, self._lives = [], []

    async def _come_and_go(self, station: Station16, connector: Connector, traffic: Traffic) -> None:
        await station.accepted.wait()
        while True:
            await asyncio.sleep(self._between(traffic.free_seconds))
            if connector.busy:
                continue
            if self._chance.random() < traffic.fault_chance:
                await connector.fail(self._chance.choice(_FAULTS))
            else:
                await connector.visit(self._visit(traffic))

    async def _network(self, station: Station16, traffic: Traffic) -> None:
        while traffic.offline_chance > 0:
            await asyncio.sleep(60)
            if self._chance.random() < traffic.offline_chance:
                await station.leave(self._between(traffic.offline_seconds))

    def _visit(self, traffic: Traffic) -> Visit:
        return Visit(
            id_tag=self._chance.choice(traffic.id_tags),
            arrives_at=self._chance.uniform(10, 60),
            leaves_at=self._chance.uniform(80, 100),
            longest_seconds=self._between(traffic.charge_seconds),
            stays_seconds=self._between(traffic.stay_seconds),
        )

    def _between(self, bounds: tuple[float, float]) -> float:
        return self._chance.uniform(*bounds)


async def _end(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
