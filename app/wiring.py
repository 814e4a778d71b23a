"""The one place where every long-lived thing of the house is made and handed down."""

import contextlib
import fcntl
import hmac
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import make_url

from app import migrations, neighbours, rounds
from app.admin.context import AdminContext
from app.cluster.bus import Topic
from app.cluster.callers import Callers
from app.cluster.directory import Directory
from app.cluster.membership import Alone, Membership, Node, led, membership
from app.cluster.roles import Role
from app.domain.charging.state import Names
from app.domain.parties import Party
from app.kit.clock import Clock, SystemClock
from app.kit.names import new_name
from app.kit.periodic import Periodic
from app.outbox import tables as outbox_tables
from app.outbox.alerts import Alerts
from app.outbox.worker import OutboxWorker
from app.services.commands import Commands
from app.services.housekeeping import Housekeeping
from app.services.intake.intake import Intake
from app.services.intake.leases import Leases
from app.services.remote import RemoteControl
from app.services.setting_up.inbox import Inbox
from app.services.setting_up.station_settings import StationSettings
from app.services.stations import Stations, UnknownStations
from app.services.wishes import Wishes
from app.settings import (
    Settings,
    SettingsError,
    admin_token,
    prepare_state_dir,
    secret_key,
    variable,
)
from app.store.bulk.writer import Writer
from app.store.database.engine import Store, open_store
from app.store.database.errors import StoreError
from ocpi.client import Relay, open_client
from ocpi.context import OcpiContext
from ocpi.hub.hub import Hub, open_hub
from ocpi.partners import handshake
from ocpi.partners.desk import Desk
from ocpi.partners.limits import Limits
from ocpi.partners.registry import PartnerRegistry
from ocpi.partners.tokens import Vault
from ocpi.partners.traffic import Traffic
from ocpi.pull.authorization import PartnerIssuers
from ocpi.push.deliver import PartnerDeliverer
from ocpi.push.subscribers import on_events
from ocpi.push.webhooks import WebhookSender
from ocpi.server.newcomers import regular_work, welcome
from ocpp_bridge.context import BridgeContext
from ocpp_bridge.gateway import LocalGateway
from ocpp_bridge.live import LiveStations
from ocpp_bridge.v16.settings import Settings16

_LARGEST_NUMBER = 2**31 - 1
HANDSHAKE_LASTS = timedelta(minutes=2)
"""Longer than any registration takes: an older one has no process any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Everything that lives as long as the process."""

    settings: Settings
    clock: Clock
    store: Store
    writer: Writer
    intake: Intake
    commands: Commands
    worker: OutboxWorker
    bridge: BridgeContext
    ocpi: OcpiContext
    admin: AdminContext
    role: Role
    membership: Alone | Node
    rounds: list[Periodic] = field(default_factory=list)

    async def start(self) -> None:
        """Take up the work: what a process that is gone left open is settled first."""
        await self.membership.join()
        self.know_number()
        await self.ocpi.registry.load()
        await self.ocpi.hub.agreements.reload()
        patience = HANDSHAKE_LASTS if self.membership.neighbours else timedelta(0)
        await handshake.recover(self.ocpi.desk, older_than=patience)
        self.intake.start()
        if self.role.works:
            await self.worker.start()
        for periodic in self.rounds:
            periodic.start()

    def know_number(self) -> None:
        """Whoever writes rows in the process's name has to know its number."""
        number = self.membership.number
        self.intake.leases.node = self.commands.node = self.worker.node = number

    async def begin_anew(self) -> None:
        """The other processes took this one for dead and gave its stations up: they connect again."""
        self.know_number()
        await self.bridge.live.close_all()

    async def stop(self) -> None:
        """Finish what has been taken, in the order in which it depends on each other."""
        await self.bridge.live.close_all()
        for periodic in self.rounds:
            await periodic.stop()
        await self.worker.stop()
        await self.intake.stop()
        await self.ocpi.traffic.flush()
        await self.membership.leave()

    async def close(self) -> None:
        """Let go of connections."""
        await self.ocpi.hub.owners.keep()
        await self.ocpi.hub.accounts.keep()
        await self.ocpi.hub.relay.aclose()
        await self.ocpi.client.aclose()
        await self.writer.close()
        await self.store.close()

    async def ready(self) -> bool:
        """Whether the database can be reached and its migrations are done."""
        return await migrations.is_current(self.store.reader)


