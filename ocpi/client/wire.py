"""The connections to partners: one request out, one answer in, as bytes, with as little between as possible."""

import asyncio
import ssl
from collections.abc import Iterator, Mapping
from typing import Protocol

import aiohttp
import httpx
from yarl import URL

from ocpi.client.guard import AddressBlockedError, PublicResolver
from ocpi.client.messages import Received
from ocpi.errors import Nonsense, PartnerFailure, PartnerNonsense, PartnerUnreachable, Unreachable

CONNECT_SECONDS = 3.0
LARGEST_ANSWER = 16 * 1024 * 1024
_TIMES = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)


class Wire(Protocol):
    """What carries a request to a partner and its answer back."""

    async def exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        received: Received,
        *,
        allow_private: bool,
        seconds: float,
        largest: int | None = None,
    ) -> bool:
        """Fill `received` with an answer that comes within `seconds`, waiting for a free connection included.

        The body is kept as it came, compressed or not. False when it is larger than `largest` (LARGEST_ANSWER):
        what was read until then is kept. Redirects are answers as others are. Raises PartnerUnreachable when no
        answer came, PartnerNonsense when what came is not HTTP.
        """
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...


class Connections:
    """Kept connections, at most `per_partner` of them to one host and port; no proxies, no cookies.

    A connection or a resolved name that partners with private addresses may use never serves the others. Server
    certificates are checked; SSL_CERT_FILE and SSL_CERT_DIR are honoured.
    """

    def __init__(self, per_partner: int) -> None:
        self._per_partner = per_partner
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def aclose(self) -> None:
        """Close all connections; the next request opens new ones."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    async def exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        received: Received,
        *,
        allow_private: bool,
        seconds: float,
        largest: int | None = None,
    ) -> bool:
        """See Wire."""
        try:
            async with (
                asyncio.timeout(seconds),
                self._session(private=allow_private).request(
                    method,
                    URL(url, encoded=True),
                    headers=headers,
                    data=body or None,
                    allow_redirects=False,
                    timeout=_TIMES,
                ) as response,
            ):
                received.http_status, received.headers = response.status, response.headers
                return await _read(response, received, LARGEST_ANSWER if largest is None else largest)
        except (aiohttp.ClientError, OSError) as error:
            raise _failure_of(error, URL(url, encoded=True).host or "", received.http_status) from error

    def _session(self, *, private: bool) -> aiohttp.ClientSession:
        session = self._sessions.get(private)
        if session is None:
            session = self._sessions[private] = self._opened(None if private else PublicResolver())
        return session

    def _opened(self, resolver: PublicResolver | None) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            ssl=httpx.create_ssl_context(),
            limit=0,
            limit_per_host=self._per_partner,
            resolver=resolver,
            keepalive_timeout=30,
        )
        return aiohttp.ClientSession(
            connector=connector,
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )


async def _read(response: aiohttp.ClientResponse, received: Received, largest: int) -> bool:
    length = response.content_length
    if length is not None and length <= largest:
        received.body = await response.read()
        return True
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in response.content.iter_any():
            chunks.append(chunk)
            size += len(chunk)
            if size > largest:
                return False
        return True
    finally:
        received.body = b"".join(chunks)


def _failure_of(error: Exception, host: str, http_status: int | None) -> PartnerFailure:
    """Say what went wrong from the innermost cause we know; the text names the host and nothing that is secret."""
    chain = list(_causes(error))
    for found, kind, words in _KINDS:
        if any(isinstance(each, found) for each in chain):
            return PartnerUnreachable(kind, f"{host}: {words}")
    if any(isinstance(each, aiohttp.ClientResponseError) for each in chain):
        return PartnerNonsense(Nonsense.BAD_HTTP, f"{host}: the answer is not HTTP", http_status=http_status)
    return PartnerUnreachable(Unreachable.RESET, f"{host}: the connection broke off")


# In order: the first that fits the error or one of its causes says what happened.
_KINDS: tuple[tuple[type[BaseException], Unreachable, str], ...] = (
    (AddressBlockedError, Unreachable.BLOCKED, "no public address"),
    (TimeoutError, Unreachable.TIMEOUT, "no answer in time"),
    (ssl.SSLError, Unreachable.TLS, "the TLS connection could not be made"),
    (aiohttp.ClientSSLError, Unreachable.TLS, "the TLS connection could not be made"),
    (aiohttp.ClientConnectorDNSError, Unreachable.DNS, "the name cannot be resolved"),
    (ConnectionRefusedError, Unreachable.REFUSED, "the connection was refused"),
    (aiohttp.ClientConnectorError, Unreachable.REFUSED, "no connection could be made"),
    (aiohttp.InvalidURL, Unreachable.BLOCKED, "the URL is malformed"),
)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
