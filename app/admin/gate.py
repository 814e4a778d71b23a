"""The gate before every admin request: the token first, then the size and the form of what was sent."""

import hashlib
import hmac
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.admin.odd_numbers import field_of_odd_number
from app.admin.problems import Problem, problem_of, unauthorized
from ocpi.errors import OcpiError
from ocpi.strict_json import parse_body

MAX_BODY = 4 * 1024 * 1024

_CONTROLS = re.compile(rb"[\x00-\x1f\x7f]")


def same_token(expected: str) -> Callable[[str], bool]:
    """Whether a presented token is this one, judged in constant time, whatever its length."""
    digest = hashlib.sha256(expected.encode()).digest()

    def same(presented: str) -> bool:
        found = hashlib.sha256(presented.encode("utf-8", "surrogatepass")).digest()
        return hmac.compare_digest(found, digest)

    return same


class Gate:
    """ASGI middleware. What passes has `scope["state"]`: `raw` (the body) and `document` (it, parsed; or None)."""

    def __init__(self, app: ASGIApp, token_ok: Callable[[str], bool]) -> None:
        self._app = app
        self._token_ok = token_ok

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            if not self._known(Headers(scope=scope)):
                raise unauthorized()
            _refuse_odd_url(scope)
            raw = await _whole_body(Headers(scope=scope), receive)
            document = _parsed(raw)
        except (Problem, OcpiError) as error:
            await problem_of(error).response()(scope, receive, send)
            return
        scope["state"] = {**scope.get("state", {}), "raw": raw, "document": document}
        await self._app(_as_json(scope), _replay(raw, receive), send)

    def _known(self, headers: Headers) -> bool:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        return self._token_ok(token.strip()) and scheme.lower() == "bearer"


def _parsed(raw: bytes) -> Any:
    try:
        return parse_body(raw) if raw.strip() else None
    except OcpiError as error:
        field = field_of_odd_number(raw)
        if field is None:
            raise
        found = problem_of(error)
        message = found.detail.removeprefix("the body is not valid JSON: ")
        complaint = {"field": field, "message": message}
        raise Problem(found.status, f"{field}: {message}", errors=[complaint]) from None


def _refuse_odd_url(scope: Scope) -> None:
    for part in (scope.get("raw_path") or scope["path"].encode(), scope.get("query_string", b"")):
        decoded = unquote_to_bytes(part)
        try:
            text = decoded.decode()
        except UnicodeDecodeError:
            raise Problem(422, "the URL is not UTF-8") from None
        if _CONTROLS.search(decoded) or any("\x80" <= letter <= "\x9f" for letter in text):
            raise Problem(422, "the URL holds control characters")


async def _whole_body(headers: Headers, receive: Receive) -> bytes:
    length = headers.get("content-length", "")
    if length.isdigit() and int(length) > MAX_BODY:
        raise _too_large()
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY:
            raise _too_large()
        more = message.get("more_body", False)
    return b"".join(parts)


def _too_large() -> Problem:
    return Problem(413, f"the body is larger than {MAX_BODY // 1024**2} MiB", headers={"Connection": "close"})


def _as_json(scope: Scope) -> Scope:
    """Every body here is JSON, whatever a client calls it (curl -d calls it a form); a last slash is no matter."""
    headers = [(name, value) for name, value in scope["headers"] if name.lower() != b"content-type"]
    return {
        **scope,
        "headers": [*headers, (b"content-type", b"application/json")],
        "path": scope["path"].rstrip("/"),
    }


def _replay(raw: bytes, receive: Receive) -> Receive:
    """A receive channel that gives the body once more, then what really comes."""
    waiting: list[Message] = [{"type": "http.request", "body": raw, "more_body": False}]

    async def replay() -> Any:
        return waiting.pop() if waiting else await receive()

    return replay
