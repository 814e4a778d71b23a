"""How a simulated partner misbehaves: the kinds of faults, the plan of when, and the server that carries them out."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum

from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_TRANSPORT = "voltbridge.transport"
_HUGE = 20 * 1024 * 1024


class FaultKind(StrEnum):
    """What goes wrong with one answer."""

    OK = "ok"
    SLOW = "slow"
    """Does what was asked, `seconds` later."""
    HTTP_500 = "500"
    HTTP_503 = "503"
    """With Retry-After of `seconds`."""
    HTTP_429 = "429"
    HTTP_401 = "401"
    HTTP_404 = "404"
    HTML_200 = "html200"
    EMPTY_200 = "empty200"
    BAD_JSON = "badjson"
    NO_ENVELOPE = "no-envelope"
    OCPI_2001 = "2001"
    OCPI_3000 = "3000"
    RESET_BEFORE = "reset-before"
    """The connection breaks before anything is done."""
    RESET_AFTER_STORE = "reset-after-store"
    """The connection breaks after everything was done, before the answer."""
    DRIP = "drip"
    """Answers a blank now and then, for `seconds`."""
    REDIRECT = "redirect"
    HUGE_BODY = "huge-body"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; what `seconds` means depends on its kind."""

    kind: FaultKind
    seconds: float = 1.0


class FaultPlan:
    """Which answers go wrong; each module has its own plan, and there is one for all of them."""

    def __init__(self) -> None:
        self._next: dict[str | None, deque[Fault]] = {}
        self._always: dict[str | None, Fault] = {}
        self.carried_out: Counter[str] = Counter()
        """How many answers of each module went wrong."""

    def next(self, *kinds: FaultKind | Fault, module: str | None = None) -> None:
        """Let the next answers, one after the other, go wrong; `module` as in the URL, or `versions`."""
        self._next.setdefault(module, deque()).extend(map(_fault, kinds))

    def always(self, kind: FaultKind | Fault, *, module: str | None = None) -> None:
        """Let every answer go wrong that `next` does not decide."""
        self._always[module] = _fault(kind)

    def heal(self) -> None:
        """From now on everything goes right."""
        self._next.clear()
        self._always.clear()

    def take(self, module: str) -> Fault | None:
        """Decide about one answer of a module."""
        fault = self._planned(module)
        self.carried_out[module] += fault is not None and fault.kind is not FaultKind.OK
        return fault

    def _planned(self, module: str) -> Fault | None:
        for name in (module, None):
            if waiting := self._next.get(name):
                return waiting.popleft()
        return self._always.get(module) or self._always.get(None)


class FaultyApp:
    """An ASGI app in front of the partner's own that spoils what the plan says."""

    def __init__(self, app: ASGIApp, plan: FaultPlan) -> None:
        self._app = app
        self._plan = plan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        module = _module(scope["path"])
        fault = self._plan.take(module) if module is not None else None
        if fault is None or fault.kind is FaultKind.OK:
            await self._app(scope, receive, send)
        elif fault.kind is FaultKind.SLOW:
            await asyncio.sleep(fault.seconds)
            await self._app(scope, receive, send)
        elif fault.kind in (FaultKind.RESET_BEFORE, FaultKind.RESET_AFTER_STORE):
            if fault.kind is FaultKind.RESET_AFTER_STORE:
                await self._app(scope, receive, _nowhere)
            await _reset(scope, receive)
        else:
            await _answer(fault)(scope, receive, send)


class ResettableProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol that lets the app break the connection off."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"][_TRANSPORT] = self.transport


async def _reset(scope: Scope, receive: Receive) -> None:
    scope["state"][_TRANSPORT].abort()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _nowhere(_message: Message) -> None:
    """Swallow an answer that never leaves."""


def _answer(fault: Fault) -> Response:
    match fault.kind:
        case FaultKind.DRIP:
            return StreamingResponse(_drip(fault.seconds), media_type="application/json")
        case FaultKind.HUGE_BODY:
            return StreamingResponse(_huge(), media_type="application/json")
        case FaultKind.HTTP_503:
            return Response("busy", 503, headers={"Retry-After": str(round(fault.seconds))})
        case FaultKind.REDIRECT:
            return Response(status_code=307, headers={"Location": "/elsewhere"})
    status, body = _ANSWERS[fault.kind]
    return Response(body, status, media_type="text/html" if body.startswith("<") else "application/json")


_TIMESTAMP = '"timestamp":"2026-01-01T00:00:00Z"'
_ANSWERS: dict[FaultKind, tuple[int, str]] = {
    FaultKind.HTTP_500: (500, "<h1>Internal Server Error</h1>"),
    FaultKind.HTTP_429: (429, "slow down"),
    FaultKind.HTTP_401: (401, f'{{"status_code":2000,"status_message":"who are you?",{_TIMESTAMP}}}'),
    FaultKind.HTTP_404: (404, f'{{"status_code":2000,"status_message":"not here",{_TIMESTAMP}}}'),
    FaultKind.HTML_200: (200, "<!doctype html><title>Welcome</title>"),
    FaultKind.EMPTY_200: (200, ""),
    FaultKind.BAD_JSON: (200, '{"status_code":1000,"data":['),
    FaultKind.NO_ENVELOPE: (200, '{"result":"fine"}'),
    FaultKind.OCPI_2001: (200, f'{{"status_code":2001,"status_message":"I do not like it",{_TIMESTAMP}}}'),
    FaultKind.OCPI_3000: (200, f'{{"status_code":3000,"status_message":"out of order",{_TIMESTAMP}}}'),
}


def _fault(kind: FaultKind | Fault) -> Fault:
    return kind if isinstance(kind, Fault) else Fault(kind)


def _module(path: str) -> str | None:
    """Name the module of `/ocpi/versions`, `/ocpi/{version}[/credentials]` and `/ocpi/{version}/{role}/{module}/...`."""
    parts = path.strip("/").split("/")
    if parts[0] != "ocpi":
        return None
    if len(parts) >= 4:
        return parts[3]
    return "credentials" if len(parts) == 3 else "versions"


async def _drip(seconds: float) -> AsyncIterator[bytes]:
    for _ in range(max(1, round(seconds / 0.05))):
        yield b" "
        await asyncio.sleep(0.05)


async def _huge() -> AsyncIterator[bytes]:
    for _ in range(_HUGE // 65536):
        yield b" " * 65536
