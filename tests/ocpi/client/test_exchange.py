"""The partner client against partners that misbehave, over real sockets where the socket is the trouble."""

import asyncio
import base64
import gzip
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import respx
from aiohttp import web

from ocpi.client import Exchange, PartnerClient, Peer, wire
from ocpi.envelope import ABSENT, data_of, require_success
from ocpi.errors import Nonsense, PartnerNonsense, PartnerRefused, PartnerUnreachable, Unreachable
from ocpi.headers import RoutedParty, Routing

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], Awaitable[str]]
RawServe = Callable[[Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]], Awaitable[str]]

GOOD = {"status_code": 1000, "data": [1], "timestamp": "2026-03-01T10:00:00Z"}


def answering(text: str | bytes, status: int = 200, **headers: str) -> Handler:
    body = text.encode() if isinstance(text, str) else text

    async def handler(request: web.Request) -> web.Response:
        return web.Response(
            body=body, status=status, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )

    return handler


async def nonsense_of(client: PartnerClient, url: str, peer: Peer, **options: Any) -> PartnerNonsense:
    with pytest.raises(PartnerNonsense) as failed:
        await client.send("GET", url, peer, **options)
    return failed.value


async def unreachable_kind(client: PartnerClient, url: str, peer: Peer, **options: Any) -> Unreachable:
    with pytest.raises(PartnerUnreachable) as failed:
        await client.send("GET", url, peer, **options)
    assert peer.token not in str(failed.value)
    return failed.value.kind


async def test_a_request_says_who_we_are_and_what_it_belongs_to(
    client: PartnerClient, serve: Serve, peer: Peer
) -> None:
    seen: list[web.Request] = []
    bodies: list[bytes] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request)
        bodies.append(await request.read())
        return web.json_response(GOOD)

    url = await serve(handler)
    routing = Routing(to=RoutedParty("DE", "EMS"), sender=RoutedParty("NL", "VBR"))
    answer = await client.send("PUT", url, peer, body=b'{"a":1}', routing=routing, correlation_id="chain-1")
    await client.send("GET", url, peer)

    put, get = (request.headers for request in seen)
    assert put["Authorization"] == "Token " + base64.b64encode(b"the-secret-token").decode()
    assert put["X-Correlation-ID"] == "chain-1"
    assert put["Content-Type"] == "application/json"
    assert (put["OCPI-to-party-id"], put["OCPI-from-party-id"]) == ("EMS", "VBR")
    assert bodies == [b'{"a":1}', b""]
    assert len({put["X-Request-ID"], get["X-Request-ID"], get["X-Correlation-ID"]}) == 3
    assert "OCPI-to-party-id" not in get
    assert "Content-Type" not in get
    assert data_of(answer) == [1]
    assert answer.duration > 0


