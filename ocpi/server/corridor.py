"""The corridor every call of a partner walks: who calls, what is asked, an envelope around whatever comes of it."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from starlette.types import Receive, Scope, Send

from app.domain.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from app.domain.parties import Party
from app.kit import logs
from app.kit.tasks import spawn
from app.store.database.errors import RowRefused, StoreError
from ocpi.context import OcpiContext
from ocpi.envelope import MEDIA_TYPE, failure
from ocpi.errors import (
    BodyTooLargeError,
    ClientError,
    InvalidParameterError,
    MalformedBodyError,
    NotEnoughInformationError,
    NotFoundError,
    OcpiError,
    ServerError,
    TooManyRequestsError,
    UnauthorizedError,
)
from ocpi.headers import AUTHORIZATION, MessageIds, RoutedParty, Routing, token_candidates
from ocpi.modules import ModuleId
from ocpi.partners import foreign, handshake
from ocpi.partners.desk import HUB
from ocpi.partners.registry import Known, TokenKind
from ocpi.partners.traffic import Heard
from ocpi.server import interfaces, roaming
from ocpi.server.calling import Call, Reply
from ocpi.server.pages import RenderedPages
from ocpi.server.roaming import Arrival
from ocpi.server.shelf import Shelf

_log = logs.get("ocpi.server")

BODY_SECONDS = 5.0
_BEFORE_REST = 4
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class _BodyTooLateError(ClientError):
    """HTTP 408: the body did not come in time."""

    default_http_status = 408


class _Fields(dict[str, str]):
    """Header fields, looked up without regard to case; of a repeated one the first counts."""

    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        super().__init__()
        for name, value in raw:
            self.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a field."""
        return super().get(key.lower(), default)


class _Request:
    """One HTTP request on its way through: what is known of it, for the answer and for the log."""

    def __init__(self, scope: Scope, now: float) -> None:
        self.headers = _Fields(scope["headers"])
        self.method: str = scope["method"]
        self.ids = MessageIds.read(self.headers)
        self.path = _segments(scope)
        self.query_string: bytes = scope.get("query_string", b"")
        self.url: str = scope.get("path", "")
        self.address: str = (scope.get("client") or ("",))[0]
        self.rest = _rest(scope)
        self.routed: str | None = None
        self.kept = True
        self.began = now
        self.body = b""
        self.known: Known | None = None
        self.routing: Routing | None = None


