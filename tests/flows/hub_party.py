"""A party behind the hub, over real HTTP: whatever it is sent it remembers, and answers as the test says."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.kit.tasks import spawn
from ocpi.client import PartnerClient, open_client
from ocpi.headers import authorization
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.simulator.registration import Identity, Registration
from ocpi.strict_json import parse_body
from ocpi.wire.credentials import Credentials, CredentialsRole
from ocpi.wire.types import BusinessDetails, Role

VERSION = "2.2.1"
NOW = "2026-11-20T12:00:00Z"
FUNCTIONAL = [module for module in ModuleId if module.routed]


@dataclass
class Got:
    """A request as it came."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        """The body, read."""
        return json.loads(self.raw)

    @property
    def to(self) -> str:
        """Whom the headers name as receiver."""
        return f"{self.headers.get('ocpi-to-country-code')}-{self.headers.get('ocpi-to-party-id')}"

    @property
    def sender(self) -> str:
        """Whom the headers name as sender."""
        return f"{self.headers.get('ocpi-from-country-code')}-{self.headers.get('ocpi-from-party-id')}"


def ok(data: Any = None, *, status: int = 200, code: int = 1000, **headers: str) -> Response:
    """An OCPI answer."""
    body = {"status_code": code, "timestamp": NOW} | ({} if data is None else {"data": data})
    return JSONResponse(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


@dataclass
class HubParty:
    """`answers` says what is answered to a functional message, `got` what came of them; None hangs for ever."""

    role: Role
    country: str
    party: str
    extra: tuple[tuple[Role, str, str], ...] = ()
    modules: list[ModuleId] = field(default_factory=lambda: list(FUNCTIONAL))
    answers: Callable[[Got], Response | None] = lambda _: ok()
    got: list[Got] = field(default_factory=list)
    partner_id: str = ""

    def __post_init__(self) -> None:
        self.client: PartnerClient = open_client()
        self.identity = Identity(self.country, self.party, f"{self.role} {self.party}", self.role)
        self.registration = _Platform(self.identity, self.client)
        self.registration.extra = self.extra
        self._server: uvicorn.Server | None = None
        self._port = 0
        self._hanging = asyncio.Event()

    @property
    def name(self) -> str:
        """Country and party id."""
        return f"{self.country}-{self.party}"

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def heard(self) -> list[tuple[str, str]]:
        """Method and path of what came."""
        return [(each.method, each.path) for each in self.got]

    async def start(self) -> None:
        """Listen, on the same port as before."""
        listener = socket.create_server(("127.0.0.1", self._port))
        self._port = listener.getsockname()[1]
        self.registration.versions_url = f"{self.url}/ocpi/versions"
        app = Starlette(
            routes=[
                Route("/ocpi/versions", self._versions),
                Route(f"/ocpi/{VERSION}", self._details),
                Route(f"/ocpi/{VERSION}/credentials", self._credentials, methods=["POST", "PUT", "DELETE"]),
                Route("/{path:path}", self._any, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
            ]
        )
        config = uvicorn.Config(
            app, ws="none", lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=1
        )
        self._server = _Server(config)
        self._serving = spawn(self._server.serve(sockets=[listener]), self.name)
        while not self._server.started:
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Stop listening."""
        self._hanging.set()
        if self._server is not None:
            self._server.should_exit = self._server.force_exit = True
            await self._serving
            self._server = None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["HubParty"]:
        """Listen within a `with` block."""
        await self.arrive()
        try:
            yield self
        finally:
            await self.leave()

    async def arrive(self) -> None:
        """Listen, and be able to call."""
        await self.start()
        self.http = httpx.AsyncClient(trust_env=False, timeout=30)

    async def leave(self) -> None:
        """Neither listen nor call any more."""
        await self.http.aclose()
        await self.stop()
        await self.client.aclose()

    async def register(self, versions_url: str, token_a: str) -> None:
        """Register with the hub."""
        await self.registration.register(versions_url, token_a)

    def endpoint(self, module: str, role: str) -> str:
        """The hub's interface."""
        found = self.registration.url_of(ModuleId(module), InterfaceRole(role))
        assert found is not None
        return found

    async def call(
        self,
        method: str,
        url: str,
        *,
        to: str | None = None,
        sender: str | None = "",
        body: Any = None,
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Call the hub: `url` is `sender/locations/...` or absolute, parties are written `NL-AAA`."""
        if "://" not in url:
            role, module, *rest = url.split("/", 2)
            module, mark, query = module.partition("?")
            url = "/".join([self.endpoint(module, role.upper()), *rest]) + mark + query
        named = {"Authorization": authorization(self.registration.peer().token)}
        for word, party in (("to", to), ("from", self.name if sender == "" else sender)):
            if party is not None:
                country, _, party_id = party.partition("-")
                named |= {f"OCPI-{word}-country-code": country, f"OCPI-{word}-party-id": party_id}
        content = raw if raw is not None else None if body is None else json.dumps(body).encode()
        if content is not None:
            named["Content-Type"] = "application/json"
        return await self.http.request(method, url, content=content, headers=named | (headers or {}))

    async def _versions(self, request: Request) -> Response:
        self.registration.authenticate(request.headers.get("Authorization"), invited_too=True)
        return ok([{"version": VERSION, "url": f"{self.url}/ocpi/{VERSION}"}])

    async def _details(self, request: Request) -> Response:
        self.registration.authenticate(request.headers.get("Authorization"), invited_too=True)
        base = f"{self.url}/ocpi/{VERSION}"
        endpoints = [{"identifier": "credentials", "role": "SENDER", "url": f"{base}/credentials"}]
        endpoints += [
            {"identifier": module, "role": role, "url": f"{base}/{role.lower()}/{module}/"}
            for module in self.modules
            for role in InterfaceRole
        ]
        return ok({"version": VERSION, "endpoints": endpoints})

    async def _credentials(self, request: Request) -> Response:
        self.registration.authenticate(request.headers.get("Authorization"), invited_too=True)
        if request.method == "DELETE":
            self.registration.forget()
            return ok()
        ours = await self.registration.accept(
            parse_body(await request.body()), renewing=request.method == "PUT"
        )
        return ok(ours.to_wire())

    async def _any(self, request: Request) -> Response:
        self.registration.authenticate(request.headers.get("Authorization"))
        raw = await request.body()
        path = request.scope["raw_path"].decode()
        got = Got(request.method, path, request.url.query, dict(request.headers), raw)
        self.got.append(got)
        answer = self.answers(got)
        if answer is None:
            await self._hanging.wait()
            return Response(status_code=500)
        return answer


class _Platform(Registration):
    """A platform that may have more parties than one."""

    extra: tuple[tuple[Role, str, str], ...] = ()

    def credentials(self, token: str) -> Credentials:
        """All parties, the first one first."""
        own = super().credentials(token)
        more = [
            CredentialsRole(
                role=role, country_code=country, party_id=party, business_details=BusinessDetails(name=party)
            )
            for role, country, party in self.extra
        ]
        return Credentials(token=own.token, url=own.url, roles=[*own.roles, *more])


class _Server(uvicorn.Server):
    """A server that leaves the signals of the test run alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
