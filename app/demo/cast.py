"""The simulated stations of the demo: who they are, what they bring back from two weeks offline, what they keep."""

import asyncio
import random
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from app.demo import world
from app.demo.memory import Chips, Memory
from ocpp_bridge.simulator import demand, flash
from ocpp_bridge.simulator.fleet import Fleet
from ocpp_bridge.simulator.history import History
from ocpp_bridge.simulator.scenario import TYPE2_22, PastVisit, StationPlan, Traffic
from ocpp_bridge.simulator.station16 import Station16

DAYS = 14
ZONE = ZoneInfo("Europe/Amsterdam")
_RECENT = timedelta(minutes=45)
"""Where the past ends: what came later belongs to the cars that are there."""

_PER_SECOND = 60.0
_KEEP_SECONDS = 0.5
_LEAST_MINUTES = 60
_BUSY = Traffic(
    id_tags=(*world.CARDS, world.BLOCKED_CARD),
    free_seconds=(60.0, 900.0),
    charge_seconds=None,
    stay_seconds=None,
    fault_chance=0.02,
    offline_chance=0.005,
    by_the_hour=True,
)


class Cast:
    """The fleet with its memories. `total`: messages of the past that this start began with."""

    def __init__(self, url: str, memory: Memory, chips: Chips, password: str, now: datetime) -> None:
        self._chips = chips
        self._kept = {post.id: chips.read(post.id) for site in world.SITES for post in site.stations}
        self._kept[world.NEWCOMER] = chips.read(world.NEWCOMER)
        self._chance = random.SystemRandom()
        self.fleet = Fleet(
            self._plans(password),
            url,
            seed=self._chance.randrange(2**31),
            patience=60.0,
            pace=_PER_SECOND,
            zone=ZONE,
        )
        self._histories: dict[str, History] = {}
        local = now.astimezone(ZONE)
        self._remember(memory, local)
        self.total = self.left
        for station in self.fleet.stations:
            self._wake(station, local)

    @property
    def left(self) -> int:
        """Messages of the past that have still to be told."""
        return sum(station.queue.past for station in self.fleet.stations)

    def station(self, station_id: str) -> Station16:
        """One of the stations."""
        return next(station for station in self.fleet.stations if station.plan.id == station_id)

    async def keep_up(self) -> None:
        """While the past is told: note how far, so that an interrupted start goes on there."""
        while self._histories:
            await asyncio.sleep(_KEEP_SECONDS)
            for station in self.fleet.stations:
                if station.plan.id in self._histories:
                    self._keep(station)
                    if not station.queue.past:
                        del self._histories[station.plan.id]

    def keep(self) -> None:
        """Note everything, before the stations are switched off."""
        for station in self.fleet.stations:
            self._keep(station)

    def _plans(self, password: str) -> list[tuple[StationPlan, Traffic | None]]:
        plans: list[tuple[StationPlan, Traffic | None]] = []
        for post in (post for site in world.SITES for post in site.stations):
            plan = StationPlan(
                id=post.id,
                connectors=post.connectors,
                vendor="Voltbridge Demo",
                model="DC" if post.connectors[0].direct_current else "AC",
                serial_number=f"SN-{post.id}",
                password=password,
                signed=post.signed,
                meter_key=tuple((self._kept[post.id] or {}).get("meter_key", ())),
                settings={"MeterValueSampleInterval": "15"},
                paced=post.id != world.FREE,
            )
            plans.append((plan, None if post.id == world.FREE else _BUSY))
        newcomer = StationPlan(
            id=world.NEWCOMER, connectors=(TYPE2_22,), vendor="Voltbridge Demo", model="AC"
        )
        return [*plans, (newcomer, None)]

    def _remember(self, memory: Memory, now: datetime) -> None:
        """The past is thought out once, at the first start; what of it is not told yet is made again."""
        past: dict[str, Any] | None = memory.get("past")
        if past is None:
            past = {"seed": self._chance.randrange(2**31), "until": (now - _RECENT).isoformat("T", "minutes")}
            memory.put("past", past)
        until = datetime.fromisoformat(past["until"]).astimezone(ZONE)
        for station in self.fleet.stations:
            kept = self._kept[station.plan.id]
            told = {"told": 0, "numbers": {}} if kept is None else kept["history"]
            if told is None or station.plan.id == world.NEWCOMER:
                continue
            meters = [connector.meter for connector in station.connectors]
            chance = random.Random(f"{past['seed']} {station.plan.id}")  # noqa: S311  # no secret hangs on it
            history = History(meters, _visits(chance, station, until), _stamp)
            history.fill(station.queue, **told)
            self._histories[station.plan.id] = history

    def _wake(self, station: Station16, now: datetime) -> None:
        """After the night: what was kept is taken up, and cars are there that came meanwhile."""
        kept, name = self._kept[station.plan.id], station.plan.id
        free = _RECENT
        if kept is not None:
            flash.load(station, kept)
            free = now - datetime.fromisoformat(kept["at"])
        station.queue.on_change = lambda: self._keep(station)
        self._keep(station)
        if name in (world.FREE, world.NEWCOMER, world.BROKEN_LOCK):
            return
        for connector in station.connectors:
            profile = connector.meter.profile
            if (found := demand.under_way(self._chance, profile, world.CARDS, now, free=free)) is not None:
                self.fleet.carry_on(name, connector.number, *found)

    def _keep(self, station: Station16) -> None:
        history, told = self._histories.get(station.plan.id), None
        if history is not None and station.queue.past:
            done, numbers = history.progress(station.queue)
            told = {"told": done, "numbers": numbers}
        self._chips.write(station.plan.id, flash.dump(station) | {"history": told})


def _visits(chance: random.Random, station: Station16, until: datetime) -> list[PastVisit]:
    connectors = [(connector.number, connector.meter.profile) for connector in station.connectors]
    visits = demand.fortnight(chance, connectors, world.CARDS, until, days=DAYS)
    if station.plan.id == world.PAST_OF_BLOCKED_CARD:
        visits[-3] = replace(visits[-3], visit=replace(visits[-3].visit, id_tag=world.BLOCKED_CARD))
    if station.plan.id == world.PAST_OF_CHANGED_METER:
        profile = station.connectors[0].meter.profile
        enough = timedelta(minutes=_LEAST_MINUTES)
        place = max(
            n
            for n, past in enumerate(visits)
            if demand.longest(profile, past.visit) > enough and n < len(visits) - 2
        )
        visits[place] = replace(visits[place], meter_changed=True)
    return visits


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