class Corridor:
    """The ASGI app of all OCPI platforms, to be mounted at `/ocpi`."""

    def __init__(self, context: OcpiContext) -> None:
        self._context = context
        self._pages = RenderedPages()
        self._shelf = Shelf(context.store)
        self._forgetting: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            raise RuntimeError("OCPI is spoken over HTTP only")
        clock = self._context.clock
        request = _Request(scope, clock.monotonic())
        with logs.correlated(request.ids.correlation_id):
            reply = await self._answer(request, receive)
            await _send(send, request, reply)
        if request.kept:
            self._keep(request, reply)

    async def _answer(self, request: _Request, receive: Receive) -> Reply:
        try:
            return await self._handle(request, receive)
        except TooManyRequestsError as error:
            request.kept = False  # a flood is counted: it must not push others' messages out of the log
            found: OcpiError = error
        except OcpiError as error:
            found = error
        except DomainError as error:
            found = _told(error)
        except RowRefused as error:
            _log.warning("the database refused what a partner sent", error=str(error))
            found = InvalidParameterError("the values cannot be stored")
        except StoreError as error:
            _log.warning("a call could not be answered: the store is away", error=str(error))
            found = ServerError("temporarily unavailable", http_status=200 if request.known else 503)
        except Exception:  # noqa: BLE001 - a partner gets an envelope whatever happens
            _log.exception("a call failed", path=request.url)
            found = ServerError("internal error", http_status=200 if request.known else 500)
        return self._failed(found)

    def _failed(self, error: OcpiError) -> Reply:
        headers: dict[str, str] = {}
        if isinstance(error, UnauthorizedError):
            headers["WWW-Authenticate"] = "Token"
        if isinstance(error, TooManyRequestsError):
            headers["Retry-After"] = str(error.retry_after)
        return Reply(
            failure(error, now=self._context.clock.now()),
            http_status=error.http_status,
            headers=headers,
            status_code=error.status_code,
        )

    async def _handle(self, request: _Request, receive: Receive) -> Reply:
        known = request.known = await self._who_calls(request)
        with self._context.limits.within(known.partner):
            return await self._serve(request, known, receive)

    async def _serve(self, request: _Request, known: Known, receive: Receive) -> Reply:
        found = interfaces.find(request.path)
        invited = known.kind is TokenKind.INVITATION
        if invited and (found is None or not found.interface.open_to_invited):
            raise UnauthorizedError("this token is for the handshake only")
        if found is None:
            raise NotFoundError("there is nothing at this URL")
        routed = found.interface.module is not None and found.interface.module.routed
        if routed and request.path[0] == HUB:
            return await self._roam(request, found, known, receive)
        if routed:
            if foreign.is_hub(known.partner):
                known = request.known = await self._with_named(request, found, known)
            request.routing = self._routing(request.headers, known)
        operation = interfaces.operation(found, request.method)
        if request.method in _WITH_BODY:
            request.body = await _body(request, receive, self._context.limits.largest_body(known.partner))
        call = self._call(request, found, known)
        return await operation.handler(call, *operation.arguments(found.segments))

    async def _roam(
        self, request: _Request, found: interfaces.Found, known: Known, receive: Receive
    ) -> Reply:
        """A message on the hub platform: routed before any model sees it."""
        interface, hub = found.interface, self._context.hub
        assert interface.module is not None
        assert interface.version is not None
        arrival = Arrival(
            interface.module,
            interface.role,
            interface.version,
            request.method,
            found.segments,
            request.rest,
            request.query_string.decode("latin-1"),
            await _body(request, receive, self._context.limits.largest_body(known.partner))
            if request.method in _WITH_BODY
            else b"",
            request.ids,
            Routing.parse(request.headers),
            request.headers.get("Via", ""),
        )
        request.body = arrival.body
        if arrival.role is None:
            answered = await roaming.take_result(self._context, arrival, known.partner)
        else:
            decision = roaming.judge(hub, arrival, known.partner)
            request.routing = decision.routing
            call = self._call(request, found, known)
            answered = await roaming.answer(self._context, arrival, decision, call)
        hub.accounts.passed(answered.routing)
        request.routing, request.routed = answered.routing, answered.routed
        return answered.reply

    def _call(self, request: _Request, found: interfaces.Found, known: Known) -> Call:
        return Call(
            context=self._context,
            pages=self._pages,
            shelf=self._shelf,
            known=known,
            platform=request.path[0],
            version=found.interface.version,
            query=dict(parse_qsl(request.query_string.decode("latin-1"), keep_blank_values=True)),
            raw_body=request.body,
            now=self._context.clock.now(),
            sender=_sender(request.routing),
        )

    async def _who_calls(self, request: _Request) -> Known:
        try:
            return self._authenticate(request)
        except UnauthorizedError:
            self._context.unknown_callers.one(request.address)
            if not await self._context.registry.look_again(self._context.clock):
                raise
            return self._authenticate(request)

    def _authenticate(self, request: _Request) -> Known:
        """Who calls: everything that is wrong with a token looks the same (OCPI 2.2.1 transport)."""
        now = self._context.clock.now()
        candidates = token_candidates(request.headers.get(AUTHORIZATION))
        known = self._context.registry.by_token(candidates, now)
        platform = interfaces.platform_of(request.path)
        if known is None or known.partner.platform != platform:
            raise UnauthorizedError("the credentials token is missing or not valid")
        partner = known.partner
        if known.kind is not TokenKind.INVITATION:
            self._context.registry.contacted(partner.id, now)
            self._context.heard_from(partner.id)
        replaced = known.kind is TokenKind.CURRENT and partner.previous_token_hash is not None
        if replaced and partner.id not in self._context.desk.renewing:
            self._forget_previous(partner.id, partner.token_hash)
        return known

    def _forget_previous(self, partner_id: str, used: str | None) -> None:
        """The first use of a new token ends the old one: in memory at once, in the database right after."""
        self._context.registry.drop_previous(partner_id)
        if partner_id in self._forgetting:
            return
        self._forgetting.add(partner_id)

        async def forget() -> None:
            try:
                await handshake.forget_previous(self._context.desk, partner_id, used)
            finally:
                self._forgetting.discard(partner_id)

        spawn(forget(), f"forget-previous-token:{partner_id}")

    async def _with_named(self, request: _Request, found: interfaces.Found, known: Known) -> Known:
        """A hub with the party that it speaks for, by headers or, where it tells everybody, by the URL."""
        sender, partner = Routing.parse(request.headers).sender, known.partner
        named = [] if sender is None else [Party(*sender.key)]
        if found.interface.module is ModuleId.TOKENS and len(found.segments) == 3:
            named.append(Party(*found.segments[:2]))
        for party in named:
            if not partner.owns(party):
                partner = await foreign.learn(self._context.desk, partner, party)
        return known._replace(partner=partner)

    def _routing(self, headers: Mapping[str, str], known: Known) -> Routing:
        """The parties of a call, those that are not named filled in: ours, and the partner's only one.

        Raises NotEnoughInformationError (2002) where the sender is not clear, InvalidParameterError where a
        party is named that is not here or not the caller's.
        """
        given = Routing.parse(headers)
        ours = RoutedParty(self._context.ours.country_code, self._context.ours.party_id)
        if given.to is not None and given.to.key != ours.key:
            raise InvalidParameterError("the message is addressed to a party that is not here")
        theirs = {p.party: RoutedParty(p.country_code, p.party_id) for p in known.partner.parties}
        if given.sender is None:
            if len(theirs) != 1:
                raise NotEnoughInformationError("OCPI-from-country-code and OCPI-from-party-id are needed")
            return Routing(to=ours, sender=next(iter(theirs.values())))
        if given.sender.key not in {party.key for party in theirs.values()}:
            raise InvalidParameterError("the message comes from a party that is not yours")
        return Routing(to=given.to or ours, sender=given.sender)

    def _keep(self, request: _Request, reply: Reply) -> None:
        known = request.known
        self._context.traffic.heard(
            Heard(
                partner_id=None if known is None else known.partner.id,
                method=request.method,
                url=_shown(request),
                request_id=request.ids.request_id,
                correlation_id=request.ids.correlation_id,
                http_status=reply.http_status,
                ocpi_status=reply.status_code,
                seconds=self._context.clock.monotonic() - request.began,
                request=request.body,
                response=reply.body,
                routed=request.routed,
            )
        )


