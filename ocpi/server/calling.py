"""One call of a partner and our reply to it, as the endpoints see them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.domain.parties import Party
from ocpi.context import OcpiContext
from ocpi.envelope import ABSENT, success
from ocpi.errors import InvalidParameterError
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.partners.partner import Partner
from ocpi.partners.registry import Known
from ocpi.server.pages import RenderedPages
from ocpi.server.shelf import Shelf
from ocpi.strict_json import parse_body
from ocpi.versions import Version
from ocpi.wire.base import WireModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An authenticated request. `query` holds the last value of every parameter."""

    context: OcpiContext
    pages: RenderedPages
    shelf: Shelf
    known: Known
    platform: str
    version: Version | None
    query: Mapping[str, str]
    raw_body: bytes
    now: datetime
    sender: Party | None = None
    """The party that the message comes from, where the module is routed."""

    @property
    def partner(self) -> Partner:
        """Who calls."""
        return self.known.partner

    def body(self) -> Any:
        """The parsed body; raises MalformedBodyError (HTTP 400) or InvalidParameterError (2001)."""
        return parse_body(self.raw_body)

    def reply(self, data: object = ABSENT, *, http_status: int = 200) -> "Reply":
        """A success; `data` is an object in its wire form, or a list of them."""
        return Reply(success(data, now=self.now), http_status=http_status)

    def url(self, module: ModuleId, role: InterfaceRole) -> str:
        """The public URL of one of our interfaces, on this caller's platform."""
        version = self.version or next(iter(Version))
        return self.context.desk.endpoint_url(self.platform, version, module, role)


@dataclass(frozen=True, slots=True)
class Reply:
    """A rendered envelope with the headers that belong to it alone."""

    body: bytes
    http_status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    status_code: int | None = 1000


Handler = Callable[..., Awaitable[Reply]]
"""`async def handler(call, *path_segments) -> Reply`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of an interface: how it is routed, and how it is described.

    `path` is what follows the interface's URL, with names in braces. `body` and `data` are the wire models of
    request and answer, `many` a list of them in pages.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    body: type[WireModel] | None = None
    data: type[WireModel] | None = None
    many: bool = False
    created: bool = False
    parameters: Sequence[str] = ()

    def fits(self, segments: Sequence[str]) -> bool:
        """Whether these segments behind the interface's URL are a path of this operation."""
        parts = self.path.split("/")[1:]
        return len(parts) == len(segments) and all(
            part.startswith("{") or part == segment for part, segment in zip(parts, segments, strict=True)
        )

    def arguments(self, segments: Sequence[str]) -> list[str]:
        """The segments that stand for the names in braces."""
        parts = self.path.split("/")[1:]
        return [each for part, each in zip(parts, segments, strict=True) if part.startswith("{")]


def require_same(given: str | None, expected: str, what: str) -> None:
    """Raise InvalidParameterError (2001) where an id in the body is not the one of the URL (CiString)."""
    if given is None or given.upper() != expected.upper():
        raise InvalidParameterError(f"{what} in the body is not the one of the URL")
