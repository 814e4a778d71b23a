"""What happens in the demo beside the daily traffic, each told to the person at the terminal."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from app.demo import world
from app.demo.cast import Cast
from app.kit.tasks import spawn
from ocpi.modules import ModuleId
from ocpi.simulator.emsp import EmspSimulator
from ocpi.simulator.faults import FaultKind
from ocpp_bridge.simulator.connector import Connector
from ocpp_bridge.simulator.scenario import Fault, Visit
from ocpp_bridge.simulator.station16 import Station16

_LOCK = Fault(error_code="ConnectorLockFailure", info="the plug cannot be locked", seconds=15 * 60)
_POWER = Fault(
    error_code="OtherError",
    status=None,
    info="limit exceeded",
    vendor_error_code="PowerLimitExceeded",
    seconds=300,
)
_OFFLINE_SECONDS = 60.0
_OUTAGE_SECONDS = 20.0
_LONGEST_OUTAGE = 180.0
_LOOK_SECONDS = 0.5


class Stage(NamedTuple):
    """Who plays: the stations, the eMSP; and where it is told."""

    cast: Cast
    emsp: EmspSimulator
    say: Callable[[str], None]


class Scene(NamedTuple):
    """Something that happens so many seconds after the beginning."""

    after: float
    play: Callable[[Stage], Awaitable[None]]


async def play(stage: Stage) -> None:
    """Play all scenes, each at its time."""
    async with asyncio.TaskGroup() as tasks:
        for scene in SCENES:
            tasks.create_task(_later(scene, stage))


async def _later(scene: Scene, stage: Stage) -> None:
    await asyncio.sleep(scene.after)
    await scene.play(stage)


async def _broken_lock(stage: Stage) -> None:
    station = stage.cast.station(world.BROKEN_LOCK)
    await station.accepted.wait()
    stage.say(f"{world.BROKEN_LOCK} reports ConnectorLockFailure: its EVSE goes out of order for a while")
    await station.connectors[0].fail(_LOCK)
    stage.say(f"{world.BROKEN_LOCK} can lock plugs again")


async def _emsp_out_of_order(stage: Stage) -> None:
    """Until a record was refused, but no longer than a person would wait."""
    emsp, name, loop = stage.emsp, world.EMSP_NAME, asyncio.get_running_loop()
    stage.say(f"{name} answers every record with 500 from now on")
    refused, began = emsp.faults.carried_out["cdrs"], loop.time()
    emsp.faults.always(FaultKind.HTTP_500, module="cdrs")
    while loop.time() - began < _LONGEST_OUTAGE:
        await asyncio.sleep(_OUTAGE_SECONDS)
        if emsp.faults.carried_out["cdrs"] > refused:
            break
    emsp.faults.heal()
    stage.say(
        f"{name} works again after {emsp.faults.carried_out['cdrs'] - refused} answers with 500; what waited comes now"
    )
    # Whoever was away asks for what was missed; being heard of ends the wait between attempts.
    await emsp.pull(ModuleId.TARIFFS)


async def _blocked_card(stage: Stage) -> None:
    station, connector = await _found(stage, lambda _, connector: not connector.busy)
    stage.say(f"A driver shows a blocked card at {station.plan.id}: it does not charge")
    await connector.visit(Visit(id_tag=world.BLOCKED_CARD, stays_seconds=0, longest_seconds=1))


async def _power_limit(stage: Stage) -> None:
    station, connector = await _found(
        stage, lambda _, each: each.transaction and each.meter.profile.direct_current
    )
    stage.say(f"{station.plan.id} warns of PowerLimitExceeded, a code of its vendor; the car charges on")
    await connector.fail(_POWER)


async def _offline(stage: Stage) -> None:
    station, _ = await _found(
        stage, lambda station, each: each.transaction and station.plan.id == world.OFFLINE, or_else=True
    )
    name = station.plan.id
    stage.say(f"{name} loses its network for a minute; its car charges on")
    leaving = spawn(station.leave(_OFFLINE_SECONDS), f"{name} leaves")
    await asyncio.sleep(_OFFLINE_SECONDS)
    await leaving
    waiting = len(station.queue)
    await station.accepted.wait()
    stage.say(f"{name} is back, and tells what it kept: {waiting} messages, with their own timestamps")


async def _found(
    stage: Stage, fits: Callable[[Station16, Connector], object], *, or_else: bool = False
) -> tuple[Station16, Connector]:
    """The first connector that fits, of a station that has told its past; `or_else` any that charges."""
    while True:
        ready = [
            (station, connector)
            for station in stage.cast.fleet.stations
            if station.online and not station.queue.past and station.plan.id not in _APART
            for connector in station.connectors
        ]
        for station, connector in ready:
            if fits(station, connector):
                return station, connector
        for station, connector in ready:
            if or_else and connector.transaction is not None:
                return station, connector
        await asyncio.sleep(_LOOK_SECONDS)


_APART = (world.FREE, world.NEWCOMER, world.BROKEN_LOCK)

SCENES = (
    Scene(1, _broken_lock),
    Scene(12, _emsp_out_of_order),
    Scene(20, _blocked_card),
    Scene(30, _power_limit),
    Scene(40, _offline),
)
