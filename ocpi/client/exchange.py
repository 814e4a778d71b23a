"""PartnerClient: one outgoing request, and the pages of a partner's list."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import datetime
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlencode

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from ocpi.client.guard import AddressBlockedError, PublicResolver, check_url
from ocpi.client.messages import Answer, Exchange, Page, Peer, Received, Sent
from ocpi.envelope import MEDIA_TYPE, Envelope, data_of, read_envelope
from ocpi.errors import Nonsense, PartnerFailure, PartnerNonsense, PartnerUnreachable, Unreachable
from ocpi.headers import AUTHORIZATION, MessageIds, Routing, authorization
from ocpi.paging import LINK, TOTAL_COUNT, next_page, total_count
from ocpi.times import write_time

CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 10.0
LIST_SECONDS = 30.0
LARGEST_ANSWER = 16 * 1024 * 1024
MOST_PAGES = 10_000
_ALLOW_PRIVATE = "voltbridge.allow_private"
ALWAYS = {"User-Agent": "Voltbridge", "Accept": MEDIA_TYPE, "Accept-Encoding": "identity"}

OnExchange = Callable[[Exchange], None]


class PartnerClient:
    """Speaks HTTP to partners; one for the whole process. Made by `open_client`, closed with `aclose`.

    `on_exchange` is called after every exchange, failed ones included; it must be quick and must not raise.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport, *, on_exchange: OnExchange | None = None) -> None:
        self._transport = transport
        self.on_exchange = on_exchange

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    async def send(
        self,
        method: str,
        url: str,
        peer: Peer,
        *,
        body: bytes | None = None,
        routing: Routing | None = None,
        correlation_id: str | None = None,
        subject: str | None = None,
        seconds: float = TOTAL_SECONDS,
    ) -> Answer:
        """Send one request and read its answer within `seconds`, waiting for a free connection included.

        `subject` is what the message log finds it by. Any well-formed answer is returned, OCPI errors and HTTP errors too; ask it with `succeeded`, `data_of` or
        `require_success`. Raises PartnerUnreachable when no answer came, PartnerNonsense when what came is not OCPI.
        """
        ids = MessageIds.new(correlation_id)
        headers = ids.headers()
        if peer.token:
            headers = {AUTHORIZATION: authorization(peer.token, raw=peer.raw_token)} | headers
        headers |= routing.headers() if routing is not None else {}
        headers |= {"Content-Type": MEDIA_TYPE} if body is not None else {}
        received = Received()
        began = time.perf_counter()
        try:
            check_url(url, allow_private=peer.allow_private)
            request = _request(method, url, headers, body, allow_private=peer.allow_private)
            envelope = await self._exchange(request, received, seconds)
            received.status_code = envelope.status_code
        except PartnerFailure as failure:
            received.error = str(failure)
            if isinstance(failure, PartnerNonsense):
                failure.location = received.headers.get("Location")
            raise
        except asyncio.CancelledError:
            received.error = "given up by us"
            raise
        finally:
            duration = time.perf_counter() - began
            if self.on_exchange is not None:
                sent = Sent(
                    method=method,
                    url=url,
                    peer=peer.name,
                    ids=ids,
                    headers=headers,
                    body=body or b"",
                    subject=subject,
                )
                self.on_exchange(Exchange(sent, received, duration))
        return Answer(
            http_status=envelope.http_status,
            status_code=envelope.status_code,
            status_message=envelope.status_message,
            data=envelope.data,
            headers=received.headers,
            duration=duration,
        )

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, allow_private: bool, seconds: float
    ) -> int:
        """POST to somebody who speaks no OCPI (a webhook): the HTTP status, and nothing of what else was answered.

        The rules for addresses are those for partners. Raises PartnerUnreachable. Nothing is logged.
        """
        check_url(url, allow_private=allow_private)
        request = _request("POST", url, headers, body, allow_private=allow_private)
        try:
            async with asyncio.timeout(seconds):
                response = await self._transport.handle_async_request(request)
                await response.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError) as error:
            raise failure_of(error, request.url.host, None) from error
        return response.status_code

    async def pages(
        self,
        url: str,
        peer: Peer,
        *,
        date_from: datetime | None = None,
        date_to: datetime | None = None,
        limit: int | None = None,
        routing: Routing | None = None,
        correlation_id: str | None = None,
        most: int = MOST_PAGES,
    ) -> AsyncIterator[Page]:
        """Give the pages of the list at `url`, following Link on the list's own host, at most `most` of them.

        Raises what `send` raises, PartnerRefused for an answer that is not a success, and PartnerNonsense for a page
        that is no list, a Link that leads back to a page already seen, or a list without end.
        """
        correlation_id = correlation_id or MessageIds.new().correlation_id
        here: str | None = _list_url(url, date_from, date_to, limit)
        foreign = False
        seen: set[str] = set()
        while here is not None:
            if here in seen or len(seen) >= most:
                raise PartnerNonsense(Nonsense.BAD_PAGE, "the pages of the list do not come to an end")
            seen.add(here)
            answer = await self.send(
                "GET", here, peer, routing=routing, correlation_id=correlation_id, seconds=LIST_SECONDS
            )
            items = data_of(answer)
            if not isinstance(items, list):
                raise PartnerNonsense(
                    Nonsense.BAD_PAGE, "the data of a list page is no list", http_status=200
                )
            yield Page(items=items, total=total_count(answer.headers.get(TOTAL_COUNT)), foreign_link=foreign)
            following = _following(answer.headers.get(LINK), here)
            here, foreign = following or (None, False)

    async def _exchange(self, request: httpx.Request, received: Received, seconds: float) -> Envelope:
        try:
            async with asyncio.timeout(seconds):
                response = await self._transport.handle_async_request(request)
                try:
                    received.http_status, received.headers = response.status_code, response.headers
                    plain = response.headers.get("Content-Encoding", "identity").lower() == "identity"
                    fits = plain and await _read_body(response, received)
                finally:
                    await response.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError) as error:
            raise failure_of(error, request.url.host, received.http_status) from error
        return _judge(response.status_code, received.body, plain=plain, fits=fits)