async def test_a_raw_token_is_sent_raw(client: PartnerClient, serve: Serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.json_response(GOOD | {"data": request.headers["Authorization"]})

    answer = await client.send(
        "GET", await serve(handler), Peer(token="abc", name="x", raw_token=True, allow_private=True)
    )
    assert answer.data == "Token abc"


@respx.mock(assert_all_called=False)
async def test_ocpi_errors_are_answers(respx_mock: respx.MockRouter, played: Any) -> None:
    respx_mock.post("https://ems.example/cdrs").respond(
        json={"status_code": 2001, "status_message": "no such session"}
    )
    async with PartnerClient(played(respx_mock.async_handler)) as client:
        answer = await client.send("POST", "https://ems.example/cdrs", Peer(token="t", name="x"), body=b"{}")
    assert (answer.status_code, answer.status_message, answer.data) == (2001, "no such session", ABSENT)
    with pytest.raises(PartnerRefused, match="no such session"):
        require_success(answer)


@respx.mock(assert_all_called=False)
async def test_http_errors_are_answers_with_their_headers(respx_mock: respx.MockRouter, played: Any) -> None:
    respx_mock.get("https://ems.example/").respond(503, text="<html>", headers={"retry-after": "7"})
    async with PartnerClient(played(respx_mock.async_handler)) as client:
        answer = await client.send("GET", "https://ems.example/", Peer(token="t", name="x"))
    assert (answer.http_status, answer.status_code, answer.succeeded) == (503, None, False)
    assert answer.retry_after(datetime(2026, 3, 1, tzinfo=UTC)) == 7


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("Sun, 01 Mar 2026 10:01:30 GMT", 90),
        ("Sun, 01 Mar 2026 09:00:00 GMT", 0),
        ("Sun, 01 Mar 2026 09:00:00", None),
        ("soon", None),
        ("-1", None),
        ("", None),
    ],
)
@respx.mock(assert_all_called=False)
async def test_retry_after(
    respx_mock: respx.MockRouter, played: Any, value: str, seconds: float | None
) -> None:
    respx_mock.get("https://ems.example/").respond(429, headers={"Retry-After": value})
    async with PartnerClient(played(respx_mock.async_handler)) as client:
        answer = await client.send("GET", "https://ems.example/", Peer(token="t", name="x"))
    assert answer.retry_after(datetime(2026, 3, 1, 10, tzinfo=UTC)) == seconds


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", Nonsense.EMPTY),
        (b"<!DOCTYPE html><title>Welcome</title>", Nonsense.HTML),
        (b'{"status_code": 1000,', Nonsense.NOT_JSON),
        (b'{"ok": true}', Nonsense.NO_ENVELOPE),
        (b"[" * 100_000, Nonsense.NOT_JSON),
    ],
)
async def test_nonsense_with_http_200(
    client: PartnerClient, serve: Serve, peer: Peer, body: bytes, kind: Nonsense
) -> None:
    failed = await nonsense_of(client, await serve(answering(body)), peer)
    assert (failed.kind, failed.http_status) == (kind, 200)


async def test_a_wrong_content_type_is_forgiven(client: PartnerClient, serve: Serve, peer: Peer) -> None:
    url = await serve(answering(json.dumps(GOOD), Content_Type="text/html"))
    assert data_of(await client.send("GET", url, peer)) == [1]


async def test_a_redirect_is_not_followed(client: PartnerClient, serve: Serve, peer: Peer) -> None:
    called: list[str] = []

    async def elsewhere(request: web.Request) -> web.Response:
        called.append(request.headers["Authorization"])
        return web.json_response(GOOD)

    target = await serve(elsewhere)
    failed = await nonsense_of(client, await serve(answering("", 307, Location=target)), peer)
    assert (failed.kind, failed.http_status) == (Nonsense.REDIRECT, 307)
    assert called == []


async def test_an_endless_answer_is_cut_off(
    client: PartnerClient, serve: Serve, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "LARGEST_ANSWER", 300_000)
    sent = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while sent < 500_000_000:
            await response.write(b" " * 65536)
            sent += 65536
        return response

    failed = await nonsense_of(client, await serve(handler), peer)
    assert failed.kind is Nonsense.TOO_LARGE
    assert sent < 100_000_000


async def test_an_endless_error_is_still_an_error(
    client: PartnerClient, serve: Serve, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "LARGEST_ANSWER", 1000)
    answer = await client.send("GET", await serve(answering(b"x" * 5000, 500)), peer)
    assert (answer.http_status, answer.status_code) == (500, None)


async def test_compressed_answers_are_not_unpacked(client: PartnerClient, serve: Serve, peer: Peer) -> None:
    bomb = gzip.compress(b" " * 10_000_000)
    failed = await nonsense_of(client, await serve(answering(bomb, Content_Encoding="gzip")), peer)
    assert failed.kind is Nonsense.ENCODED


async def test_a_slow_answer_times_out(client: PartnerClient, serve: Serve, peer: Peer) -> None:
    async def handler(request: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.json_response(GOOD)

    assert await unreachable_kind(client, await serve(handler), peer, seconds=0.1) is Unreachable.TIMEOUT


async def test_a_dripping_answer_times_out_in_total(client: PartnerClient, serve: Serve, peer: Peer) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100):
            await response.write(b" ")
            await asyncio.sleep(0.05)
        return response

    assert await unreachable_kind(client, await serve(handler), peer, seconds=0.3) is Unreachable.TIMEOUT


