"""An eMSP to play against: registers, gives tokens, receives pushes, pulls lists."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime
from typing import Any
from urllib.parse import quote

import uvicorn

from app.kit.clock import Clock, SystemClock
from app.kit.tasks import spawn
from ocpi.client import Answer, PartnerClient, open_client
from ocpi.envelope import require_success
from ocpi.errors import MissingEndpointsError, PartnerFailure
from ocpi.headers import RoutedParty, Routing
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.simulator.commands import Commanded, Commander
from ocpi.simulator.faults import FaultPlan, FaultyApp, ResettableProtocol
from ocpi.simulator.interfaces import build_app
from ocpi.simulator.ledger import Ledger
from ocpi.simulator.registration import Identity, Registration
from ocpi.simulator.serving import QuietServer
from ocpi.versions import Version
from ocpi.wire.base import render
from ocpi.wire.commands import CommandType
from ocpi.wire.sessions import ChargingPreferences
from ocpi.wire.tokens import AllowedType, Token

_TRIES = 5
_POLL_SECONDS = 0.01


class EmspSimulator:
    """A partner with a server of its own and a memory of all that it received.

    `ledger` is that memory, `faults` the plan of what goes wrong, `tokens` the list that it offers, `verdicts` its
    answers to real-time authorization by uid, `asked` the uids it was asked for, `commander.results` what became of
    its commands.
    """

    def __init__(
        self,
        *,
        country_code: str = "DE",
        party_id: str = "EMS",
        name: str = "Elbe Mobility",
        tokens: Iterable[Token] = (),
        host: str = "127.0.0.1",
        port: int = 0,
        base_url: str | None = None,
        token_a: str | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.identity = Identity(country_code, party_id, name)
        self.clock: Clock = clock or SystemClock()
        self.tokens = list(tokens)
        self.verdicts: dict[str, AllowedType] = {}
        self.asked: list[str] = []
        self.ledger = Ledger()
        self.faults = FaultPlan()
        self._client: PartnerClient = open_client()
        self.registration = Registration(self.identity, self._client)
        self.commander = Commander(self._client, self.registration)
        if token_a is not None:
            self.registration.invite(token_a)
        self._host, self._port, self._base_url = host, port, base_url
        self._server: QuietServer | None = None
        self._serving: asyncio.Task[None] | None = None
        self._introducing: asyncio.Task[None] | None = None
        self._references = 0

    @property
    def base_url(self) -> str:
        """Where the partner is reached; known once it is started."""
        return self._base_url or f"http://{self._host}:{self._port}"

    @property
    def versions_url(self) -> str:
        """The URL to register at."""
        return f"{self.base_url}/ocpi/versions"

    async def start(self) -> None:
        """Listen; port 0 takes a free one."""
        listener = socket.create_server((self._host, self._port))
        self._port = listener.getsockname()[1]
        self.registration.versions_url = self.versions_url
        config = uvicorn.Config(
            FaultyApp(build_app(self), self.faults),
            http=ResettableProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=1,
        )
        self._server = QuietServer(config)
        self._serving = spawn(self._server.serve(sockets=[listener]), f"eMSP {self.identity.name}")
        await self._server.ready.wait()

    async def stop(self) -> None:
        """Stop listening; what was received stays, and `start` may be called again on the same port."""
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            await self._serving
            self._server = self._serving = None

    async def aclose(self) -> None:
        """Stop for good."""
        if self._introducing is not None:
            self._introducing.cancel()
        await self.stop()
        await self._client.aclose()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["EmspSimulator"]:
        """Listen within a `with` block, and close everything behind it."""
        await self.start()
        try:
            yield self
        finally:
            await self.aclose()

    async def register(self, versions_url: str, token_a: str) -> None:
        """Register with a CPO that handed us `token_a`, then push our tokens to it.

        Raises PartnerFailure or OcpiError; a failed handshake leaves everything as it was.
        """
        await self.registration.register(versions_url, token_a)
        if self.registration.url_of(ModuleId.TOKENS, InterfaceRole.RECEIVER) is not None:
            await self.push_tokens()

    async def push_token(self, token: Token) -> None:
        """PUT one token; raises PartnerFailure when it is not taken."""
        url = self.registration.url_of(ModuleId.TOKENS, InterfaceRole.RECEIVER)
        if url is None:
            raise MissingEndpointsError("the partner does not receive tokens")
        path = "/".join(quote(part, safe="") for part in (token.country_code, token.party_id, token.uid))
        answer = await self._client.send(
            "PUT",
            f"{url.rstrip('/')}/{path}?type={token.type}",
            self.registration.peer(),
            body=render(token),
            routing=self._routing(),
        )
        require_success(answer)

    async def push_tokens(self) -> None:
        """PUT all our tokens, one after the other."""
        for token in self.tokens:
            await self.push_token(token)

    async def command(self, type_: CommandType, **fields: Any) -> Commanded:
        """Send a command; its fields as in OCPI, the response_url is ours unless one is given."""
        results_url = f"{self.base_url}/ocpi/{Version.V2_2_1}/sender/commands"
        return await self.commander.send(type_, results_url, self._routing(), **fields)

    async def prefer(self, session_id: str, preferences: ChargingPreferences) -> Answer:
        """PUT what a driver prefers for a running session, answered in any way."""
        url = self.registration.url_of(ModuleId.SESSIONS, InterfaceRole.SENDER)
        if url is None:
            raise MissingEndpointsError("the partner has no sessions")
        return await self._client.send(
            "PUT",
            f"{url.rstrip('/')}/{quote(session_id, safe='')}/charging_preferences",
            self.registration.peer(),
            body=render(preferences),
            routing=self._routing(),
        )

    async def pull(
        self, module: ModuleId, *, date_from: datetime | None = None, limit: int = 50
    ) -> list[Any]:
        """Read a whole list of the CPO as parsed JSON."""
        url = self.registration.url_of(module, InterfaceRole.SENDER)
        if url is None:
            raise MissingEndpointsError(f"the partner does not send {module}")
        peer, routing = self.registration.peer(), self._routing()
        pages = self._client.pages(url, peer, date_from=date_from, limit=limit, routing=routing)
        return [item async for each in pages for item in each.items]

    async def wait_until(self, condition: Callable[[], object], *, seconds: float = 10.0) -> None:
        """Wait until `condition()` is true; raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 - any condition of the caller, with no event to wait for
                await asyncio.sleep(_POLL_SECONDS)

    def introduce_tokens_soon(self) -> None:
        """Push our tokens in the background, once the other side has read our answer to its credentials."""
        if self.registration.url_of(ModuleId.TOKENS, InterfaceRole.RECEIVER) is not None:
            self._introducing = spawn(self._introduce_tokens(), f"tokens of {self.identity.name}")

    def new_reference(self) -> str:
        """Make an authorization reference."""
        self._references += 1
        return f"{self.identity.party_id}-{self._references}"

    async def _introduce_tokens(self) -> None:
        """Try a few times: the other side may not have stored the token we call it with yet."""
        for attempt in range(_TRIES):
            await asyncio.sleep(0.1 * 2**attempt)
            with contextlib.suppress(PartnerFailure):
                await self.push_tokens()
                return

    def _routing(self) -> Routing:
        connection = self.registration.connection
        theirs = connection.roles[0] if connection is not None else None
        return Routing(
            to=RoutedParty(theirs.country_code, theirs.party_id) if theirs is not None else None,
            sender=RoutedParty(self.identity.country_code, self.identity.party_id),
        )
