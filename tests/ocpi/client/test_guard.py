"""Addresses that a partner must not make us call."""

import socket

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from ocpi.client import PartnerClient, Peer, check_url
from ocpi.client.exchange import open_client
from ocpi.client.guard import AddressBlockedError, PublicResolver, is_public
from ocpi.errors import PartnerUnreachable, Unreachable

PRIVATE = [
    "127.0.0.1",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "198.18.0.1",
    "203.0.113.7",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "192.88.99.1",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "64:ff9b:1::808:808",
    "2002:7f00:1::",
    "2001::1",
    "2001:db8::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "100::1",
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


def test_a_name_is_no_public_address() -> None:
    assert not is_public("example.com")


@pytest.mark.parametrize("address", PRIVATE)
def test_urls_with_private_addresses_are_blocked(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(PartnerUnreachable) as blocked:
        check_url(f"https://{host}/ocpi/versions", allow_private=False)
    assert blocked.value.kind is Unreachable.BLOCKED


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/ocpi/versions",
        "ftp://ems.example/",
        "file:///etc/passwd",
        "gopher://ems.example/",
        "https://",
        "https:///path",
        "https://user@ems.example/",
        "https://user:pass@ems.example/",
        "https://@ems.example/",
        "https://ems.example:0/",
        "https://ems.example:99999/",
        "https://ems.example:port/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://127.0.0.1./",
        "https://ems.0x1/",
        "https://ems example/",
        "https://ems.example\\@127.0.0.1/",
        "https://ems.example/\r\nX-Evil: 1",
        "https://ems.example/\0",
        "https://[::1",
        "https://[not-an-address]/",
        "https://\u2460\u2461\u2466.0.0.1/",
        "https://-ems.example/",
        "https://ems..example/",
        "https://" + "a" * 64 + ".example/",
        "https://ems.example/" + "a" * 2000,
    ],
)
def test_malformed_urls_are_blocked_for_everybody(url: str) -> None:
    for allow_private in (False, True):
        with pytest.raises(PartnerUnreachable) as blocked:
            check_url(url, allow_private=allow_private)
        assert blocked.value.kind is Unreachable.BLOCKED


@pytest.mark.parametrize(
    "url",
    [
        "https://ems.example/ocpi",
        "https://EMS.example.:8443/ocpi?a=b",
        "https://8.8.8.8/",
        "https://[2606:4700::1]:444/",
    ],
)
def test_public_urls_pass_on_any_port(url: str) -> None:
    check_url(url, allow_private=False)


def test_plain_http_is_for_partners_with_private_addresses_only() -> None:
    with pytest.raises(PartnerUnreachable):
        check_url("http://ems.example/", allow_private=False)
    for url in ("http://localhost:8080/", "http://10.0.0.1/", "https://[::1]:9/", "http://ems.example/"):
        check_url(url, allow_private=True)


class FixedResolver(AbstractResolver):
    """Resolves every name to the same addresses."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.closed = False

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in self.addresses
        ]

    async def close(self) -> None:
        self.closed = True


async def test_names_resolve_to_their_public_addresses_only() -> None:
    resolver = PublicResolver(FixedResolver("10.0.0.1", "8.8.8.8", "::1"))
    assert [found["host"] for found in await resolver.resolve("ems.example", 443)] == ["8.8.8.8"]


async def test_a_name_without_public_address_is_blocked() -> None:
    inner = FixedResolver("127.0.0.1", "::1")
    resolver = PublicResolver(inner)
    with pytest.raises(AddressBlockedError):
        await resolver.resolve("ems.example", 443)
    await resolver.close()
    assert inner.closed


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST"])
async def test_the_client_blocks_a_name_that_leads_home(host: str, client: PartnerClient) -> None:
    peer = Peer(token="the-secret-token", name="Elbe Mobility")
    with pytest.raises(PartnerUnreachable) as blocked:
        await client.send("GET", f"https://{host}:1/versions", peer)
    assert blocked.value.kind is Unreachable.BLOCKED


async def test_a_connection_for_private_partners_never_serves_the_others() -> None:
    async with open_client() as opened:
        assert isinstance(opened, PartnerClient)
        with pytest.raises(PartnerUnreachable) as refused:
            await opened.send("GET", "https://localhost:1/", Peer(token="t", name="a", allow_private=True))
        assert refused.value.kind is Unreachable.REFUSED
        with pytest.raises(PartnerUnreachable) as blocked:
            await opened.send("GET", "https://localhost:1/", Peer(token="t", name="b"))
        assert blocked.value.kind is Unreachable.BLOCKED


async def test_aiohttp_asks_our_resolver_and_connects_to_what_it_said() -> None:
    """The promise of the guard rests on this: the address that was judged is the one that is used."""
    connector = aiohttp.TCPConnector(resolver=FixedResolver("127.0.0.1"))
    async with aiohttp.ClientSession(connector=connector) as session:
        with pytest.raises(aiohttp.ClientConnectorError, match=r"127\.0\.0\.1"):
            await session.get("http://ems.example:1/")
