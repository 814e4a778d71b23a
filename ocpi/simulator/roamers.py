"""Parties behind a hub, all on one port: each with its own registration, objects and whatever it does with messages."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.kit.clock import Clock
from app.kit.tasks import spawn
from ocpi.client import Answer, PartnerClient, open_client
from ocpi.envelope import ABSENT, MEDIA_TYPE, failure, page, success
from ocpi.errors import MissingEndpointsError, NotFoundError, OcpiError
from ocpi.headers import MessageIds, RoutedParty, Routing
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.paging import PageRequest, page_headers
from ocpi.simulator.registration import Identity, Registration
from ocpi.simulator.serving import QuietServer
from ocpi.strict_json import parse_body
from ocpi.versions import Version

_LARGEST_PAGE = 100

_render = msgspec.json.Encoder(decimal_format="number").encode


class Got(NamedTuple):
    """A message as it came: `path` is what follows the interface."""

    module: ModuleId
    role: InterfaceRole
    method: str
    path: tuple[str, ...]
    body: Any
    sender: RoutedParty | None


Take = Callable[[Got], Awaitable[Any]]
"""What a party does with a message; gives the data of its answer, ABSENT for none."""


class Roamer:
    """One party. `lists` are the objects that it shows to whoever asks, by module; `take` gets all other messages."""

    def __init__(
        self, identity: Identity, client: PartnerClient, interfaces: Sequence[tuple[ModuleId, InterfaceRole]]
    ) -> None:
        self.identity = identity
        self.interfaces = interfaces
        self.lists: dict[ModuleId, list[dict[str, Any]]] = {}
        self.registration = Registration(identity, client)
        self._client = client
        self.take: Take = _taken

    @property
    def name(self) -> str:
        """Country and party id."""
        return f"{self.identity.country_code}-{self.identity.party_id}"

    async def send(
        self,
        method: str,
        module: ModuleId,
        role: InterfaceRole,
        *path: str,
        body: Any = None,
        query: str = "",
    ) -> Answer:
        """A message without receiver: the hub finds out whom it concerns. Raises PartnerFailure."""
        url = self.registration.url_of(module, role)
        if url is None:
            raise MissingEndpointsError(f"the hub has no {module} as {role}")
        where = "/".join([url.rstrip("/"), *(quote(part, safe="") for part in path)])
        return await self.post(f"{where}{query}", body, method=method)

    async def post(self, url: str, body: Any, *, method: str = "POST") -> Answer:
        """A message to a URL that the hub gave."""
        sender = RoutedParty(self.identity.country_code, self.identity.party_id)
        raw = None if body is None else _render(body)
        return await self._client.send(
            method, url, self.registration.peer(), body=raw, routing=Routing(to=None, sender=sender)
        )


class Roamers:
    """The server that all parties share; each lives under its own path."""

    def __init__(self, clock: Clock, port: int, *, host: str = "127.0.0.1") -> None:
        self._clock, self._host, self._port = clock, host, port
        self._client = open_client()
        self._all: dict[str, Roamer] = {}
        self._server: QuietServer | None = None

    def add(self, identity: Identity, interfaces: Sequence[tuple[ModuleId, InterfaceRole]]) -> Roamer:
        """One more party, before the start."""
        roamer = Roamer(identity, self._client, interfaces)
        self._all[identity.party_id.lower()] = roamer
        return roamer

    async def start(self) -> None:
        """Listen; port 0 takes a free one."""
        listener = socket.create_server((self._host, self._port))
        self._port = listener.getsockname()[1]
        for roamer in self._all.values():
            roamer.registration.versions_url = f"{self.url(roamer)}/versions"
        methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        app = Starlette(routes=[Route("/{party}/{path:path}", self._answer, methods=methods)])
        config = uvicorn.Config(
            app, ws="none", lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=1
        )
        self._server = QuietServer(config)
        self._serving = spawn(self._server.serve(sockets=[listener]), "parties behind the hub")
        await self._server.ready.wait()

    async def aclose(self) -> None:
        """Stop for good."""
        if self._server is not None:
            self._server.should_exit = True
            await self._serving
        await self._client.aclose()

    def url(self, roamer: Roamer) -> str:
        """Where a party is."""
        return f"http://{self._host}:{self._port}/{roamer.identity.party_id.lower()}"

    async def _answer(self, request: Request) -> Response:
        ids = MessageIds.read(request.headers).headers()
        try:
            roamer = self._all.get(request.path_params["party"])
            if roamer is None:
                raise NotFoundError("there is nothing here")
            response = await self._of(roamer, request)
        except OcpiError as error:
            return Response(failure(error, now=self._clock.now()), error.http_status, ids, MEDIA_TYPE)
        response.headers.update(ids)
        return response

    async def _of(self, roamer: Roamer, request: Request) -> Response:
        path = tuple(request.path_params["path"].strip("/").split("/"))
        configuring = path[0] in ("versions", Version.V2_2_1, "credentials")
        roamer.registration.authenticate(request.headers.get("Authorization"), invited_too=configuring)
        base = self.url(roamer)
        match path:
            case ("versions",):
                return self._said([{"version": Version.V2_2_1, "url": f"{base}/{Version.V2_2_1}"}])
            case (Version.V2_2_1,):
                return self._said({"version": Version.V2_2_1, "endpoints": self._endpoints(roamer)})
            case ("credentials",):
                return await self._credentials(roamer, request)
            case (role, module, *rest) if role in ("sender", "receiver"):
                return await self._message(
                    roamer, request, ModuleId(module), InterfaceRole(role.upper()), rest
                )
        raise NotFoundError("there is nothing here")

    async def _message(
        self, roamer: Roamer, request: Request, module: ModuleId, role: InterfaceRole, rest: list[str]
    ) -> Response:
        if request.method == "GET" and role is InterfaceRole.SENDER and not rest:
            return self._list(roamer, request, module)
        raw = await request.body()
        body = parse_body(raw) if raw else None
        sender = Routing.parse(request.headers).sender
        data = await roamer.take(Got(module, role, request.method, tuple(rest), body, sender))
        return self._said(data, 201 if request.method == "POST" and module is ModuleId.CDRS else 200)

    def _list(self, roamer: Roamer, request: Request, module: ModuleId) -> Response:
        asked = PageRequest.parse(request.query_params, largest=_LARGEST_PAGE)
        found = roamer.lists.get(module, [])
        shown = found[asked.offset : asked.offset + asked.limit]
        headers = page_headers(
            asked,
            url=f"{self.url(roamer)}/sender/{module}",
            total=len(found),
            largest=_LARGEST_PAGE,
            has_more=asked.offset + asked.limit < len(found),
        )
        return Response(page(map(_render, shown), now=self._clock.now()), 200, headers, MEDIA_TYPE)

    async def _credentials(self, roamer: Roamer, request: Request) -> Response:
        if request.method == "DELETE":
            roamer.registration.forget()
            return self._said(ABSENT)
        ours = await roamer.registration.accept(
            parse_body(await request.body()), renewing=request.method == "PUT"
        )
        return self._said(ours.to_wire())

    def _endpoints(self, roamer: Roamer) -> list[dict[str, str]]:
        base = self.url(roamer)
        found = [(str(ModuleId.CREDENTIALS), "SENDER", f"{base}/credentials")]
        found += [
            (str(module), str(role), f"{base}/{role.lower()}/{module}") for module, role in roamer.interfaces
        ]
        return [{"identifier": module, "role": role, "url": url} for module, role, url in found]

    def _said(self, data: Any, status: int = 200) -> Response:
        return Response(success(data, now=self._clock.now()), status, media_type=MEDIA_TYPE)


async def _taken(_: Got) -> Any:
    await asyncio.sleep(0)
    return ABSENT
