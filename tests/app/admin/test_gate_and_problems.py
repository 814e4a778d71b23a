"""Before anything else: the token, the size and form of a request; and every refusal as problem details."""

from typing import Any

import httpx
import pytest

from app.store.database.errors import StoreUnavailable

PATHS = [
    "/partners", "/locations", "/tariffs", "/tokens", "/stations", "/transactions", "/sessions", "/cdrs", "/deliveries", "/messages",
]  # fmt: skip

# What is refused before the store is asked is refused alike on both databases.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def is_problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert {"type", "title", "detail"} <= body.keys()
    return body


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic the-admin-token", "the-admin-token"],
)
@pytest.mark.parametrize("path", ["/stations", "/nothing"])
async def test_without_the_token_nothing_is_told(house: Any, authorization: str | None, path: str) -> None:
    transport = httpx.ASGITransport(house.app)
    headers = {} if authorization is None else {"Authorization": authorization}
    async with httpx.AsyncClient(transport=transport, base_url="http://admin") as client:
        answer = await client.get(path, headers=headers)
    is_problem(answer, 401)
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", PATHS)
async def test_lists_are_plain_arrays_with_their_length(api: httpx.AsyncClient, path: str) -> None:
    answer = await api.get(path)
    assert (answer.status_code, answer.json(), answer.headers["x-total-count"]) == (200, [], "0")
    assert (await api.get(path + "/")).json() == []


@pytest.mark.parametrize("path", PATHS)
async def test_absurd_paging_is_refused(api: httpx.AsyncClient, path: str) -> None:
    for query in (
        "limit=0", "limit=1001", "limit=-1", "limit=x", "limit=1e3", "offset=-1", "offset=9223372036854775808",
    ):  # fmt: skip
        body = is_problem(await api.get(f"{path}?{query}"), 422)
        assert body["field"] == query.partition("=")[0]


async def test_unknown_paths_and_methods(api: httpx.AsyncClient) -> None:
    is_problem(await api.get("/nothing"), 404)
    answer = await api.post("/sessions")
    is_problem(answer, 405)
    assert answer.headers["allow"] == "GET"
    answer = await api.patch("/locations/X")
    is_problem(answer, 405)
    assert answer.headers["allow"] == "DELETE, GET, PUT"
    for path in ("locations/X", "tariffs/X", "tokens/X", "stations/X", "stations/X/frames", "transactions/X"):
        is_problem(await api.get(f"/{path}"), 404)
    for path in ("sessions/X", "cdrs/X", "partners/X"):
        is_problem(await api.get(f"/{path}"), 404)
    for path in ("locations/X", "tariffs/X", "tokens/X", "stations/X", "partners/X"):
        is_problem(await api.delete(f"/{path}"), 404)
    for path in (
        "cdrs/X/release",
        "cdrs/X/credit",
        "transactions/X/close",
        "deliveries/1/retry",
        "stations/X/accept",
    ):
        is_problem(await api.post(f"/{path}"), 404)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"{", 400),
        (b"not json", 400),
        (b'{"name": NaN}', 400),
        (b"\xff\xfe", 400),
        (b"", 422),
        (b"[]", 422),
        (b'{"name": "a", "name": "b"}', 422),
        (b"[" * 100_000, 422),
        (b'{"name": "a\\u0000"}', 422),
        (b'{"name": "a\\ud800"}', 422),
        (b'{"name": "a\\u001b[31m"}', 422),
        (b'{"name": 1}', 422),
        (b'{"name": "x", "plattform": "cpo"}', 422),
        (b'{"name": "x", "platform": "moon"}', 422),
    ],
)
async def test_bodies_that_cannot_be_meant(api: httpx.AsyncClient, raw: bytes, status: int) -> None:
    is_problem(await api.post("/partners", content=raw), status)
    assert (await api.get("/partners")).json() == []


async def test_a_put_without_an_object_is_refused(api: httpx.AsyncClient) -> None:
    is_problem(await api.put("/tariffs/T1"), 400)
    is_problem(await api.put("/tariffs/T1", json=[]), 422)
    is_problem(await api.put("/tariffs/T1", json="x"), 422)


async def test_a_body_of_more_than_four_mebibytes(api: httpx.AsyncClient) -> None:
    is_problem(await api.put("/tariffs/T1", content=b" " * (4 * 1024**2 + 1)), 413)

    async def unannounced() -> Any:
        for _ in range(5):
            yield b" " * 1024**2

    is_problem(await api.put("/tariffs/T1", content=unannounced()), 413)


@pytest.mark.parametrize("path", ["/stations/a%00b", "/stations?state=%1b", "/tokens/%0a", "/tokens/%c2%85"])
async def test_control_characters_in_the_url(api: httpx.AsyncClient, path: str) -> None:
    is_problem(await api.get(path), 422)


async def test_a_url_that_is_not_utf_8(api: httpx.AsyncClient) -> None:
    is_problem(await api.get("/stations/%ff"), 422)


async def test_the_store_away(api: httpx.AsyncClient, house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> Any:
        raise StoreUnavailable("connection refused: password=hush")

    monkeypatch.setattr(house.store, "reading", away)
    answer = await api.get("/stations")
    is_problem(answer, 503)
    assert answer.headers["retry-after"]
    assert "hush" not in answer.text


async def test_a_fault_of_our_own_says_nothing_of_the_inside(
    api: httpx.AsyncClient, house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> Any:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(house.store, "reading", broken)
    answer = await api.get("/stations")
    is_problem(answer, 500)
    assert "secret" not in answer.text
