"""Setting the demo world going once the house stands, and telling the person at the terminal what to look at."""

import asyncio
import random
import secrets
import sys
from datetime import timedelta
from typing import Any

from app.demo import world
from app.demo.memory import Memory
from app.demo.operator import Operator
from app.demo.past import earlier_visit
from app.demo.telling import greeting, news
from app.kit.tasks import spawn
from app.settings import admin_token
from app.wiring import House
from ocpi.simulator.emsp import EmspSimulator
from ocpi.wire.tokens import Token
from ocpp_bridge.simulator.fleet import Fleet
from ocpp_bridge.simulator.scenario import StationPlan, Traffic

_EMSP_PORT = 100
"""How far the simulated eMSP's port lies above ours."""

_FIRST = (("DEMO-AMS-1", 52, 45), ("DEMO-UTR-2", 31, 24), ("DEMO-HAM-1", 75, 70))
"""At the first start these stations bring back a visit: (station, minutes ago it began, minutes it took)."""

_BUSY = Traffic(
    id_tags=(*world.CARDS, world.BLOCKED_CARD),
    free_seconds=(3.0, 60.0),
    charge_seconds=(40.0, 300.0),
    stay_seconds=(0.0, 40.0),
    fault_chance=0.03,
    offline_chance=0.01,
)


class Demo:
    """The simulators beside the house, from the first car to the last."""

    def __init__(self) -> None:
        self._fleet: Fleet | None = None
        self._emsp: EmspSimulator | None = None
        self._playing: asyncio.Task[None] | None = None

    async def begin(self, house: House) -> None:
        """Start in the background; awaited when both ports answer."""
        self._playing = spawn(self._play(house), "demo")

    async def end(self) -> None:
        """Send the cars away, let their stops arrive, and switch everything off."""
        if self._playing is not None:
            self._playing.cancel()
        if self._fleet is not None:
            await self._fleet.stop()
        if self._emsp is not None:
            await self._emsp.aclose()

    async def _play(self, house: House) -> None:
        settings, memory = house.settings, Memory(house.settings.state_dir)
        operator = Operator(settings.public_url, admin_token(settings))
        try:
            first = memory.get("password") is None
            password = memory.get("password") or secrets.token_hex(16)
            await asyncio.to_thread(operator.set_up, password)
            self._emsp = emsp = await _emsp(house, operator, memory)
            guest = await asyncio.to_thread(operator.invite, memory, world.GUEST_NAME)
        finally:
            operator.close()
        self._fleet = _fleet(f"{settings.ocpp_public_url}/ocpp", password)
        if first:
            _bring_back(house, self._fleet)
        memory.put("password", password)
        self._fleet.start()
        _print(greeting(settings, emsp, guest))
        await news(emsp, _print)


async def _emsp(house: House, operator: Operator, memory: Memory) -> EmspSimulator:
    """The eMSP, registered by the real handshake at the first start, and as it was at later ones."""
    country_code, party_id = world.EMSP
    emsp = EmspSimulator(
        country_code=country_code,
        party_id=party_id,
        name=world.EMSP_NAME,
        tokens=_cards(house),
        port=house.settings.http_port + _EMSP_PORT,
    )
    await emsp.start()
    emsp.registration.on_change = lambda: memory.put("emsp", emsp.registration.dump())
    kept: dict[str, Any] = memory.get("emsp") or {}
    invitation = await asyncio.to_thread(
        operator.invite, memory, world.EMSP_NAME, known=kept.get("connection") is not None
    )
    if invitation["registered"]:
        emsp.registration.load(kept)
    else:
        await emsp.register(invitation["versions_url"], invitation["token_a"])
    return emsp


def _cards(house: House) -> list[Token]:
    country_code, party_id = world.EMSP
    return [
        Token.read(
            {
                "country_code": country_code,
                "party_id": party_id,
                "uid": uid,
                "type": "RFID",
                "contract_id": f"DE-EMS-C{number:08d}-X",
                "visual_number": f"EMS {number:04d}",
                "issuer": world.EMSP_NAME,
                "valid": uid != world.BLOCKED_CARD,
                "whitelist": "ALLOWED",
                "last_updated": house.clock.now().isoformat().replace("+00:00", "Z"),
            }
        )
        for number, uid in enumerate((*world.CARDS, world.BLOCKED_CARD), 1)
    ]


def _fleet(url: str, password: str) -> Fleet:
    plans = [
        (
            StationPlan(
                id=post.id,
                connectors=post.connectors,
                vendor="Voltbridge Demo",
                model="DC" if post.connectors[0].direct_current else "AC",
                serial_number=f"SN-{post.id}",
                password=password,
                signed=post.signed,
                settings={"MeterValueSampleInterval": "15"},
            ),
            _BUSY,
        )
        for site in world.SITES
        for post in site.stations
    ]
    return Fleet(plans, url, seed=random.SystemRandom().randrange(2**31))


def _bring_back(house: House, fleet: Fleet) -> None:
    """The first record must not take a whole session: some stations come with visits from before."""
    now = house.clock.now().replace(microsecond=0)
    for station in fleet.stations:
        for number, (station_id, ago, minutes) in enumerate(_FIRST):
            if station.plan.id == station_id:
                began = now - timedelta(minutes=ago)
                earlier_visit(station.queue, station.connectors[0], world.CARDS[number], began, minutes)


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
