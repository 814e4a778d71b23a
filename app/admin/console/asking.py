"""The admin API called in-process: what every page reads and does goes through here, and so can be done by API."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import msgspec
from starlette.types import ASGIApp, Message, Scope

from app.admin.answers import TOTAL
from app.admin.api import admin_app
from app.admin.context import AdminContext
from app.admin.gate import same_token

Query = str | int | float | bool | None
"""A value of a query; None leaves the name out."""

_encode = msgspec.json.Encoder(decimal_format="number").encode
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


class Refusal(Exception):
    """The API said no: `status` as in HTTP, `title` and `detail` in words, `errors` by field."""

    def __init__(
        self, status: int, title: str, detail: str, errors: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail
        self.errors = list(errors)


class Answered(NamedTuple):
    """What came back, unread; `total` is the length of the whole list where it is a page of one."""

    body: bytes
    total: int | None


class Api:
    """A caller of the API that needs no network. Paths are as under /admin/v1; fractions in answers are Decimal."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._authorization = f"Bearer {token}".encode()

    @classmethod
    def of(cls, context: AdminContext) -> "Api":
        """An API of its own whose only token never leaves this process."""
        token = secrets.token_urlsafe(32)
        return cls(admin_app(replace(context, token_ok=same_token(token))), token)

    async def get(self, path: str, **query: Query) -> Any:
        """The document at this path. All methods raise Refusal."""
        return _read(await self.send("GET", path, query))

    async def page(self, path: str, **query: Query) -> tuple[list[Any], int]:
        """A page of a list (`limit`, `offset`), and how long the whole list is."""
        answered = await self.send("GET", path, query)
        found = _read(answered)
        return found, len(found) if answered.total is None else answered.total

    async def text(self, path: str, **query: Query) -> str:
        """What is not JSON, such as CSV."""
        return (await self.send("GET", path, query)).body.decode()

    async def post(self, path: str, body: Any = None, **query: Query) -> Any:
        """Do something; without a body none is sent."""
        return _read(await self.send("POST", path, query, body))

    async def put(self, path: str, body: Any, **query: Query) -> Any:
        """Create or replace."""
        return _read(await self.send("PUT", path, query, body))

    async def patch(self, path: str, body: Any, **query: Query) -> Any:
        """Change some fields."""
        return _read(await self.send("PATCH", path, query, body))

    async def delete(self, path: str, **query: Query) -> None:
        """Remove."""
        await self.send("DELETE", path, query)

    async def send(
        self, method: str, path: str, query: Mapping[str, Query] | None = None, body: Any = None
    ) -> Answered:
        """One request, its answer unread. Raises Refusal for any that is not a success."""
        sent = b"" if body is None else _encode(body)
        exchange = _Exchange(sent)
        await self._app(self._scope(method, path, query or {}, sent), exchange.receive, exchange.send)
        if exchange.status >= 400:
            raise _refusal(exchange.status, bytes(exchange.body))
        total = exchange.headers.get(TOTAL.lower().encode())
        return Answered(bytes(exchange.body), None if total is None else int(total))

    def _scope(self, method: str, path: str, query: Mapping[str, Query], body: bytes) -> Scope:
        given = {name: _word(value) for name, value in query.items() if value is not None}
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": quote(path).encode(),
            "root_path": "",
            "query_string": urlencode(given).encode(),
            "headers": [
                (b"authorization", self._authorization),
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
            ],
            "client": None,
            "server": None,
        }


class _Exchange:
    """Both ends of one ASGI call."""

    def __init__(self, sent: bytes) -> None:
        self._sent: bytes | None = sent
        self.status = 500
        self.headers: dict[bytes, bytes] = {}
        self.body = bytearray()

    async def receive(self) -> Message:
        if self._sent is None:
            return {"type": "http.disconnect"}
        sent, self._sent = self._sent, None
        return {"type": "http.request", "body": sent, "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = dict(message.get("headers", ()))
        else:
            self.body += message.get("body", b"")


def read(body: bytes) -> Any:
    """A JSON answer, fractions as Decimal."""
    return _decode(body) if body else None


def _read(answered: Answered) -> Any:
    return read(answered.body)


def _word(value: Query) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _refusal(status: int, body: bytes) -> Refusal:
    try:
        told = _decode(body)
        return Refusal(status, told["title"], told["detail"], told.get("errors", ()))
    except (msgspec.DecodeError, KeyError, TypeError):
        return Refusal(status, "Error", body.decode("utf-8", "replace")[:500])