class _TwoPools(httpx.AsyncBaseTransport):
    """Separate connections for partners that may have private addresses and for all others.

    A connection or a resolved name that the first may use never serves the second.
    """

    def __init__(self, per_partner: int) -> None:
        trusted = httpx.create_ssl_context()
        self._public = AiohttpTransport(
            verify=trusted, client=lambda: open_session(trusted, per_partner, PublicResolver())
        )
        self._any = AiohttpTransport(verify=trusted, client=lambda: open_session(trusted, per_partner, None))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        pool = self._any if request.extensions.get(_ALLOW_PRIVATE) else self._public
        return await pool.handle_async_request(request)

    async def aclose(self) -> None:
        await self._public.aclose()
        await self._any.aclose()


def _request(
    method: str, url: str, headers: Mapping[str, str], body: bytes | None, *, allow_private: bool
) -> httpx.Request:
    """A request for the transport itself. What httpx's client does around one (cookies, redirects, logins) is never
    wanted here, and took as long as all the rest."""
    return httpx.Request(
        method,
        url,
        headers={**ALWAYS, **headers},
        content=body,
        extensions={_ALLOW_PRIVATE: allow_private, "timeout": {"connect": CONNECT_SECONDS}},
    )


def open_client(*, per_partner: int = 8, on_exchange: OnExchange | None = None) -> PartnerClient:
    """Make the client over real connections, at most `per_partner` of them to one host and port.

    Server certificates are checked; SSL_CERT_FILE and SSL_CERT_DIR are honoured, proxy variables are not.
    """
    return PartnerClient(_TwoPools(per_partner), on_exchange=on_exchange)


