"""Many stations at once, each with traffic of its own, from one description."""

import asyncio
import random
from collections.abc import Sequence

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
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def stations(self) -> list[Station16]:
        """The stations, in the order of their plans."""
        return [station for station, _ in self._traffic]

    def start(self) -> None:
        """Connect the stations and let cars come."""
        for station, traffic in self._traffic:
            self._tasks.append(spawn(station.run(), f"station {station.plan.id}"))
            self._tasks.append(spawn(self._network(station, traffic), f"network of {station.plan.id}"))
            self._tasks += [
                spawn(
                    self._cars(station, connector, traffic), f"cars at {station.plan.id}/{connector.number}"
                )
                for connector in station.connectors
            ]

    async def stop(self) -> None:
        """Take the cars away and switch the stations off."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def _cars(self, station: Station16, connector: Connector, traffic: Traffic) -> None:
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
