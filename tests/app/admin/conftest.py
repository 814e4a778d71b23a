"""An admin API on a real store with a real intake; stations and partners are small doubles."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet

from app.admin.api import admin_app
from app.admin.context import AdminContext
from app.admin.gate import same_token
from app.domain.charging.state import Names
from app.domain.commands import Outcome, OutcomeKind
from app.domain.errors import Conflict, Invalid, NotFound
from app.domain.metering import MeterSample, SampledValue
from app.domain.parties import Party
from app.domain.remote import CommandResult, Order
from app.domain.transactions import TransactionEnded, TransactionMetered, TransactionStarted
from app.services.commands import Commands
from app.services.intake.intake import Call, Intake, Line
from app.services.remote import RemoteControl
from app.services.setting_up.inbox import Inbox
from app.services.setting_up.station_settings import StationSettings
from app.services.stations import Stations, UnknownStations
from app.services.wishes import Wishes
from app.store.bulk.writer import Writer
from app.store.database.engine import Store
from ocpi.client import Relay, open_client
from ocpi.hub.hub import open_hub
from ocpi.partners.desk import Desk
from ocpi.partners.registry import PartnerRegistry
from ocpi.partners.tokens import Vault
from ocpi.pull.authorization import PartnerIssuers
from ocpi.push.subscribers import on_events
from ocpp_bridge.v16 import remote
from ocpp_bridge.v16.settings import Settings16

TOKEN = "the-admin-token"
_numbers = itertools.count(1)


@dataclass
class Gateway:
    """Stations that are connected, and what they answer (app.domain.ports.StationGateway)."""

    connected: set[str] = field(default_factory=set)
    outcome: Outcome = field(
        default_factory=lambda: Outcome(kind=OutcomeKind.RESULT, response={"status": "Accepted"})
    )
    calls: list[tuple[str, str, Any, float]] = field(default_factory=list)
    answers: Callable[[str, Any], Any] | None = None

    def here(self, station_id: str) -> bool:
        return station_id in self.connected

    async def online(self, station_id: str) -> bool:
        return station_id in self.connected

    async def check(self, station_id: str, action: str, payload: Any) -> None:
        if action not in ("Reset", "ClearCache", "GetConfiguration", "ChangeConfiguration"):
            raise NotFound(f"OCPP 1.6 has no call {action}")
        if station_id not in self.connected:
            raise Conflict(f"station {station_id} is not connected")
        if action == "Reset" and payload.get("type") not in ("Soft", "Hard"):
            raise Invalid("must be Soft or Hard", field="type")

    async def call(
        self, station_id: str, action: str, payload: Any, *, message_id: str, timeout: float, late: Any = None
    ) -> Outcome:
        self.calls.append((station_id, action, payload, timeout))
        if self.answers is not None:
            return Outcome(kind=OutcomeKind.RESULT, response=self.answers(action, payload))
        return self.outcome

    def spell(self, order: Order) -> tuple[str, dict[str, Any]]:
        return remote.spell(order)

    def meaning(self, order: Order, outcome: Outcome) -> CommandResult:
        return remote.meaning(order, outcome)


class House:
    """The API with what stands behind it, and the words a station may say to it."""

    def __init__(self, store: Store, clock: Any) -> None:
        self.store, self.clock = store, clock
        self.gateway = Gateway()
        self.hung_up: list[str] = []
        self.woken = 0
        self.writer = Writer(store, clock)
        names = Names(
            number=lambda: 1000 + next(_numbers),
            id=lambda: f"id-{next(_numbers)}",
            country_code="NL",
            party_id="VBR",
        )
        self.registry = PartnerRegistry(store)
        self.intake = Intake(store, self.writer, clock, names, self.registry.prices)
        self.desk = Desk(
            store=store,
            clock=clock,
            client=open_client(),
            registry=self.registry,
            vault=Vault(Fernet.generate_key()),
            base_url="http://127.0.0.1:8000",
            ours=Party("NL", "VBR"),
            name="Voltbridge",
        )
        self.control = RemoteControl(
            store, clock, Commands(store, clock, self.gateway), self.gateway, self.intake
        )
        self.inbox = Inbox(store, clock)
        self.hub = open_hub(self.desk, Relay())
        store.subscribe(on_events(self.registry, self.hub.reach))
        self.app = admin_app(self.context())
        self.answers: list[Any] = []

    def context(self) -> AdminContext:
        return AdminContext(
            store=self.store,
            clock=self.clock,
            intake=self.intake,
            stations=Stations(
                self.store, self.clock, self.intake.report, unknown=UnknownStations.PENDING, profile_0=True
            ),
            settings=StationSettings(
                self.store,
                self.clock,
                Commands(self.store, self.clock, self.gateway),
                Settings16(),
                self.intake,
            ),
            inbox=self.inbox,
            commands=Commands(self.store, self.clock, self.gateway),
            wishes=Wishes(self.store, self.clock, self.gateway, self.control),
            issuers=PartnerIssuers(self.desk),
            desk=self.desk,
            hub=self.hub,
            reach=self.hub.reach,
            ours=Party("NL", "VBR"),
            ocpp_url="ws://127.0.0.1:9000",
            token_ok=same_token(TOKEN),
            wake=self._wake,
            hang_up=self.hung_up.append,
        )

    def _wake(self) -> None:
        self.woken += 1

    async def open(self) -> None:
        await self.registry.load()
        self.intake.start()

    async def close(self) -> None:
        await self.intake.stop()
        await self.writer.close()
        await self.desk.client.aclose()

    async def heard(self, line: Line, report: Any) -> Any:
        """A station says something; what it is answered."""

        def reply(answer: Any) -> bytes:
            self.answers.append(answer)
            return b'[3,"m",{}]'

        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def done(_call: Call, error: Exception | None) -> None:
            if error is None:
                over.set_result(None)
            else:
                over.set_exception(error)

        self.intake.take(
            Call(
                line=line,
                report=report,
                request=b'[2,"m","X",{"key":"AuthorizationKey","value":"hush"}]',
                message_id="m",
                action="X",
                reply=reply,
                done=done,
            )
        )
        await over
        return self.answers[-1]

    async def charge(self, line: Line, *, tag: str = "CARD1", wh: int = 10_000, stop: bool = True) -> int:
        """One hour at connector 1; the station's number of the transaction."""
        began = self.clock.now()
        started = await self.heard(
            line,
            TransactionStarted(
                evse=1, connector=1, id_tag=tag, at=began, stamp=began.isoformat(), meter_start=Decimal(1000)
            ),
        )
        number: int = started.transaction_id
        self.clock.advance(1800)
        sample = MeterSample(
            at=self.clock.now(), values=(SampledValue(value=str(1000 + wh // 2)),), document="[]"
        )
        await self.heard(
            line, TransactionMetered(evse=1, connector=1, transaction_id=number, samples=(sample,))
        )
        self.clock.advance(1800)
        if stop:
            await self.heard(line, ended(number, self.clock.now(), 1000 + wh))
        return number


def ended(number: int, at: datetime, meter: int) -> TransactionEnded:
    return TransactionEnded(transaction_id=number, at=at, stamp=at.isoformat(), meter_stop=Decimal(meter))


@pytest.fixture
async def house(store: Store, clock: Any) -> AsyncIterator[House]:
    house = House(store, clock)
    await house.open()
    yield house
    await house.close()


@pytest.fixture
async def api(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """An operator with the token."""
    transport = httpx.ASGITransport(house.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://admin", headers={"Authorization": f"Bearer {TOKEN}"}
    ) as client:
        yield client


@pytest.fixture
def tariff() -> dict[str, Any]:
    """0.25 per kWh and 21 % VAT."""
    return {
        "currency": "EUR",
        "elements": [{"price_components": [{"type": "ENERGY", "price": 0.25, "vat": 21, "step_size": 1}]}],
    }


@pytest.fixture
def location() -> dict[str, Any]:
    """One site with two EVSEs."""
    return {
        "publish": True,
        "address": "Straat 1",
        "city": "Utrecht",
        "country": "NLD",
        "coordinates": {"latitude": "52.08944", "longitude": "5.11028"},
        "time_zone": "Europe/Amsterdam",
        "evses": [
            {
                "uid": f"E{number}",
                "evse_id": f"NL*VBR*E{number}",
                "status": "AVAILABLE",
                "connectors": [
                    {
                        "id": "1",
                        "standard": "IEC_62196_T2",
                        "format": "SOCKET",
                        "power_type": "AC_3_PHASE",
                        "max_voltage": 230,
                        "max_amperage": 32,
                        "tariff_ids": ["T1"],
                    }
                ],
            }
            for number in (1, 2)
        ],
    }


LINKS = [
    {"evse": 1, "connector": 1, "evse_uid": "E1", "connector_id": "1"},
    {"evse": 2, "connector": 1, "evse_uid": "E2", "connector_id": "1"},
]


@pytest.fixture
async def site(api: httpx.AsyncClient, tariff: dict[str, Any], location: dict[str, Any]) -> dict[str, Any]:
    """A tariff, a location, a station and a card, all put by the operator."""
    station = {"location_id": "LOC1", "connectors": LINKS}
    card = {
        "type": "RFID", "contract_id": "NL-VBR-C1", "issuer": "Voltbridge", "valid": True, "whitelist": "ALWAYS",
    }  # fmt: skip
    for path, body in (
        ("/tariffs/T1", tariff),
        ("/locations/LOC1", location),
        ("/stations/CP1", station),
        ("/tokens/CARD1", card),
    ):
        answer = await api.put(path, json=body)
        assert answer.status_code == 201, answer.text
    return station
