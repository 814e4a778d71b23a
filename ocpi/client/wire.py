"""The connections to partners: one request out, one answer in, as bytes, with as little between as possible."""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

import httpx
from aiohappyeyeballs import start_connection

from ocpi.client.guard import AddressBlockedError, LookUp, addresses, look_up, origin_of
from ocpi.client.http1 import BrokenOff, Http1, NotHttp, written
from ocpi.client.messages import Received
from ocpi.errors import Nonsense, PartnerNonsense, PartnerUnreachable, Unreachable

CONNECT_SECONDS = 3.0
LARGEST_ANSWER = 16 * 1024 * 1024
_KEPT_SECONDS = 30.0
_EYEBALLS_SECONDS = 0.25
_TWICE = frozenset({"GET", "HEAD", "PUT", "DELETE"})
"""What may be sent again when a kept connection turns out to have ended before anything was answered."""


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


class _Host(NamedTuple):
    """Where connections lead. One that partners with private addresses may use never serves the others."""

    secure: bool
    name: str
    port: int
    written: str
    private: bool


class _Place:
    """The connections to one host: all that there are or are being made, and those that wait for a request."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.all: set[Http1] = set()
        self.idle: deque[Http1] = deque()
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def full(self) -> bool:
        """Whether no other connection may be made."""
        return len(self.all) >= self._most

    def kept(self) -> Http1 | None:
        """The connection that was used last, if one is idle and good."""
        while self.idle:
            if (found := self.idle.pop()).usable:
                return found
        return None

    async def turn(self, until: float) -> None:
        """Wait until a connection is idle or gone. Raises TimeoutError."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout_at(until):
                await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                self._call()
            raise

    def give_back(self, connection: Http1, now: float) -> None:
        """After an exchange; what is of no use any more is closing already."""
        if connection.usable:
            connection.idle_since = now
            self.idle.append(connection)
            self._call()

    def gone(self, connection: Http1) -> None:
        """There is room for another one."""
        self.all.discard(connection)
        self._call()

    def drop_idle(self, since: float) -> None:
        """Hang up where nothing was sent since then."""
        for connection in [each for each in self.idle if each.idle_since <= since]:
            self.idle.remove(connection)
            connection.close()

    def _call(self) -> None:
        while self._waiting:
            if not (first := self._waiting.popleft()).done():
                first.set_result(None)
                return


