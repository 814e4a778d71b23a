"""Which addresses we connect to: https and public ones, unless a partner may have private ones.

The rule is applied twice. `check_url` judges the URL before anything is sent, literal addresses included. Names are
judged by `PublicResolver` at the moment of connecting, and the connection goes to the very address that was judged,
so that a name cannot be public when asked and private when used.
"""

import ipaddress
import re
import socket
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from ocpi.errors import PartnerUnreachable, Unreachable

LONGEST_URL = 2000
"""Longer than OCPI allows for any URL, since a partner's Link may carry more than an endpoint."""

_NAME = re.compile(r"(?=.{1,253}\.?$)(?:[a-z0-9_](?:[a-z0-9_-]{0,62})\.)*[a-z0-9_](?:[a-z0-9_-]{0,62})\.?")
_NUMERIC_END = re.compile(r"(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)\.?$")

_PRINTABLE = re.compile(r"[!-\[\]-~]*")
"""What URLs are made of; a backslash is no part of any, and some read it as a slash."""
_ORIGIN = re.compile(r"[^:/?#]*:?(?://[^/?#]*)?")

# Ranges that embed an IPv4 address and lead to it, or that Python counts as global at least on some versions.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NEVER = tuple(
    map(
        ipaddress.ip_network,
        (
            "64:ff9b:1::/48",
            "100::/64",
            "2001::/23",
            "2002::/16",
            "fec0::/10",
            "::/96",
            "192.0.0.0/24",
            "192.88.99.0/24",
        ),
    )
)


class AddressBlockedError(OSError):
    """A name has no public address."""


def check_url(url: str, *, allow_private: bool) -> None:
    """Judge a URL that a partner gave us; raises PartnerUnreachable (BLOCKED) when we would not call it.

    Allowed is https to a public host on any port; with `allow_private` also http, and any host. User names in the
    URL, spaces, control characters and numbers that stand for addresses are refused always.
    """
    if len(url) > LONGEST_URL or _PRINTABLE.fullmatch(url) is None:
        raise _blocked("the URL is too long or holds characters that no URL has")
    _check_origin(_origin(url), allow_private)


def _origin(url: str) -> str:
    """Scheme and host of a URL, with whatever stands between them: all that is judged of it."""
    return _ORIGIN.match(url)[0]  # type: ignore[index]  # it matches everything


@lru_cache(maxsize=1024)
def _check_origin(origin: str, allow_private: bool) -> None:
    parts = _split(origin)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https"):
        raise _blocked("the URL is not http(s)")
    if parts.username is not None or parts.password is not None:
        raise _blocked("the URL holds a user name")
    address = _literal(host)
    if address is None and (_NAME.fullmatch(host) is None or _NUMERIC_END.search(host)):
        raise _blocked("the URL has no proper host name")
    if allow_private:
        return
    if parts.scheme != "https":
        raise _blocked("the URL is not https")
    if address is not None and not is_public(host):
        raise _blocked(f"{host} is no public address")


def is_public(address: str) -> bool:
    """Whether a literal IPv4 or IPv6 address is reachable from the whole internet and belongs to one machine."""
    ip = _literal(address)
    if ip is None:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if ip in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
    if any(ip.version == network.version and ip in network for network in _NEVER):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_private or ip.is_unspecified)


class PublicResolver(AbstractResolver):
    """Resolves names to their public addresses only."""

    def __init__(self, inner: AbstractResolver | None = None) -> None:
        self._inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Resolve as aiohttp asks; raises AddressBlockedError when every address found is private."""
        public = [
            found for found in await self._inner.resolve(host, port, family) if is_public(found["host"])
        ]
        if not public:
            raise AddressBlockedError(f"{host} has no public address")
        return public

    async def close(self) -> None:
        await self._inner.close()


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        if parts.port == 0:
            raise _blocked("the URL names port 0")
    except ValueError:
        raise _blocked("the URL is malformed") from None
    return parts


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _blocked(reason: str) -> PartnerUnreachable:
    return PartnerUnreachable(Unreachable.BLOCKED, reason)
