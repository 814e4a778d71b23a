"""The driver's app of a simulated eMSP: plain HTTP in, real commands to the CPO out, and what came of them."""

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.kit.clock import Clock
from ocpi.errors import OcpiError, PartnerFailure
from ocpi.simulator.commands import Commanded, Commander
from ocpi.simulator.ledger import Ledger
from ocpi.strict_json import parse_body
from ocpi.wire.commands import CommandResponseType, CommandType
from ocpi.wire.sessions import Session
from ocpi.wire.tokens import Token

RESULT_SECONDS = 15.0
_LOOK_SECONDS = 0.05
_LOOPBACK = ("127.0.0.1", "::1")

Wish = Callable[["DriversEmsp", dict[str, Any]], Awaitable[dict[str, Any]]]


class DriversEmsp(Protocol):
    """What the app needs of the eMSP behind it; the words are explained at EmspSimulator."""

    clock: Clock
    tokens: list[Token]
    ledger: Ledger
    commander: Commander

    async def command(self, type_: CommandType, **fields: Any) -> Commanded: ...

    def new_reference(self) -> str: ...


def routes(emsp: DriversEmsp) -> list[Route]:
    """POST /app/start, /stop, /reserve, /cancel and /unlock, each with a JSON object; for this machine only.

    `uid` chooses one of the eMSP's tokens (the first that is valid if left out); a `session_id` or
    `reservation_id` left out is the newest. Answers: what was answered at once, the result within 15 s (else
    null), and for a start the session once the CPO told of it.
    """

    def route(name: str, wish: Wish) -> Route:
        async def endpoint(request: Request) -> Response:
            return await _answered(emsp, request, wish)

        return Route(f"/app/{name}", endpoint, methods=["POST"])

    return [route(name, wish) for name, wish in _WISHES.items()]


async def _answered(emsp: DriversEmsp, request: Request, wish: Wish) -> Response:
    if request.client is None or request.client.host not in _LOOPBACK:
        return JSONResponse({"error": "only from this machine"}, 403)
    try:
        raw = await request.body()
        body = parse_body(raw) if raw.strip() else {}
        if not isinstance(body, dict):
            return JSONResponse({"error": "the body must be a JSON object"}, 400)
        return JSONResponse(await wish(emsp, body))
    except KeyError as missing:
        return JSONResponse({"error": f"{missing.args[0]} is missing"}, 400)
    except (LookupError, ValueError, OcpiError) as error:
        return JSONResponse({"error": str(error)}, 400)
    except PartnerFailure as failure:
        return JSONResponse({"error": f"the CPO could not be asked: {failure}"}, 502)


async def _start(emsp: DriversEmsp, body: dict[str, Any]) -> dict[str, Any]:
    reference = emsp.new_reference()
    place = _given(body, "evse_uid", "connector_id") | {"location_id": body["location_id"]}
    told = await _told(
        emsp,
        CommandType.START_SESSION,
        token=_token(emsp, body),
        authorization_reference=reference,
        **place,
    )
    session = None
    if _accepted(told):
        session = await _soon(lambda: _session_of(emsp.ledger.sessions, reference))
    return told | {"session_id": None if session is None else session.id}


async def _stop(emsp: DriversEmsp, body: dict[str, Any]) -> dict[str, Any]:
    own = [each for each in emsp.ledger.sessions.values() if each.authorization_reference is not None]
    running = [each.id for each in own if each.end_date_time is None]
    return await _told(emsp, CommandType.STOP_SESSION, session_id=_newest(body, "session_id", running))


async def _reserve(emsp: DriversEmsp, body: dict[str, Any]) -> dict[str, Any]:
    reservation_id = secrets.token_hex(4)
    told = await _told(
        emsp,
        CommandType.RESERVE_NOW,
        token=_token(emsp, body),
        reservation_id=reservation_id,
        expiry_date=emsp.clock.now() + timedelta(minutes=float(body.get("minutes", 15))),
        location_id=body["location_id"],
        **_given(body, "evse_uid"),
    )
    if _accepted(told):
        emsp.commander.reservations.append(reservation_id)
    return told | {"reservation_id": reservation_id}


async def _cancel(emsp: DriversEmsp, body: dict[str, Any]) -> dict[str, Any]:
    wanted = _newest(body, "reservation_id", emsp.commander.reservations)
    return await _told(emsp, CommandType.CANCEL_RESERVATION, reservation_id=wanted)


async def _unlock(emsp: DriversEmsp, body: dict[str, Any]) -> dict[str, Any]:
    place = {name: body[name] for name in ("location_id", "evse_uid", "connector_id")}
    return await _told(emsp, CommandType.UNLOCK_CONNECTOR, **place)


_WISHES: Mapping[str, Wish] = {
    "start": _start,
    "stop": _stop,
    "reserve": _reserve,
    "cancel": _cancel,
    "unlock": _unlock,
}


async def _told(emsp: DriversEmsp, type_: CommandType, **fields: Any) -> dict[str, Any]:
    """Send a command, and wait for what the station said."""
    commanded = await emsp.command(type_, **fields)
    response, results = commanded.response, emsp.commander.results
    result = None
    if response is not None and response.result is CommandResponseType.ACCEPTED:
        result = await _soon(lambda: results.get(commanded.uid))
    return {
        "ocpi_status": commanded.answer.status_code,
        "response": None if response is None else response.to_wire(),
        "result": result[-1].to_wire() if result else None,
    }


async def _soon(found: Callable[[], Any]) -> Any:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(RESULT_SECONDS):
            while not found():  # noqa: ASYNC110 - what partners send is looked up, there is no event to wait for
                await asyncio.sleep(_LOOK_SECONDS)
    return found()


def _accepted(told: dict[str, Any]) -> bool:
    return bool(told["result"] and told["result"]["result"] == "ACCEPTED")


def _session_of(sessions: Mapping[str, Session], reference: str) -> Session | None:
    return next((each for each in sessions.values() if each.authorization_reference == reference), None)


def _token(emsp: DriversEmsp, body: dict[str, Any]) -> Token:
    wanted = body.get("uid")
    for token in emsp.tokens:
        if token.uid == wanted or (wanted is None and token.valid):
            return token
    raise LookupError(f"the eMSP has no token {wanted}")


def _given(body: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: body[name] for name in names if name in body}


def _newest(body: dict[str, Any], name: str, known: list[str]) -> str:
    if name in body:
        return str(body[name])
    if not known:
        raise LookupError(f"{name} is missing, and there is none that could be meant")
    return known[-1]