def _sender(routing: Routing | None) -> Party | None:
    if routing is None or routing.sender is None:
        return None
    return Party(routing.sender.country_code, routing.sender.party_id)


def _told(error: DomainError) -> OcpiError:
    """The one place where the house's refusals become OCPI's."""
    match error:
        case NotFound():
            return NotFoundError(str(error))
        case Invalid():
            return InvalidParameterError(str(error))
        case Forbidden():
            return ClientError(str(error))
        case Conflict():
            return ClientError(str(error))
        case _:
            return ServerError("internal error")


async def _send(send: Send, request: _Request, reply: Reply) -> None:
    headers: Mapping[str, str] = {
        "Content-Type": MEDIA_TYPE,
        "Content-Length": str(len(reply.body)),
        **request.ids.headers(),
        **(request.routing.swapped().headers() if request.routing is not None else {}),
        **reply.headers,
    }
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.http_status, "headers": raw})
    body = b"" if request.method == "HEAD" else reply.body
    await send({"type": "http.response.body", "body": body})


async def _body(request: _Request, receive: Receive, largest: int) -> bytes:
    """The whole body. Raises for one that is compressed, too large, or does not come in time."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise MalformedBodyError("the body must not be compressed")
    length = request.headers.get("Content-Length", "")
    if length.isdecimal() and int(length[:12]) > largest:
        raise BodyTooLargeError(f"the body is larger than {largest} bytes")
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message: Mapping[str, Any] = await receive()
                if message["type"] == "http.disconnect":
                    raise MalformedBodyError("the body broke off")
                chunks.append(message.get("body", b""))
                size += len(chunks[-1])
                if size > largest:
                    raise BodyTooLargeError(f"the body is larger than {largest} bytes")
                if not message.get("more_body"):
                    return b"".join(chunks)
    except TimeoutError:
        raise _BodyTooLateError(f"the body did not come within {BODY_SECONDS:g} seconds") from None


def _segments(scope: Scope) -> tuple[str, ...]:
    """The path below the mount point, cut at its slashes and then decoded; slashes at the end do not count."""
    raw = scope.get("raw_path") or scope["path"].encode()
    path = raw.split(b"?", 1)[0].decode("latin-1")
    root = scope.get("root_path", "")
    below = path.removeprefix(root).strip("/")
    return tuple(unquote(segment) for segment in below.split("/")) if below else ()


def _rest(scope: Scope) -> str:
    """What follows `platform/version/role/module` in the path, as it came, with its slash; slashes at the end do not count."""
    raw = scope.get("raw_path") or scope["path"].encode()
    path = raw.split(b"?", 1)[0].decode("latin-1")
    parts = path.removeprefix(scope.get("root_path", "")).strip("/").split("/", _BEFORE_REST)
    return f"/{parts[_BEFORE_REST]}" if len(parts) > _BEFORE_REST else ""


def _shown(request: _Request) -> str:
    query = request.query_string.decode("latin-1")
    return f"{request.url}?{query}" if query else request.url