def open_session(
    trusted: ssl.SSLContext, per_partner: int, resolver: PublicResolver | None, *, decompress: bool = True
) -> aiohttp.ClientSession:
    """Connections to partners: no proxies, no cookies; `decompress` False leaves answers as they come."""
    connector = aiohttp.TCPConnector(
        ssl=trusted, limit=0, limit_per_host=per_partner, resolver=resolver, keepalive_timeout=30
    )
    return aiohttp.ClientSession(
        connector=connector,
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=decompress,
    )


async def _read_body(response: httpx.Response, received: Received) -> bool:
    """Read a body that is not compressed; False when it is larger than we take, what was read until then is kept."""
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in response.aiter_bytes():
            chunks.append(chunk)
            size += len(chunk)
            if size > LARGEST_ANSWER:
                return False
        return True
    finally:
        received.body = b"".join(chunks)


def _judge(status: int, body: bytes, *, plain: bool, fits: bool) -> Envelope:
    if status >= 400 and not fits:
        return Envelope(http_status=status, status_code=None)
    if 300 <= status < 400:
        raise PartnerNonsense(
            Nonsense.REDIRECT, "the answer is a redirect, which we never follow", http_status=status
        )
    if not plain:
        raise PartnerNonsense(Nonsense.ENCODED, "the answer is compressed, unasked", http_status=status)
    if not fits:
        raise PartnerNonsense(Nonsense.TOO_LARGE, "the answer has no reasonable size", http_status=status)
    return read_envelope(status, body)


def failure_of(error: Exception, host: str, http_status: int | None) -> PartnerFailure:
    """Say what went wrong from the innermost cause we know; the text names the host and nothing that is secret."""
    chain = list(_causes(error))
    for found, kind, words in _KINDS:
        if any(isinstance(each, found) for each in chain):
            return PartnerUnreachable(kind, f"{host}: {words}")
    if any(isinstance(each, httpx.InvalidURL | httpx.UnsupportedProtocol) for each in chain):
        return PartnerUnreachable(Unreachable.BLOCKED, f"{host}: the URL is malformed")
    if any(isinstance(each, aiohttp.ClientResponseError) for each in chain):
        return PartnerNonsense(Nonsense.BAD_HTTP, f"{host}: the answer is not HTTP", http_status=http_status)
    return PartnerUnreachable(Unreachable.RESET, f"{host}: the connection broke off")


# In order: the first that fits the error or one of its causes says what happened.
_KINDS: tuple[tuple[type[BaseException], Unreachable, str], ...] = (
    (AddressBlockedError, Unreachable.BLOCKED, "no public address"),
    (TimeoutError, Unreachable.TIMEOUT, "no answer in time"),
    (httpx.PoolTimeout, Unreachable.TIMEOUT, "no free connection in time"),
    (ssl.SSLError, Unreachable.TLS, "the TLS connection could not be made"),
    (aiohttp.ClientSSLError, Unreachable.TLS, "the TLS connection could not be made"),
    (aiohttp.ClientConnectorDNSError, Unreachable.DNS, "the name cannot be resolved"),
    (ConnectionRefusedError, Unreachable.REFUSED, "the connection was refused"),
    (aiohttp.ClientConnectorError, Unreachable.REFUSED, "no connection could be made"),
    (httpx.ConnectError, Unreachable.REFUSED, "no connection could be made"),
)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _list_url(url: str, date_from: datetime | None, date_to: datetime | None, limit: int | None) -> str:
    asked: dict[str, str] = {}
    if date_from is not None:
        asked["date_from"] = write_time(date_from)
    if date_to is not None:
        asked["date_to"] = write_time(date_to)
    if limit is not None:
        asked["limit"] = str(limit)
    address, _, query = url.partition("?")
    merged = urlencode(dict(parse_qsl(query)) | asked)
    return f"{address}?{merged}" if merged else address


def _following(link: str | None, here: str) -> tuple[str, bool] | None:
    try:
        found = next_page(link, here)
    except ValueError:
        raise PartnerNonsense(
            Nonsense.BAD_PAGE, "the Link to the next page is malformed", http_status=200
        ) from None
    return None if found is None else (found.url, found.foreign)
