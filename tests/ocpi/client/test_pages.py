"""Walking through a partner's list."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from aiohttp import web

from ocpi.client import Page, PartnerClient, Peer
from ocpi.errors import Nonsense, PartnerNonsense, PartnerRefused

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], Awaitable[str]]


def listing(data: object, link: str | None = None, **headers: str) -> web.Response:
    body = json.dumps({"status_code": 1000, "data": data, "timestamp": "2026-03-01T10:00:00Z"})
    extra = headers | ({"Link": link} if link else {})
    return web.Response(text=body, content_type="application/json", headers=extra)


async def collect(client: PartnerClient, url: str, peer: Peer, **options: object) -> list[Page]:
    return [page async for page in client.pages(url, peer, **options)]  # type: ignore[arg-type]


async def test_all_pages_are_walked_in_one_chain(client: PartnerClient, serve: Serve, peer: Peer) -> None:
    asked: list[web.Request] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request)
        offset = int(request.query.get("offset", "0"))
        link = f'<{request.url.origin()}/tokens?offset={offset + 2}>; rel="next"' if offset < 4 else None
        return listing([offset, offset + 1], link, **{"X-Total-Count": "6"})

    url = await serve(handler)
    since = datetime(2026, 3, 1, tzinfo=UTC)
    pages = await collect(client, url + "/tokens?view=all", peer, date_from=since, date_to=since, limit=2)
    assert [item for page in pages for item in page.items] == [0, 1, 2, 3, 4, 5]
    assert {page.total for page in pages} == {6}
    assert not any(page.foreign_link for page in pages)
    assert dict(asked[0].query) == {
        "view": "all",
        "date_from": "2026-03-01T00:00:00Z",
        "date_to": "2026-03-01T00:00:00Z",
        "limit": "2",
    }
    assert len({request.headers["X-Correlation-ID"] for request in asked}) == 1
    assert len({request.headers["X-Request-ID"] for request in asked}) == 3


async def test_a_link_to_another_host_stays_on_the_list_s_own(
    client: PartnerClient, serve: Serve, peer: Peer
) -> None:
    stolen: list[str] = []

    async def thief(request: web.Request) -> web.Response:
        stolen.append(request.headers["Authorization"])
        return listing([])

    elsewhere = await serve(thief)

    async def handler(request: web.Request) -> web.Response:
        return listing([2]) if request.query else listing([1], f'<{elsewhere}/tokens?offset=1>; rel="next"')

    pages = await collect(client, await serve(handler) + "/tokens", peer)
    assert [(list(page.items), page.foreign_link) for page in pages] == [([1], False), ([2], True)]
    assert stolen == []


async def test_a_list_that_goes_round_in_circles_ends(
    client: PartnerClient, serve: Serve, peer: Peer
) -> None:
    async def handler(request: web.Request) -> web.Response:
        return listing([1], f'<{request.url.origin()}/tokens?offset=1>; rel="next"')

    with pytest.raises(PartnerNonsense) as failed:
        await collect(client, await serve(handler) + "/tokens", peer)
    assert failed.value.kind is Nonsense.BAD_PAGE


async def test_a_list_without_end_ends(client: PartnerClient, serve: Serve, peer: Peer) -> None:
    async def handler(request: web.Request) -> web.Response:
        offset = int(request.query.get("offset", "0"))
        return listing([1], f'<{request.url.origin()}/tokens?offset={offset + 1}>; rel="next"')

    with pytest.raises(PartnerNonsense) as failed:
        await collect(client, await serve(handler) + "/tokens", peer, most=5)
    assert failed.value.kind is Nonsense.BAD_PAGE


@pytest.mark.parametrize("data", [{}, "tokens", 1])
async def test_a_page_that_is_no_list(client: PartnerClient, serve: Serve, peer: Peer, data: object) -> None:
    async def handler(request: web.Request) -> web.Response:
        return listing(data)

    with pytest.raises(PartnerNonsense) as failed:
        await collect(client, await serve(handler), peer)
    assert failed.value.kind is Nonsense.BAD_PAGE


async def test_a_malformed_link_is_nonsense(client: PartnerClient, serve: Serve, peer: Peer) -> None:
    async def handler(request: web.Request) -> web.Response:
        return listing([1], '<http://[half/tokens>; rel="next"')

    with pytest.raises(PartnerNonsense) as failed:
        await collect(client, await serve(handler), peer)
    assert failed.value.kind is Nonsense.BAD_PAGE


async def test_a_refused_page_ends_the_walk(client: PartnerClient, serve: Serve, peer: Peer) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.json_response({"status_code": 2000}, status=404)

    with pytest.raises(PartnerRefused):
        await collect(client, await serve(handler), peer)
