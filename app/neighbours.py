"""Neighbours: what the processes on one database do for each other, and what is freed when one is gone."""

from functools import partial

from app.cluster.bus import Topic, go_and_look
from app.cluster.directory import Directory
from app.cluster.membership import Membership
from app.domain.commands import OutcomeKind
from app.kit.periodic import Periodic
from app.outbox import claim
from app.services.commands import Commands
from app.services.intake.intake import Intake
from app.store import commands as calls
from app.store import stations
from app.store.database.unit_of_work import UnitOfWork
from app.store.views import availability
from ocpi.context import OcpiContext
from ocpi.partners.registry import PartnerRegistry
from ocpp_bridge.live import LiveStations

_NORMAL, _POLICY = 1000, 1008


async def free(unit: UnitOfWork) -> None:
    """What names a process that is gone is free: sockets, calls under way, deliveries."""
    await availability.turn_lost(unit.session, unit.now())
    await stations.give_up_lost(unit.session, unit.now())
    await calls.give_up_lost(unit.session, unit.now(), outcome=OutcomeKind.TIMEOUT)
    await claim.give_up_lost(unit.session)


def listen(member: Membership, intake: Intake, ocpi: OcpiContext, live: LiveStations) -> None:
    """What other processes did: partners and stations in memory are read again, sockets are closed."""
    bus, registry, agreements = member.bus, ocpi.registry, ocpi.hub.agreements

    def partner_changed(partner_id: str) -> None:
        go_and_look(registry.refresh(partner_id) if partner_id else registry.load(), "partners")

    def agreements_changed(_id: str) -> None:
        go_and_look(agreements.reload(), "agreements")

    def hang_up(station_id: str) -> None:
        socket = live.get(station_id)
        if socket is not None:
            socket.close(_POLICY, "the operator has changed this station")

    registry.listeners.append(partial(bus.publish, Topic.PARTNER, here=False))
    agreements.listeners.append(partial(bus.publish, Topic.AGREEMENTS, here=False))
    bus.subscribe(Topic.PARTNER, partner_changed)
    bus.subscribe(Topic.AGREEMENTS, agreements_changed)
    bus.subscribe(Topic.STATION, intake.leases.stale)
    bus.subscribe(Topic.HANG_UP, hang_up)


def rounds(
    member: Membership,
    directory: Directory,
    commands: Commands,
    registry: PartnerRegistry,
    live: LiveStations,
) -> list[Periodic]:
    """What the bus says, looked for now and then all the same."""
    if member.alone:
        return []

    async def replaced_sockets() -> None:
        for station_id in await directory.lost(live.ids()):
            socket = live.get(station_id)
            if socket is not None:
                socket.close(_NORMAL, "replaced by a newer connection")

    return [
        Periodic("calls-of-others", 1.0, commands.take_wanted),
        Periodic("late-answers", 5.0, commands.look_for_late),
        Periodic("partners", 10.0, registry.load),
        Periodic("replaced-sockets", 10.0, replaced_sockets),
    ]
