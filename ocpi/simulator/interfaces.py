"""The HTTP interfaces of a simulated eMSP: what it answers to versions, credentials, pushes and pulls."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol
from urllib.parse import quote, unquote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.kit.clock import Clock
from ocpi.envelope import ABSENT, MEDIA_TYPE, failure, page, success
from ocpi.errors import (
    InvalidParameterError,
    MethodNotAllowedError,
    NotFoundError,
    OcpiError,
    UnauthorizedError,
    UnknownTokenError,
)
from ocpi.headers import CORRELATION_ID, REQUEST_ID, MessageIds, RoutedParty, Routing
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.paging import PageRequest, page_headers
from ocpi.simulator import driver
from ocpi.simulator.commands import Commander
from ocpi.simulator.ledger import Ledger, Received
from ocpi.simulator.registration import Identity, Registration
from ocpi.strict_json import parse_body
from ocpi.versions import Version
from ocpi.wire.base import WireModel, render, same_id
from ocpi.wire.cdrs import CDR
from ocpi.wire.commands import CommandResult
from ocpi.wire.tokens import AllowedType, AuthorizationInfo, LocationReferences, Token

LARGEST_PAGE = 100
RECEIVED_MODULES = (ModuleId.LOCATIONS, ModuleId.SESSIONS, ModuleId.CDRS, ModuleId.TARIFFS)
_VERSION = f"/ocpi/{Version.V2_2_1}"
_SHAPES = {"locations": (1, 3), "sessions": (1, 1), "tariffs": (1, 1)}


class Emsp(driver.DriversEmsp, Protocol):
    """What the interfaces need of the eMSP behind them; the words are explained at EmspSimulator."""

    clock: Clock
    identity: Identity
    registration: Registration
    ledger: Ledger
    tokens: list[Token]
    verdicts: dict[str, AllowedType]
    asked: list[str]
    commander: Commander

    @property
    def base_url(self) -> str: ...

    def introduce_tokens_soon(self) -> None: ...

    def new_reference(self) -> str: ...


Handler = Callable[[Emsp, Request], Awaitable[Response]]


def build_app(emsp: Emsp) -> Starlette:
    """Make the ASGI app of a simulated eMSP."""

    def route(path: str, handler: Handler, *methods: str) -> Route:
        async def endpoint(request: Request) -> Response:
            return await _enveloped(emsp, request, handler)

        return Route(path, endpoint, methods=list(methods))

    async def lost(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        wrong = (
            MethodNotAllowedError("wrong method") if status == 405 else NotFoundError("there is nothing here")
        )
        return _refuse(emsp, request, wrong)

    return Starlette(
        routes=[
            route("/ocpi/versions", _versions, "GET"),
            route(_VERSION, _details, "GET"),
            route(_VERSION + "/credentials", _credentials, "GET", "POST", "PUT", "DELETE"),
            route(_VERSION + "/receiver/cdrs", _post_cdr, "POST"),
            route(_VERSION + "/receiver/cdrs/{cdr_id}", _get_cdr, "GET"),
            route(_VERSION + "/receiver/{kind}/{path:path}", _receive, "GET", "PUT", "PATCH", "DELETE"),
            route(_VERSION + "/sender/tokens", _list_tokens, "GET"),
            route(_VERSION + "/sender/tokens/{uid}/authorize", _authorize, "POST"),
            route(_VERSION + "/sender/commands/{command}/{uid}", _take_result, "POST"),
            route("/received/{kind}", _show, "GET"),
            *driver.routes(emsp),
        ],
        exception_handlers={HTTPException: lost},
    )


async def _enveloped(emsp: Emsp, request: Request, handler: Handler) -> Response:
    try:
        response = await handler(emsp, request)
    except OcpiError as error:
        return _refuse(emsp, request, error)
    response.headers.update(_echoed(request))
    return response


def _refuse(emsp: Emsp, request: Request, error: OcpiError) -> Response:
    body = failure(error, now=emsp.clock.now())
    return Response(body, error.http_status, _echoed(request), MEDIA_TYPE)


def _echoed(request: Request) -> dict[str, str]:
    headers = MessageIds.read(request.headers).headers()
    try:
        return headers | Routing.parse(request.headers).swapped().headers()
    except OcpiError:
        return headers


def _respond(emsp: Emsp, data: object = ABSENT, *, status: int = 200, **headers: str) -> Response:
    body = success(data, now=emsp.clock.now())
    return Response(
        body, status, {name.replace("_", "-"): value for name, value in headers.items()}, MEDIA_TYPE
    )


async def _versions(emsp: Emsp, request: Request) -> Response:
    emsp.registration.authenticate(request.headers.get("Authorization"), invited_too=True)
    return _respond(emsp, [{"version": Version.V2_2_1, "url": emsp.base_url + _VERSION}])


async def _details(emsp: Emsp, request: Request) -> Response:
    emsp.registration.authenticate(request.headers.get("Authorization"), invited_too=True)
    base = emsp.base_url + _VERSION
    endpoints = [(ModuleId.CREDENTIALS, InterfaceRole.SENDER, f"{base}/credentials")]
    endpoints += [(each, InterfaceRole.RECEIVER, f"{base}/receiver/{each}") for each in RECEIVED_MODULES]
    endpoints.append((ModuleId.TOKENS, InterfaceRole.SENDER, f"{base}/sender/tokens"))
    endpoints.append((ModuleId.COMMANDS, InterfaceRole.SENDER, f"{base}/sender/commands"))
    written = [{"identifier": module, "role": role, "url": url} for module, role, url in endpoints]
    return _respond(emsp, {"version": Version.V2_2_1, "endpoints": written})


async def _credentials(emsp: Emsp, request: Request) -> Response:
    registration, header = emsp.registration, request.headers.get("Authorization")
    registration.authenticate(header, invited_too=True)
    if request.method == "GET":
        return _respond(emsp, render(registration.shown(header)))
    if request.method == "DELETE":
        if registration.connection is None:
            raise MethodNotAllowedError("not registered")
        registration.forget()
        return _respond(emsp)
    renewing = request.method == "PUT"
    ours = await registration.accept(parse_body(await request.body()), renewing=renewing)
    emsp.introduce_tokens_soon()
    return _respond(emsp, render(ours))


async def _receive(emsp: Emsp, request: Request) -> Response:
    """Serve the receiver interfaces of the client owned objects."""
    emsp.registration.authenticate(request.headers.get("Authorization"))
    kind = request.path_params["kind"]
    path = [unquote(part) for part in request.path_params["path"].strip("/").split("/")]
    shortest, longest = _SHAPES.get(kind, (0, -1))
    if not shortest <= len(path) - 2 <= longest:
        raise NotFoundError("there is nothing here")
    if request.method == "GET":
        return _respond(emsp, render(emsp.ledger.find(kind, path[2:])))
    return await _noted(emsp, request, kind, lambda body: _take(emsp, request, kind, path, body))


def _take(emsp: Emsp, request: Request, kind: str, path: list[str], body: Any) -> Response:
    _require_owner(emsp, path[0], path[1], body)
    match request.method, kind:
        case "PUT", _:
            return _respond(emsp, status=201 if emsp.ledger.put(kind, path[2:], body) else 200)
        case "PATCH", "locations" | "sessions":
            emsp.ledger.patch(kind, path[2:], body)
        case "DELETE", "tariffs":
            emsp.ledger.delete_tariff(path[2])
        case _:
            raise MethodNotAllowedError(f"{kind} have no {request.method}")
    return _respond(emsp)


async def _post_cdr(emsp: Emsp, request: Request) -> Response:
    emsp.registration.authenticate(request.headers.get("Authorization"))

    def take(body: Any) -> Response:
        cdr = CDR.read(body)
        _require_owner(emsp, cdr.country_code, cdr.party_id, body)
        new = emsp.ledger.post_cdr(cdr)
        place = f"{emsp.base_url}{_VERSION}/receiver/cdrs/{quote(cdr.id, safe='')}"
        return _respond(emsp, status=201 if new else 200, Location=place)

    return await _noted(emsp, request, "cdrs", take)


async def _get_cdr(emsp: Emsp, request: Request) -> Response:
    emsp.registration.authenticate(request.headers.get("Authorization"))
    return _respond(emsp, render(emsp.ledger.find("cdrs", [request.path_params["cdr_id"]])))


async def _take_result(emsp: Emsp, request: Request) -> Response:
    emsp.registration.authenticate(request.headers.get("Authorization"))

    def take(body: Any) -> Response:
        emsp.commander.take(request.path_params["uid"], CommandResult.read(body))
        return _respond(emsp)

    return await _noted(emsp, request, "commands", take)


async def _noted(emsp: Emsp, request: Request, kind: str, take: Callable[[Any], Response]) -> Response:
    """Judge a pushed message by every rule we know, and write down what became of it."""
    body: Any = None
    problem: str | None = None
    try:
        raw = await request.body()
        _require_headers(emsp, request)
        body = parse_body(raw) if request.method != "DELETE" else None
        return take(body)
    except OcpiError as error:
        problem = error.message
        raise
    finally:
        headers = {name: value for name, value in request.headers.items() if name != "authorization"}
        emsp.ledger.note(
            Received(
                at=emsp.clock.now(),
                kind=kind,
                method=request.method,
                path=request.url.path,
                headers=headers,
                body=body,
                problem=problem,
            )
        )


def _require_headers(emsp: Emsp, request: Request) -> None:
    routing = Routing.parse(request.headers)
    if routing.to is None or routing.sender is None:
        raise InvalidParameterError("the OCPI-to and OCPI-from headers are missing")
    us = RoutedParty(emsp.identity.country_code, emsp.identity.party_id)
    if routing.to.key != us.key:
        raise InvalidParameterError("the message is not for us")
    connection = emsp.registration.connection
    if connection is None or not connection.speaks_for(routing.sender.country_code, routing.sender.party_id):
        raise InvalidParameterError("the message comes from a party that its sender does not speak for")
    for name in (REQUEST_ID, CORRELATION_ID):
        if name not in request.headers:
            raise InvalidParameterError(f"{name} is missing")
    if request.method != "DELETE" and request.headers.get("Content-Type", "").split(";")[0] != MEDIA_TYPE:
        raise InvalidParameterError("the Content-Type is not application/json")


def _require_owner(emsp: Emsp, country_code: str, party_id: str, body: Any) -> None:
    connection = emsp.registration.connection
    if connection is None or not connection.speaks_for(country_code, party_id):
        raise NotFoundError("that party is none of yours")
    if not isinstance(body, dict):
        return
    for name, in_url in (("country_code", country_code), ("party_id", party_id)):
        if isinstance(body.get(name), str) and not same_id(body[name], in_url):
            raise InvalidParameterError(f"{name} in the body is not the one in the URL")


async def _list_tokens(emsp: Emsp, request: Request) -> Response:
    emsp.registration.authenticate(request.headers.get("Authorization"))
    asked = PageRequest.parse(request.query_params, largest=LARGEST_PAGE)
    found = [
        token
        for token in emsp.tokens
        if (asked.date_from is None or token.last_updated >= asked.date_from)
        and (asked.date_to is None or token.last_updated < asked.date_to)
    ]
    shown = found[asked.offset : asked.offset + asked.limit]
    headers = page_headers(
        asked,
        url=f"{emsp.base_url}{_VERSION}/sender/tokens",
        total=len(found),
        largest=LARGEST_PAGE,
        has_more=asked.offset + asked.limit < len(found),
    )
    return Response(page(map(render, shown), now=emsp.clock.now()), 200, headers, MEDIA_TYPE)


async def _authorize(emsp: Emsp, request: Request) -> Response:
    """Answer real-time authorization by `emsp.verdicts`, else by whether the token is valid."""
    emsp.registration.authenticate(request.headers.get("Authorization"))
    raw = await request.body()
    asked = LocationReferences.read(parse_body(raw)) if raw.strip() else None
    uid, kind = request.path_params["uid"], request.query_params.get("type", "RFID")
    emsp.asked.append(uid)
    token = next((each for each in emsp.tokens if same_id(each.uid, uid) and each.type == kind), None)
    if token is None:
        raise UnknownTokenError("we do not know this token")
    verdict = emsp.verdicts.get(token.uid, AllowedType.ALLOWED if token.valid else AllowedType.BLOCKED)
    allowed = verdict is AllowedType.ALLOWED
    info = AuthorizationInfo(
        allowed=verdict,
        token=token,
        location=asked if allowed else None,
        authorization_reference=emsp.new_reference() if allowed else None,
    )
    return _respond(emsp, render(info))


async def _show(emsp: Emsp, request: Request) -> Response:
    """Show a person what was received; loopback only, no token needed."""
    if request.client is None or request.client.host not in ("127.0.0.1", "::1"):
        raise UnauthorizedError("only from this machine")
    kind = request.path_params["kind"]
    objects: list[WireModel] = list(emsp.ledger.of(kind).values())
    messages = [
        {"at": each.at, "method": each.method, "path": each.path, "problem": each.problem, "body": each.body}
        for each in emsp.ledger.messages
        if each.kind == kind
    ]
    return _respond(emsp, {"objects": [each.to_wire() for each in objects], "messages": messages})
