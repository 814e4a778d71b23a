"""Connections to partners: kept, limited, given up; and answers whose end or beginning is not where it should be."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from ocpi.client import wire as wire_module
from ocpi.client.http1 import written
from ocpi.client.messages import Received
from ocpi.client.wire import Connections
from ocpi.errors import Nonsense, PartnerNonsense, PartnerUnreachable, Unreachable

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
RawServe = Callable[[Talk], Awaitable[str]]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
async def wire() -> AsyncIterator[Connections]:
    connections = Connections(2)
    yield connections
    await connections.aclose()


async def get(wire: Connections, url: str, method: str = "GET", seconds: float = 5) -> Received:
    received = Received()
    assert await wire.exchange(method, url, {}, None, received, allow_private=True, seconds=seconds)
    return received


class Partner:
    """Answers each connection with the prepared bytes, one piece for each request; notes who asked."""

    def __init__(self, *pieces: bytes, hang_up: bool = False) -> None:
        self.pieces = pieces
        self.hang_up = hang_up
        self.connections = 0
        self.requests: list[bytes] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        for piece in self.pieces:
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(piece)
            await writer.drain()
        if not self.hang_up:
            await reader.read()


async def test_a_connection_serves_again(wire: Connections, serve_raw: RawServe) -> None:
    partner = Partner(OK, OK, OK)
    url = await serve_raw(partner)
    answers = [await get(wire, f"{url}{rest}") for rest in ("", "/a?b=c#d", "?e")]
    assert [(each.http_status, each.body) for each in answers] == [(200, b"{}")] * 3
    assert partner.connections == 1
    assert [each.split(b" ")[1] for each in partner.requests] == [b"/", b"/a?b=c", b"/?e"]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        OK + OK.replace(b"200", b"403"),
    ],
)
async def test_a_connection_that_should_end_is_not_used_again(
    wire: Connections, serve_raw: RawServe, answer: bytes
) -> None:
    """Neither where the partner says so nor where it sends more than was asked for."""
    partner = Partner(answer)
    url = await serve_raw(partner)
    assert [(await get(wire, url)).http_status for _ in range(2)] == [200, 200]
    assert partner.connections == 2


async def test_what_comes_unasked_ends_the_connection(wire: Connections, serve_raw: RawServe) -> None:
    told = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await told.wait()
        writer.write(OK.replace(b"{}", b"[]"))
        assert await reader.read() == b""
        told.clear()

    url = await serve_raw(talk)
    await get(wire, url)
    told.set()
    while told.is_set():
        await asyncio.sleep(0.01)
    assert not any(place.idle and place.idle[-1].usable for place in wire._places.values())


async def test_a_body_without_a_length_ends_with_its_connection(
    wire: Connections, serve_raw: RawServe
) -> None:
    url = await serve_raw(Partner(b"HTTP/1.1 200 OK\r\n\r\nall there is", hang_up=True))
    assert (await get(wire, url)).body == b"all there is"


async def test_an_answer_may_be_announced_and_cut_into_chunks(wire: Connections, serve_raw: RawServe) -> None:
    announced = b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 200 OK\r\nx-a: 1\r\n"
    url = await serve_raw(
        Partner(announced + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n")
    )
    answer = await get(wire, url)
    assert (answer.http_status, answer.body) == (200, b"{}")
    assert answer.headers["X-A"] == "1"
    assert "Link" not in answer.headers


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\n" + b"x-long: %b\r\n" % (b"x" * 1000) * 100,
        b"HTTP/1.1 200 OK\r\nx-long: " + b"x" * 100_000,
    ],
)
async def test_heads_that_nobody_should_send(wire: Connections, serve_raw: RawServe, answer: bytes) -> None:
    url = await serve_raw(Partner(answer))
    with pytest.raises(PartnerNonsense) as failed:
        await get(wire, url)
    assert failed.value.kind is Nonsense.BAD_HTTP


@pytest.mark.parametrize(
    ("method", "again"), [("GET", True), ("PUT", True), ("POST", False), ("PATCH", False)]
)
async def test_a_kept_connection_that_had_ended_costs_only_what_must_not_go_out_twice(
    wire: Connections, serve_raw: RawServe, method: str, again: bool
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()

    url = await serve_raw(talk)
    await get(wire, url)
    if again:
        assert (await get(wire, url, method)).http_status == 200
        return
    with pytest.raises(PartnerUnreachable) as failed:
        await get(wire, url, method)
    assert failed.value.kind is Unreachable.RESET


async def test_whoever_waits_for_a_connection_waits_no_longer_than_it_may(
    wire: Connections, serve_raw: RawServe
) -> None:
    go_on = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            await go_on.wait()
            writer.write(OK)

    url = await serve_raw(talk)
    patient = [asyncio.ensure_future(get(wire, url, seconds=60)) for _ in range(4)]
    with pytest.raises(PartnerUnreachable) as failed:
        await get(wire, url, seconds=0.2)
    assert failed.value.kind is Unreachable.TIMEOUT
    patient.pop().cancel()
    go_on.set()
    assert [each.http_status for each in await asyncio.gather(*patient)] == [200, 200, 200]
    assert sum(len(place.all) for place in wire._places.values()) == 2


async def test_a_request_given_up_takes_its_connection_with_it(
    wire: Connections, serve_raw: RawServe
) -> None:
    ended = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await reader.read()
        ended.set()

    asked = asyncio.Event()
    url = await serve_raw(talk)
    request = asyncio.ensure_future(get(wire, url))
    await asked.wait()
    request.cancel()
    await asyncio.wait_for(ended.wait(), 10)


async def test_idle_connections_are_ended_and_their_hosts_forgotten(
    wire: Connections, serve_raw: RawServe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_module, "_KEPT_SECONDS", 0.05)
    url = await serve_raw(Partner(OK))
    await get(wire, url)
    async with asyncio.timeout(10):
        while wire._places:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("value", ["a\r\nX-B: 1", "a\nb", "a\rb", "a\0b"])
def test_no_header_poses_as_another(value: str) -> None:
    with pytest.raises(ValueError, match="line end"):
        written("GET", "ems.example", "/", {"X-A": value}, None)


def test_a_request_says_how_long_its_body_is() -> None:
    assert written("PUT", "ems.example", "/", {}, b"{}").endswith(b"\r\nContent-Length: 2\r\n\r\n{}")
    assert written("POST", "ems.example", "/", {}, None).endswith(b"\r\nContent-Length: 0\r\n\r\n")
    assert b"Content-Length" not in written("GET", "ems.example", "/", {}, None)