class Connections:
    """Kept connections, at most `per_partner` of them to one host and port; no proxies, no cookies.

    Server certificates are checked; SSL_CERT_FILE and SSL_CERT_DIR are honoured. `look_up` finds addresses of names.
    """

    def __init__(self, per_partner: int, *, look_up: LookUp = look_up) -> None:
        self._per_partner = per_partner
        self._look_up = look_up
        self._trusted: ssl.SSLContext | None = None
        self._places: dict[_Host, _Place] = {}
        self._sweeping: asyncio.TimerHandle | None = None

    async def aclose(self) -> None:
        """Close all connections; the next request opens new ones."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        for connection in [each for place in self._places.values() for each in place.all]:
            connection.close()
        self._places.clear()
        await asyncio.sleep(0)  # sockets are closed in the next turn of the event loop

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
        until = asyncio.get_running_loop().time() + seconds
        origin = origin_of(url)
        host = _host(origin, allow_private)
        request = written(method, host.written, _target(url[len(origin) :]), headers, body)
        most = LARGEST_ANSWER if largest is None else largest
        try:
            try:
                return await self._once(host, request, received, until, most)
            except BrokenOff as broken:
                if not broken.stale or method not in _TWICE:
                    raise
                return await self._once(host, request, received, until, most, fresh=True)
        except TimeoutError as late:
            raise PartnerUnreachable(Unreachable.TIMEOUT, f"{host.name}: no answer in time") from late
        except BrokenOff as broken:
            raise PartnerUnreachable(Unreachable.RESET, f"{host.name}: {broken}") from broken
        except NotHttp as nonsense:
            words = f"{host.name}: the answer is not HTTP"
            raise PartnerNonsense(Nonsense.BAD_HTTP, words, http_status=received.http_status) from nonsense

    async def _once(
        self,
        host: _Host,
        request: bytes,
        received: Received,
        until: float,
        most: int,
        *,
        fresh: bool = False,
    ) -> bool:
        place = self._places.get(host)
        if place is None:
            place = self._places[host] = _Place(self._per_partner)
        connection = None if fresh else place.kept()
        if connection is None:
            connection = await self._another(host, place, until, fresh=fresh)
        try:
            return await connection.exchange(request, received, until=until, largest=most)
        finally:
            place.give_back(connection, asyncio.get_running_loop().time())
            if self._sweeping is None:
                self._sweeping = asyncio.get_running_loop().call_later(_KEPT_SECONDS, self._sweep)

    async def _another(self, host: _Host, place: _Place, until: float, *, fresh: bool) -> Http1:
        """A connection as soon as there is an idle one or room for a new one; `fresh`: a new one only."""
        while place.full:
            if fresh:
                place.drop_idle(until)
            await place.turn(until)
            if not fresh and (kept := place.kept()) is not None:
                return kept
        connection = Http1(place.gone)
        place.all.add(connection)
        try:
            sock = await _socket(host, until, self._look_up)
            await _connect(host, connection, sock, until, self._context() if host.secure else None)
        except BaseException:
            connection.close()
            place.gone(connection)
            raise
        return connection

    def _context(self) -> ssl.SSLContext:
        if self._trusted is None:
            self._trusted = httpx.create_ssl_context()
        return self._trusted

    def _sweep(self) -> None:
        """Hang up where nothing was sent for a while, and forget hosts to whom there are no connections."""
        loop = asyncio.get_running_loop()
        for host, place in list(self._places.items()):
            place.drop_idle(loop.time() - _KEPT_SECONDS)
            if not place.all:
                del self._places[host]
        self._sweeping = loop.call_later(_KEPT_SECONDS, self._sweep) if self._places else None


async def _connect(
    host: _Host, connection: Http1, sock: socket.socket, until: float, context: ssl.SSLContext | None
) -> None:
    """Raises PartnerUnreachable; TimeoutError where there was no time left."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout_at(until):
            await loop.create_connection(
                lambda: connection,
                sock=sock,
                ssl=context,
                server_hostname=None if context is None else host.name,
            )
    except BaseException as error:
        with suppress(OSError):
            sock.close()  # an event loop that never took it would leave it open
        if isinstance(error, TimeoutError) or not isinstance(error, OSError):
            raise
        kind, what = (Unreachable.REFUSED, "no") if context is None else (Unreachable.TLS, "no TLS")
        raise PartnerUnreachable(kind, f"{host.name}: {what} connection could be made") from error


async def _socket(host: _Host, until: float, look_up: LookUp) -> socket.socket:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout_at(until):
            found = await addresses(host.name, host.port, allow_private=host.private, look_up=look_up)
        async with asyncio.timeout_at(min(until, loop.time() + CONNECT_SECONDS)):
            return await start_connection(found, happy_eyeballs_delay=_EYEBALLS_SECONDS, interleave=1)
    except TimeoutError:
        raise
    except AddressBlockedError as error:
        raise PartnerUnreachable(Unreachable.BLOCKED, f"{host.name}: no public address") from error
    except socket.gaierror as error:
        raise PartnerUnreachable(Unreachable.DNS, f"{host.name}: the name cannot be resolved") from error
    except OSError as error:
        refused = isinstance(error, ConnectionRefusedError)
        words = "the connection was refused" if refused else "no connection could be made"
        raise PartnerUnreachable(Unreachable.REFUSED, f"{host.name}: {words}") from error


@lru_cache(maxsize=1024)
def _host(origin: str, private: bool) -> _Host:
    parts = urlsplit(origin)
    secure = parts.scheme.lower() == "https"
    return _Host(secure, parts.hostname or "", parts.port or (443 if secure else 80), parts.netloc, private)


def _target(rest: str) -> str:
    """Path and query as they stand in a URL."""
    target = rest.partition("#")[0]
    return target if target.startswith("/") else f"/{target}"
