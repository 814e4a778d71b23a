"""Relay: passes requests of partners on, bytes in and bytes out, with as little between as possible.

What PartnerClient does for requests of our own (building, judging, reading envelopes) is not wanted here and takes
several times as long as the relay itself.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import NamedTuple

import aiohttp
import httpx
from yarl import URL

from ocpi.client.exchange import ALWAYS, CONNECT_SECONDS, LARGEST_ANSWER, OnExchange, failure_of, open_session
from ocpi.client.guard import PublicResolver, check_url
from ocpi.client.messages import Exchange, Peer, Received, Sent
from ocpi.envelope import MEDIA_TYPE
from ocpi.errors import Nonsense, PartnerFailure, PartnerNonsense
from ocpi.headers import AUTHORIZATION, MessageIds, authorization

_TIMES = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)


class Relayed(NamedTuple):
    """An answer as it came; names of headers are looked up without regard to case."""

    http_status: int
    headers: Mapping[str, str]
    body: bytes


class Relay:
    """One for the whole process; at most `per_partner` connections to one host. Closed with `aclose`."""

    def __init__(self, *, per_partner: int = 256, on_exchange: OnExchange | None = None) -> None:
        self._per_partner = per_partner
        self._on_exchange = on_exchange
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def aclose(self) -> None:
        """Close all connections."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    async def send(
        self,
        method: str,
        url: str,
        peer: Peer,
        headers: Mapping[str, str],
        body: bytes,
        *,
        ids: MessageIds,
        seconds: float,
    ) -> Relayed:
        """Send a request and give its answer, whatever it is, that comes within `seconds`.

        `headers` are those that the message has beside its ids. Raises PartnerUnreachable when no answer came,
        PartnerNonsense for a redirect or an answer without end.
        """
        received = Received()
        began = time.perf_counter()
        try:
            check_url(url, allow_private=peer.allow_private)
            sent = {
                **ALWAYS,
                AUTHORIZATION: authorization(peer.token, raw=peer.raw_token),
                **ids.headers(),
                **headers,
            }
            if body:
                sent["Content-Type"] = MEDIA_TYPE
            await self._exchange(
                method, url, sent, body, received, private=peer.allow_private, seconds=seconds
            )
        except PartnerFailure as failure:
            received.error = str(failure)
            raise
        except asyncio.CancelledError:
            received.error = "given up by us"
            raise
        finally:
            duration = time.perf_counter() - began
            if self._on_exchange is not None:
                told = Sent(method=method, url=url, peer=peer.name, ids=ids, headers=headers, body=body)
                kept = Received(received.http_status, None, received.headers, received.body, received.error)
                self._on_exchange(Exchange(told, kept, duration))
        return Relayed(received.http_status or 0, received.headers, received.body)

    async def _exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        received: Received,
        *,
        private: bool,
        seconds: float,
    ) -> None:
        try:
            async with (
                asyncio.timeout(seconds),
                self._session(private=private).request(
                    method,
                    URL(url, encoded=True),
                    headers=headers,
                    data=body or None,
                    allow_redirects=False,
                    timeout=_TIMES,
                ) as response,
            ):
                received.http_status, received.headers = response.status, response.headers
                if 300 <= response.status < 400:
                    raise PartnerNonsense(
                        Nonsense.REDIRECT, "the answer is a redirect", http_status=response.status
                    )
                received.body = await _read(response)
        except (aiohttp.ClientError, httpx.HTTPError, OSError) as error:
            raise failure_of(error, URL(url, encoded=True).host or "", received.http_status) from error

    def _session(self, *, private: bool) -> aiohttp.ClientSession:
        """A connection or a resolved name that partners with private addresses may use never serves the others."""
        session = self._sessions.get(private)
        if session is None:
            trusted = httpx.create_ssl_context()
            resolver = None if private else PublicResolver()
            session = self._sessions[private] = open_session(
                trusted, self._per_partner, resolver, decompress=False
            )
        return session


async def _read(response: aiohttp.ClientResponse) -> bytes:
    length = response.content_length
    if length is not None and length <= LARGEST_ANSWER:
        return await response.read()
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_any():
        chunks.append(chunk)
        size += len(chunk)
        if size > LARGEST_ANSWER:
            raise PartnerNonsense(
                Nonsense.TOO_LARGE, "the answer has no reasonable size", http_status=response.status
            )
    return b"".join(chunks)
