"""A partner on a thread of its own: the simulated eMSP, answering over real HTTP whatever the test is doing."""

import asyncio
import json
import threading
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any, TypeVar

from ocpi.modules import ModuleId
from ocpi.simulator import EmspSimulator, Received
from ocpi.simulator.commands import Commanded
from ocpi.wire.base import render
from ocpi.wire.commands import CommandType
from ocpi.wire.tokens import Token
from tests.flows.house import House, until
from tests.flows.site import Site

T = TypeVar("T")


class Partner:
    """An eMSP: `ledger` is its memory of what it was sent, `faults` the plan of what goes wrong."""

    def __init__(self, party_id: str = "EMS", country_code: str = "DE") -> None:
        self.emsp = EmspSimulator(country_code=country_code, party_id=party_id)
        self.ledger = self.emsp.ledger
        self.faults = self.emsp.faults
        self.id = ""

    def start(self) -> None:
        """Listen."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="eMSP", daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.emsp.start(), self._loop).result(10)

    def end(self) -> None:
        """Stop for good."""
        asyncio.run_coroutine_threadsafe(self.emsp.aclose(), self._loop).result(20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Let the partner do something on its own loop."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def go_away(self) -> None:
        """Stop listening; what was received stays."""
        await self.do(self.emsp.stop())

    async def come_back(self) -> None:
        """Listen again on the same port."""
        await self.do(self.emsp.start())

    async def catch_up(self, house: House, seconds: float = 30.0) -> None:
        """Be well again and look for what is new, as a partner does that was away, until nothing is left to tell."""
        self.faults.heal()

        async def nothing_left() -> bool:
            await self.pull(ModuleId.TARIFFS)
            # All states in one look: a delivery that moves from one to another must not slip between two.
            told = await house.admin.all("deliveries", partner=self.id)
            return all(each["state"] in ("delivered", "dead") for each in told)

        try:
            await until(nothing_left, seconds)
        except TimeoutError:
            left = await house.admin.all("deliveries", partner=self.id)
            raise AssertionError(
                [each for each in left if each["state"] not in ("delivered", "dead")]
            ) from None

    async def register(self, house: House) -> None:
        """Register with the house by the token A that its operator hands out."""
        invited = await house.admin.post("partners", {"name": "Elbe Mobility", "platform": "cpo"})
        self.id = invited["id"]
        house.secrets.add(invited["token_a"])
        await self.do(self.emsp.register(invited["versions_url"], invited["token_a"]))
        self.know_secrets(house)

    def know_secrets(self, house: House) -> None:
        """The tokens in use in both directions must never be shown."""
        state = self.emsp.registration.dump()
        house.secrets |= {*state["accepted"], state["connection"]["token"]}

    async def give_token(self, uid: str, **changes: Any) -> Token:
        """Push a driver's token to the house."""
        values = {
            "country_code": self.emsp.identity.country_code,
            "party_id": self.emsp.identity.party_id,
            "uid": uid,
            "type": "RFID",
            "contract_id": f"DE-EMS-C{uid}",
            "issuer": "Elbe Mobility",
            "valid": True,
            "whitelist": "ALLOWED",
            "last_updated": datetime.now(UTC),
        }
        token = Token(**(values | changes))
        await self.do(self.emsp.push_token(token))
        return token

    def token(self, uid: str, **changes: Any) -> Token:
        """A driver's token, told to nobody."""
        values = {
            "country_code": self.emsp.identity.country_code,
            "party_id": self.emsp.identity.party_id,
            "uid": uid,
            "type": "APP_USER",
            "contract_id": f"DE-EMS-C{uid}"[:36],
            "issuer": "Elbe Mobility",
            "valid": True,
            "whitelist": "NEVER",
            "last_updated": datetime.now(UTC),
        }
        return Token(**(values | changes))

    async def command(self, type_: CommandType, **fields: Any) -> Commanded:
        """Send a command, answered in any way."""
        return await self.do(self.emsp.command(type_, **fields))

    async def result(self, commanded: Commanded, seconds: float = 30) -> str:
        """The one result of a command, as soon as it is here."""
        results = self.emsp.commander.results
        await until(lambda: results.get(commanded.uid), seconds)
        assert len(results[commanded.uid]) == 1, results[commanded.uid]
        return str(results[commanded.uid][0].result)

    async def pull(self, module: ModuleId) -> dict[str, Any]:
        """A whole list of the house's, by id."""
        return {each["id"]: each for each in await self.do(self.emsp.pull(module))}

    def messages(self, kind: str, object_id: str = "") -> list[Received]:
        """What was sent about objects of a kind, in order; with an id only what names it in its URL or body."""
        return [each for each in list(self.ledger.messages) if each.kind == kind and _names(each, object_id)]

    async def cdr(self, session_id: str, seconds: float = 30) -> Any:
        """The CDR of a session, as soon as the partner has it."""
        return await until(lambda: next(iter(self.cdrs(session_id)), None), seconds)

    def cdrs(self, session_id: str) -> list[Any]:
        """Every CDR of a session, as JSON."""
        found = [each for each in list(self.ledger.cdrs.values()) if each.session_id == session_id]
        return [json.loads(render(each)) for each in found]

    def evse_status(self, site: Site, connector: int = 1) -> str | None:
        """What drivers see of an EVSE."""
        location = self.ledger.locations.get(site.location)
        evses = location.evses or [] if location is not None else []
        return next((str(each.status) for each in evses if each.uid == site.evse(connector)), None)

    def problems(self) -> list[str]:
        """What was wrong with messages that were sent."""
        return [
            f"{each.method} {each.path}: {each.problem}"
            for each in list(self.ledger.messages)
            if each.problem
        ]


def _names(message: Received, object_id: str) -> bool:
    body = message.body if isinstance(message.body, dict) else {}
    return not object_id or object_id in message.path or object_id in (body.get("id"), body.get("session_id"))
