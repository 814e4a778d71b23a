"""Setting the demo world going once the house stands, and telling the person at the terminal what to look at."""

import asyncio
import secrets
import sys
from typing import Any

from app.demo import scenes, telling, world
from app.demo.cast import Cast
from app.demo.memory import Chips, Memory
from app.demo.neighbours import Neighbours
from app.demo.operator import Operator
from app.kit.tasks import spawn
from app.settings import admin_token
from app.wiring import House
from ocpi.simulator.emsp import EmspSimulator
from ocpi.wire.tokens import Token

_EMSP_PORT = 100
"""How far the simulated eMSP's port lies above ours."""
_HUB_PORT = 101
"""The same of the parties behind the hub, which share one."""


class Demo:
    """The simulators beside the house, from the first car to the last."""

    def __init__(self) -> None:
        self._cast: Cast | None = None
        self._emsp: EmspSimulator | None = None
        self._hub: Neighbours | None = None
        self._playing: list[asyncio.Task[None]] = []

    async def begin(self, house: House) -> None:
        """Start in the background; awaited when both ports answer."""
        self._playing.append(spawn(self._play(house), "demo"))

    async def end(self) -> None:
        """Send the cars away, let their stops arrive, and switch everything off."""
        for playing in self._playing:
            playing.cancel()
        if self._cast is not None:
            await self._cast.fleet.stop()
            self._cast.keep()
        if self._emsp is not None:
            await self._emsp.aclose()
        if self._hub is not None:
            await self._hub.aclose()

    async def _play(self, house: House) -> None:
        settings, memory = house.settings, Memory(house.settings.state_dir)
        operator = Operator(settings.public_url, admin_token(settings))
        try:
            # Kept before it is used: a start that is interrupted must not leave stations with a forgotten password.
            password = memory.get("password") or secrets.token_hex(16)
            memory.put("password", password)
            await asyncio.to_thread(operator.set_up, password)
            self._emsp = emsp = await _emsp(house, operator, memory)
            self._hub = hub = Neighbours(house.clock, settings.http_port + _HUB_PORT, _print)
            await hub.join(operator, memory, str(house.ocpi.ours))
            guest = await asyncio.to_thread(operator.invite, memory, world.GUEST_NAME)
        finally:
            operator.close()
        url, now = f"{settings.ocpp_public_url}/ocpp", house.clock.now()
        self._cast = cast = Cast(url, memory, Chips(settings.state_dir), password, now)
        cast.fleet.start()
        _print(telling.greeting(settings, emsp, guest))
        stage = scenes.Stage(cast, emsp, _print)
        for work in (cast.keep_up(), scenes.play(stage), telling.news(stage), hub.play()):
            self._playing.append(spawn(work, "demo"))


async def _emsp(house: House, operator: Operator, memory: Memory) -> EmspSimulator:
    """The eMSP, registered by the real handshake at the first start, and as it was at later ones."""
    country_code, party_id = world.EMSP
    emsp = EmspSimulator(
        country_code=country_code,
        party_id=party_id,
        name=world.EMSP_NAME,
        tokens=_tokens(house),
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


def _tokens(house: House) -> list[Token]:
    """The driver with the app first, then the cards."""
    now = house.clock.now().isoformat().replace("+00:00", "Z")
    cards = [_token(uid, number, now) for number, uid in enumerate((*world.CARDS, world.BLOCKED_CARD), 1)]
    return [_token(world.DRIVER, 0, now, type="APP_USER", visual_number="Your app"), *cards]


def _token(uid: str, number: int, now: str, **more: str) -> Token:
    country_code, party_id = world.EMSP
    fields: dict[str, Any] = {
        "country_code": country_code,
        "party_id": party_id,
        "uid": uid,
        "type": "RFID",
        "contract_id": f"DE-EMS-C{number:08d}-X",
        "visual_number": f"EMS {number:04d}",
        "issuer": world.EMSP_NAME,
        "valid": uid != world.BLOCKED_CARD,
        "whitelist": "ALLOWED",
        "last_updated": now,
    }
    return Token.read(fields | more)


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
