"""The hub of the demo: two CPOs and two eMSPs behind it, that meet through it beside our own CPO."""

import asyncio
import itertools
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from app.demo import neighbourhood as place
from app.demo.memory import Memory
from app.demo.neighbourhood import Neighbour
from app.demo.operator import Operator
from app.kit.clock import Clock
from app.kit.tasks import spawn
from ocpi.client import Answer
from ocpi.envelope import ABSENT
from ocpi.errors import PartnerFailure
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.simulator.registration import Identity
from ocpi.simulator.roamers import Got, Roamer, Roamers
from ocpi.times import write_time
from ocpi.wire.types import Role

_FIRST_SECONDS = 8.0
_PAUSE_SECONDS = (20.0, 40.0)
_VISIT_SECONDS = 6.0
_WRONG_EVERY = 2
"""Of the records of the CPO that reckons wrong, every second is wrong at first."""


class Neighbours:
    """The parties behind the hub; what they do to each other is told by `say`."""

    def __init__(self, clock: Clock, port: int, say: Callable[[str], None]) -> None:
        self._clock, self._say = clock, say
        self._chance = random.SystemRandom()
        self._server = Roamers(clock, port)
        self._parties = {each.party: self._made(each) for each in place.NEIGHBOURS}
        self._visits = self._commands = self._careless = 0

    async def join(self, operator: Operator, memory: Memory, ours: str) -> None:
        """Register each with the hub, as it was at later starts, and agree who may reach whom. Blocks in threads."""
        await self._server.start()
        for neighbour in place.NEIGHBOURS:
            await self._register(self._parties[neighbour.party], neighbour, operator, memory)
        for one, other in (*place.AGREEMENTS, (ours, place.TRAVELLERS.name)):
            await asyncio.to_thread(operator.agree, one, other)
        await asyncio.to_thread(operator.refuse_wrong_prices, memory.get(_invitation(place.CARELESS))["id"])

    async def play(self) -> None:
        """Locations and tokens first; then a visit every half minute, now and then started by an app."""
        await asyncio.sleep(_FIRST_SECONDS)
        await self._introduce()
        for turn in itertools.count():
            try:
                await (self._command() if turn % 3 == 2 else self._visit())
            except PartnerFailure as failure:
                self._say(f"Hub: {failure}")
            await asyncio.sleep(self._chance.uniform(*_PAUSE_SECONDS))

    async def aclose(self) -> None:
        """Stop for good."""
        await self._server.aclose()

    def _made(self, neighbour: Neighbour) -> Roamer:
        role = Role.CPO if neighbour.is_cpo else Role.EMSP
        identity = Identity(neighbour.country, neighbour.party, neighbour.title, role)
        roamer = self._server.add(identity, place.INTERFACES[neighbour.is_cpo])
        now = self._clock.now()
        if neighbour.is_cpo:
            roamer.lists[ModuleId.LOCATIONS] = [place.location(neighbour, now)]
            roamer.lists[ModuleId.TARIFFS] = [place.tariff(neighbour, now)]
            roamer.take = lambda got: self._obey(neighbour, got)
        else:
            roamer.lists[ModuleId.TOKENS] = [place.token(neighbour, now)]
            roamer.take = lambda got: self._hear(neighbour, got)
        return roamer

    async def _register(
        self, roamer: Roamer, neighbour: Neighbour, operator: Operator, memory: Memory
    ) -> None:
        registration, key = roamer.registration, f"hub:{neighbour.name}"
        registration.on_change = lambda: memory.put(key, registration.dump())
        kept: dict[str, Any] = memory.get(key) or {}
        known = kept.get("connection") is not None
        invited = await asyncio.to_thread(
            operator.invite, memory, neighbour.title, known=known, platform="hub"
        )
        if invited["registered"]:
            registration.load(kept)
        else:
            await registration.register(invited["versions_url"], invited["token_a"])

    async def _introduce(self) -> None:
        """One CPO tells everybody of its location; the other is read by the hub."""
        teller, now = place.TELLER, self._clock.now()
        for module, body in (
            (ModuleId.TARIFFS, place.tariff(teller, now)),
            (ModuleId.LOCATIONS, place.location(teller, now)),
        ):
            await self._send(teller, "PUT", module, teller.country, teller.party, body["id"], body=body)
        self._say(f"Hub: {teller.title} tells everybody of its location {place.location_id(teller)}")

    async def _visit(self, cpo: Neighbour | None = None, driver: Neighbour | None = None) -> None:
        """A driver of an eMSP charges at a CPO: session, updates, and the record at its end."""
        if cpo is None or driver is None:
            cpo, driver = place.PAIRS[self._visits % len(place.PAIRS)]
        self._visits += 1
        began = self._clock.now()
        name = f"{cpo.party}-{began:%m%d%H%M%S}-{self._visits}"
        kwh = Decimal(self._chance.randrange(50, 400)) / 10
        session = place.session(cpo, driver, name, began)
        path = (cpo.country, cpo.party, name)
        await self._send(cpo, "PUT", ModuleId.SESSIONS, *path, body=session)
        self._say(f"Hub: a driver of {driver.title} charges at {cpo.title}")
        await asyncio.sleep(_VISIT_SECONDS)
        ended = self._clock.now()
        update = {"kwh": kwh, "status": "COMPLETED", "last_updated": write_time(ended)}
        await self._send(cpo, "PATCH", ModuleId.SESSIONS, *path, body=update)
        await self._bill(cpo, driver, name, kwh, ended)

    async def _bill(
        self, cpo: Neighbour, driver: Neighbour, name: str, kwh: Decimal, ended: datetime
    ) -> None:
        """The careless CPO adds VAT twice now and then; the hub says so, and it corrects the record."""
        began = ended - timedelta(minutes=int(kwh * 2))
        right = place.record(cpo, driver, name, kwh, (began, ended))
        self._careless += cpo is place.CARELESS
        if cpo is place.CARELESS and self._careless % _WRONG_EVERY == 0:
            answer = await self._post(cpo, place.with_vat_twice(right))
            self._say(f"Hub: a CDR of {cpo.title} comes back: {answer.status_message}")
        await self._post(cpo, right)

    async def _command(self) -> None:
        """An app starts a session at a CPO that it knows by the hub only."""
        driver, cpo = place.TRAVELLERS, place.TELLER
        self._commands += 1
        body = {
            "response_url": f"{self._server.url(self._parties[driver.party])}/sender/commands/{self._commands}",
            "token": place.token(driver, self._clock.now()),
            "location_id": place.location_id(cpo),
            "evse_uid": "E1",
        }
        self._say(f"Hub: the app of {driver.title} asks for a start at {place.location_id(cpo)}")
        await self._send(driver, "POST", ModuleId.COMMANDS, "START_SESSION", body=body)

    async def _obey(self, cpo: Neighbour, got: Got) -> Any:
        """A CPO takes a command, says through the hub how it ended, and the driver charges."""
        if got.module is not ModuleId.COMMANDS:
            return ABSENT
        spawn(self._act(cpo, got.body["response_url"]), f"{cpo.title} acts")
        return {"result": "ACCEPTED", "timeout": 30}

    async def _act(self, cpo: Neighbour, response_url: str) -> None:
        await asyncio.sleep(1)
        try:
            await self._parties[cpo.party].post(response_url, {"result": "ACCEPTED"})
            await self._visit(cpo, place.TRAVELLERS)
        except PartnerFailure as failure:
            self._say(f"Hub: {failure}")

    async def _hear(self, emsp: Neighbour, got: Got) -> Any:
        """What an eMSP is sent: records and results are told to the person at the terminal."""
        if got.module is ModuleId.CDRS:
            cost, owner = (
                got.body["total_cost"]["excl_vat"],
                f"{got.body['country_code']}-{got.body['party_id']}",
            )
            self._say(
                f"Hub: CDR at {emsp.title} from {owner}: {got.body['total_energy']} kWh, "
                f"{cost} {got.body['currency']} without VAT"
            )
        elif got.module is ModuleId.COMMANDS:
            self._say(f"Hub: {emsp.title} hears how its command ended: {got.body['result']}")
        return ABSENT

    async def _post(self, cpo: Neighbour, body: dict[str, Any]) -> Answer:
        return await self._send(cpo, "POST", ModuleId.CDRS, body=body)

    async def _send(
        self, who: Neighbour, method: str, module: ModuleId, *path: str, body: dict[str, Any]
    ) -> Answer:
        roamer = self._parties[who.party]
        return await roamer.send(method, module, InterfaceRole.RECEIVER, *path, body=body)


def _invitation(neighbour: Neighbour) -> str:
    return f"invitation:{neighbour.title}"
