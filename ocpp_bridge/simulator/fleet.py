"""Many stations at once, each with traffic of its own, from one description."""

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any

from msgspec.structs import replace

from app.kit.tasks import spawn
from ocpp_bridge.simulator import demand
from ocpp_bridge.simulator.connector import Connector
from ocpp_bridge.simulator.offline import Pace
from ocpp_bridge.simulator.scenario import Fault, StationPlan, Traffic, Visit
from ocpp_bridge.simulator.station16 import Station16

_FAULTS = (
    Fault(error_code="GroundFailure"),
    Fault(error_code="ConnectorLockFailure", info="cable not locked"),
    Fault(error_code="OtherError", vendor_error_code="PowerLimitExceeded"),
)
_LEAST_BUSY = 0.1


class Fleet:
    """Stations and the cars that visit them; without traffic they wait for what they are told.

    The same seed makes the same choices. `pace`: messages of their history that all stations together send in a
    second. `zone`: where the hours of the day are counted.
    """

    def __init__(
        self,
        plans: Sequence[tuple[StationPlan, Traffic | None]],
        url: str,
        *,
        seed: int = 1,
        reconnect: float = 1.0,
        patience: float = 60.0,
        pace: float | None = None,
        zone: tzinfo | None = None,
    ) -> None:
        self._chance = random.Random(seed)  # noqa: S311  # no secret hangs on it
        shared = None if pace is None else Pace(pace)
        self._traffic = [
            (
                Station16(
                    plan, url, reconnect=reconnect, patience=patience, pace=shared if plan.paced else None
                ),
                traffic,
            )
            for plan, traffic in plans
        ]
        self._zone = zone
        self._first: dict[tuple[str, int], tuple[Visit, datetime]] = {}
        self._cars: list[asyncio.Task[None]] = []
        self._lives: list[asyncio.Task[None]] = []

    @property
    def stations(self) -> list[Station16]:
        """The stations, in the order of their plans."""
        return [station for station, _ in self._traffic]

    def carry_on(self, station_id: str, connector: int, visit: Visit, began: datetime) -> None:
        """A car that is there already when the fleet starts."""
        self._first[station_id, connector] = (visit, began)

    def start(self) -> None:
        """Connect the stations and let cars come."""
        for station, traffic in self._traffic:
            name = station.plan.id
            self._lives.append(spawn(station.run(), f"station {name}"))
            if traffic is None:
                continue
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
        first = self._first.pop((station.plan.id, connector.number), None)
        if first is not None:
            await connector.carry_on(*first)
        await station.accepted.wait()
        while True:
            await asyncio.sleep(
                self._between(traffic.free_seconds) / self._busyness(station, connector, traffic)
            )
            if connector.busy or connector.reserved is not None:
                continue
            if self._chance.random() < traffic.fault_chance:
                await connector.fail(self._chance.choice(_FAULTS))
            else:
                await connector.visit(self._visit(connector, traffic))

    async def _network(self, station: Station16, traffic: Traffic) -> None:
        while traffic.offline_chance > 0:
            await asyncio.sleep(60)
            if self._chance.random() < traffic.offline_chance:
                await station.leave(self._between(traffic.offline_seconds))

    def _visit(self, connector: Connector, traffic: Traffic) -> Visit:
        visit = demand.car(self._chance, connector.meter.profile, traffic.id_tags)
        if traffic.charge_seconds is not None:
            visit = replace(visit, longest_seconds=self._between(traffic.charge_seconds))
        if traffic.stay_seconds is not None:
            visit = replace(visit, stays_seconds=self._between(traffic.stay_seconds))
        return visit

    def _busyness(self, station: Station16, connector: Connector, traffic: Traffic) -> float:
        if not traffic.by_the_hour:
            return 1.0
        local = station.now().astimezone(self._zone)
        return max(demand.busyness(connector.meter.profile, local), _LEAST_BUSY)

    def _between(self, bounds: tuple[float, float]) -> float:
        return self._chance.uniform(*bounds)


async def _end(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