async def test_nobody_listens(client: PartnerClient, peer: Peer, unused_tcp_port: int) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port}/"
    assert await unreachable_kind(client, url, peer) is Unreachable.REFUSED


async def test_a_name_that_does_not_exist(client: PartnerClient, peer: Peer) -> None:
    assert await unreachable_kind(client, "http://nobody.invalid/", peer) is Unreachable.DNS


async def test_a_connection_that_breaks_off(client: PartnerClient, serve_raw: RawServe, peer: Peer) -> None:
    async def before_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()

    async def inside_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
        await writer.drain()

    assert await unreachable_kind(client, await serve_raw(before_answer), peer) is Unreachable.RESET
    assert await unreachable_kind(client, await serve_raw(inside_answer), peer) is Unreachable.RESET


async def test_an_answer_that_is_not_http(client: PartnerClient, serve_raw: RawServe, peer: Peer) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"220 smtp.ems.example ready\r\n\r\n")
        await writer.drain()

    failed = await nonsense_of(client, await serve_raw(handler), peer)
    assert failed.kind is Nonsense.BAD_HTTP


async def test_tls_that_is_none(client: PartnerClient, serve: Serve, peer: Peer) -> None:
    url = (await serve(answering("{}"))).replace("http:", "https:")
    assert await unreachable_kind(client, url, peer) is Unreachable.TLS


async def test_one_partner_gets_few_connections_and_all_requests_are_answered(
    client: PartnerClient, serve: Serve, peer: Peer
) -> None:
    at_once = most = 0

    async def handler(request: web.Request) -> web.Response:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.02)
        at_once -= 1
        return web.json_response(GOOD)

    url = await serve(handler)
    answers = await asyncio.gather(*(client.send("GET", url, peer) for _ in range(30)))
    assert all(answer.succeeded for answer in answers)
    assert most == 8


async def test_every_exchange_is_recorded_without_secrets(
    client: PartnerClient, serve: Serve, peer: Peer, exchanges: list[Exchange]
) -> None:
    secret = {"token": "their-secret-token", "url": "https://ems.example"}
    url = await serve(answering(json.dumps(GOOD | {"data": secret})))
    await client.send("POST", url, peer, body=json.dumps(secret).encode(), correlation_id="c-9")
    with pytest.raises(PartnerUnreachable):
        await client.send("GET", "ftp://ems.example", peer)

    good, bad = exchanges
    assert (good.peer, good.method, good.url, good.correlation_id) == ("Elbe Mobility", "POST", url, "c-9")
    assert (good.http_status, good.status_code, good.error) == (200, 1000, None)
    assert "ems.example" in good.request
    assert "ems.example" in good.response
    assert good.request_headers["X-Request-ID"] == good.request_id
    assert (bad.http_status, bad.error) == (None, "the URL is not http(s)")
    everything = repr(exchanges)
    for hidden in ("the-secret-token", "their-secret-token", base64.b64encode(b"the-secret-token").decode()):
        assert hidden not in everything


async def test_large_bodies_are_cut_in_the_record(
    client: PartnerClient, serve: Serve, peer: Peer, exchanges: list[Exchange]
) -> None:
    url = await serve(answering(json.dumps(GOOD | {"data": "x" * 100_000})))
    assert len(data_of(await client.send("PUT", url, peer, body=b"y" * 100_000))) == 100_000
    assert len(exchanges[0].request) == len(exchanges[0].response) == 16 * 1024


async def test_what_we_give_up_is_recorded_too(
    client: PartnerClient, serve: Serve, peer: Peer, exchanges: list[Exchange]
) -> None:
    async def handler(request: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.json_response(GOOD)

    url = await serve(handler)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.send("GET", url, peer), 0.1)
    assert [each.error for each in exchanges] == ["given up by us"]


async def test_a_peer_does_not_show_its_token(peer: Peer) -> None:
    assert "secret" not in repr(peer)