@contextlib.contextmanager
def only_one(settings: Settings) -> Iterator[None]:
    """Holds a SQLite database for this process alone: one writer knows all stations. Raises StoreError."""
    url = make_url(settings.database_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        yield
        return
    prepare_state_dir(settings)
    path = Path(url.database).expanduser().with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StoreError(
                f"{url.database} is in use by another Voltbridge; stop it, or set VOLTBRIDGE_DATABASE_URL"
            ) from None
        yield


def check_role(settings: Settings, role: Role) -> None:
    """Raise SettingsError where one process has to do everything."""
    if role is Role.ALL:
        return
    if make_url(settings.database_url).get_backend_name() == "sqlite":
        raise SettingsError(
            variable("database_url"), f"--role {role} needs PostgreSQL: SQLite is one process"
        )
    if settings.demo:
        raise SettingsError(variable("demo"), f"the demo plays in one process: leave out --role {role}")


async def build(settings: Settings, clock: Clock | None = None, role: Role = Role.ALL) -> House:
    """Open the store, bring it up to date, and make the house. Raises SettingsError and StoreError."""
    check_role(settings, role)
    clock = clock or SystemClock()
    prepare_state_dir(settings)
    token = admin_token(settings)
    vault = Vault(secret_key(settings))
    store = await _opened(settings)
    ours = Party(settings.country_code, settings.party_id)
    member = membership(store, clock, role, neighbours.free)
    registry = PartnerRegistry(store, shared=not member.alone)
    traffic = Traffic(store, clock)
    desk = _desk(settings, store, clock, vault, ours, traffic=traffic, registry=registry)
    hub = _hub(settings, desk, traffic)
    issuers = PartnerIssuers(desk, reach=hub.reach, seconds=settings.authorize_seconds)
    intake, writer = _intake(store, clock, ours, registry, issuers=issuers, member=member)
    bridge = _bridge(settings, store, clock, intake)
    directory = Directory(store, member)
    gateway = LocalGateway(bridge.live, directory)
    commands = Commands(store, clock, gateway, directory=directory, bus=member.bus)
    waits = {"seconds": settings.command_seconds, "start_seconds": settings.start_seconds}
    control = RemoteControl(store, clock, commands, gateway, intake, **waits)
    wishes = Wishes(store, clock, gateway, control, admits=issuers.admits)
    station_settings = StationSettings(store, clock, commands, Settings16(), intake)
    ocpi, worker = _ocpi(desk, hub, traffic, wishes, limits=_limits(settings), member=member, role=role)
    neighbours.listen(member, intake, ocpi, bridge.live)
    alerts = Alerts(store, clock, WebhookSender(ocpi.desk))
    house = House(
        settings=settings,
        clock=clock,
        store=store,
        writer=writer,
        intake=intake,
        commands=commands,
        worker=worker,
        bridge=bridge,
        ocpi=ocpi,
        admin=_admin(
            settings,
            bridge,
            ocpi,
            member,
            token=token,
            commands=commands,
            issuers=issuers,
            station_settings=station_settings,
        ),
        role=role,
        membership=member,
    )
    house.rounds.extend(_work(house, directory, control, alerts, station_settings))
    if isinstance(member, Node):
        member.expelled.append(house.begin_anew)
    return house


async def _opened(settings: Settings) -> Store:
    """The store, brought up to date."""
    store = await open_store(settings.database_url)
    try:
        await migrations.upgrade(store.writer)
    except BaseException:
        await store.close()
        raise
    return store


def _admin(
    settings: Settings,
    bridge: BridgeContext,
    ocpi: OcpiContext,
    member: Alone | Node,
    *,
    token: str,
    commands: Commands,
    issuers: PartnerIssuers,
    station_settings: StationSettings,
) -> AdminContext:
    desk = ocpi.desk
    return AdminContext(
        store=desk.store,
        clock=desk.clock,
        intake=bridge.intake,
        stations=bridge.stations,
        settings=station_settings,
        inbox=bridge.inbox,
        commands=commands,
        wishes=ocpi.wishes,
        issuers=issuers,
        desk=desk,
        hub=ocpi.hub,
        reach=ocpi.hub.reach,
        ours=desk.ours,
        ocpp_url=settings.ocpp_public_url,
        token_ok=lambda given: hmac.compare_digest(given.encode(), token.encode()),
        wake=partial(member.bus.publish, Topic.MARKS),
        hang_up=partial(member.bus.publish, Topic.HANG_UP),
    )


def _intake(
    store: Store,
    clock: Clock,
    ours: Party,
    registry: PartnerRegistry,
    *,
    issuers: PartnerIssuers,
    member: Membership,
) -> tuple[Intake, Writer]:
    names = Names(
        number=lambda: 1 + secrets.randbelow(_LARGEST_NUMBER),
        id=new_name,
        country_code=ours.country_code,
        party_id=ours.party_id,
    )
    writer = Writer(store, clock)
    leases = Leases(fenced=not member.alone, visited=partial(member.bus.publish, Topic.STATION, here=False))
    return Intake(store, writer, clock, names, registry.prices, issuers=issuers, leases=leases), writer


def _bridge(settings: Settings, store: Store, clock: Clock, intake: Intake) -> BridgeContext:
    stations = Stations(
        store,
        clock,
        intake.report,
        unknown=UnknownStations(settings.unknown_stations),
        profile_0=settings.ocpp_on_loopback or settings.allow_profile_0,
    )
    live, inbox = LiveStations(clock), Inbox(store, clock)
    return BridgeContext(intake=intake, stations=stations, live=live, clock=clock, inbox=inbox)


def _desk(
    settings: Settings,
    store: Store,
    clock: Clock,
    vault: Vault,
    ours: Party,
    *,
    traffic: Traffic,
    registry: PartnerRegistry,
) -> Desk:
    return Desk(
        store=store,
        clock=clock,
        client=open_client(on_exchange=traffic.sent),
        registry=registry,
        vault=vault,
        base_url=settings.public_url,
        ours=ours,
        hub=Party(settings.hub_country_code, settings.hub_party_id),
        name=f"Voltbridge {ours}",
        allow_private=settings.allow_private_urls,
    )


def _hub(settings: Settings, desk: Desk, traffic: Traffic) -> Hub:
    return open_hub(
        desk,
        Relay(on_exchange=traffic.sent),
        everybody=settings.hub_agreements == "open",
        authorize_seconds=settings.authorize_seconds,
    )


def _limits(settings: Settings) -> Limits:
    return Limits(
        rate=settings.partner_rate, at_once=settings.partner_at_once, largest_body=settings.partner_body
    )


def _ocpi(
    desk: Desk,
    hub: Hub,
    traffic: Traffic,
    wishes: Wishes,
    *,
    limits: Limits,
    member: Membership,
    role: Role,
) -> tuple[OcpiContext, OutboxWorker]:
    store, registry, bus = desk.store, desk.registry, member.bus
    worker = OutboxWorker(store, desk.clock, PartnerDeliverer(desk, hub.reach, hub.accounts))
    callers = Callers(member, desk.clock, worker.heard_from)
    context = OcpiContext(
        desk=desk, traffic=traffic, heard_from=callers.heard_from, wishes=wishes, hub=hub, limits=limits
    )
    store.keep_marks(outbox_tables.keep)
    store.subscribe(on_events(registry, hub.reach))
    bus.subscribe(Topic.CALLER, worker.heard_from)
    bus.subscribe(Topic.MARKS, lambda _id: worker.wake())
    # A process that delivers itself needs nobody else; the others wake those that do.
    wake = worker.wake if role.works else partial(bus.publish, Topic.MARKS, here=False)
    store.after_commit(lambda _events: wake() if registry.all() else None)
    welcome(context)
    return context, worker


def _work(
    house: House,
    directory: Directory,
    control: RemoteControl,
    alerts: Alerts,
    station_settings: StationSettings,
) -> list[Periodic]:
    """What is done again and again: by whoever leads, and by every process for its own stations."""
    store, clock, intake, member = house.store, house.clock, house.intake, house.membership
    return [
        *regular_work(house.ocpi, lambda: member.leads),
        *led(
            member,
            [
                *rounds.house_rounds(store, intake, clock),
                *rounds.remote_rounds(control, house.commands),
                *rounds.alert_rounds(alerts),
            ],
        ),
        *rounds.own_rounds(Housekeeping(store, intake, clock)),
        *neighbours.rounds(member, directory, house.commands, house.ocpi.registry, house.bridge.live),
        *rounds.station_rounds(
            store, clock, intake, station_settings, commissioning=house.settings.commissioning
        ),
        Periodic("refused-stations", 5.0, house.bridge.inbox.keep),
    ]
