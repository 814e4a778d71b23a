"""The entrance of the console: who has not signed in sees nothing, and no other site acts for who has."""

import re
from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from app.admin.console.entrance import Entrance
from app.admin.console.passes import LIFETIME, TRIES, Attempts, Passes
from app.admin.gate import same_token

TOKEN = "operators-token"
COOKIE = "voltbridge_8000"


async def pages(scope: Any, receive: Any, send: Any) -> None:
    """What lies behind the entrance."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 1000})
        return
    await PlainTextResponse("inside")(scope, receive, send)


@pytest.fixture
def passes(clock):
    return Passes(clock, b"secret")


@pytest.fixture
def door(clock, passes):
    def make(**changes: Any) -> Entrance:
        given: dict[str, Any] = {
            "passes": passes,
            "attempts": Attempts(clock),
            "token_ok": same_token(TOKEN),
            "mine": lambda path: path in ("/", "/stations") or path.startswith("/_nicegui"),
            "cookie": COOKIE,
            "secure": False,
        }
        return Entrance(pages, **(given | changes))

    return make


@pytest.fixture
async def browser(door):
    transport = httpx.ASGITransport(door())
    async with httpx.AsyncClient(transport=transport, base_url="http://console.test") as client:
        yield client


async def sign_in(browser: httpx.AsyncClient, token: str = TOKEN, **more: str) -> httpx.Response:
    return await browser.post("/sign-in", data={"token": token} | more)


async def test_a_stranger_is_sent_to_the_sign_in_page_and_back_to_where_they_wanted(browser):
    refused = await browser.get("/stations?status=Faulted")
    assert (refused.status_code, refused.headers["location"]) == (
        303,
        "/sign-in?to=/stations%3Fstatus%3DFaulted",
    )
    form = await browser.get(refused.headers["location"])
    assert 'name="to" value="/stations?status=Faulted"' in form.text
    entered = await sign_in(browser, to="/stations?status=Faulted")
    assert (entered.status_code, entered.headers["location"]) == (303, "/stations?status=Faulted")
    assert (await browser.get("/stations")).text == "inside"


async def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(browser, door):
    cookie = (await sign_in(browser)).headers["set-cookie"]
    assert re.fullmatch(rf"{COOKIE}=[\w.\-]+; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax", cookie)
    assert TOKEN not in cookie
    secure = httpx.AsyncClient(
        transport=httpx.ASGITransport(door(secure=True)), base_url="https://console.test"
    )
    async with secure:
        assert (await sign_in(secure)).headers["set-cookie"].endswith("; SameSite=Lax; Secure")


async def test_a_wrong_token_is_told_so_and_after_some_tries_the_right_one_must_wait_too(browser, clock):
    for _ in range(TRIES):
        wrong = await sign_in(browser, "guess")
        assert wrong.status_code == 403
        assert "not the admin token" in wrong.text
        assert "set-cookie" not in wrong.headers
    waiting = await sign_in(browser)
    assert (waiting.status_code, waiting.headers["retry-after"]) == (429, "60")
    clock.advance(61)
    assert (await sign_in(browser)).status_code == 303


@pytest.mark.parametrize(
    "to",
    [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "/sign-in",
        "/a\nb",
    ],
)
async def test_signing_in_never_leads_to_another_site(browser, to):
    assert (await sign_in(browser, to=to)).headers["location"] == "/"


async def test_what_a_link_says_is_never_markup_on_the_sign_in_page(browser):
    page = await browser.get("/sign-in", params={"to": '/"><script>alert(1)</script>'})
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text


@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
async def test_a_form_of_another_site_signs_nobody_in_or_out(browser, origin):
    refused = await browser.post("/sign-in", data={"token": TOKEN}, headers={"origin": origin})
    assert refused.status_code == 403
    await sign_in(browser)
    assert (await browser.post("/sign-out", headers={"origin": origin})).status_code == 403
    assert (await browser.post("/", headers={"origin": origin})).status_code == 403
    assert (await browser.get("/")).text == "inside"


async def test_signing_out_makes_the_pass_worthless_even_for_who_kept_it(browser):
    await sign_in(browser)
    kept = browser.cookies[COOKIE]
    out = await browser.post("/sign-out", headers={"origin": "http://console.test"})
    assert (out.status_code, out.headers["location"]) == (303, "/sign-in")
    assert f"{COOKIE}=; " in out.headers["set-cookie"]
    browser.cookies.set(COOKIE, kept)
    assert (await browser.get("/")).status_code == 303


async def test_a_pass_ends_with_its_day_unless_it_is_used(browser, clock):
    await sign_in(browser)
    clock.advance(LIFETIME.total_seconds() * 0.6)
    renewed = await browser.get("/")
    assert COOKIE in renewed.headers["set-cookie"]
    clock.advance(LIFETIME.total_seconds() * 0.6)
    assert (await browser.get("/")).text == "inside"
    clock.advance(LIFETIME.total_seconds())
    assert (await browser.get("/")).status_code == 303


def test_a_pass_of_another_secret_or_with_another_end_is_no_pass(clock, passes):
    mine = passes.issue()
    assert passes.good(mine)
    assert not Passes(clock, b"another admin token").good(mine)
    until, name, signature = mine.split(".")
    assert not passes.good(f"{int(until) + 1}.{name}.{signature}")
    for odd in ("", ".", "..", "a.b.c", f"{name}.{signature}", mine + "x", mine.upper(), "\udce9.x.y"):
        assert not passes.good(odd)


def test_a_socket_is_for_who_signed_in_and_from_a_page_of_ours_only(door, passes):
    client = TestClient(door(), base_url="http://console.test")
    cookie = {"cookie": f"{COOKIE}={passes.issue()}"}
    ours = {"origin": "http://console.test"}
    for headers in (
        {},
        ours,
        cookie | {"origin": "http://evil.example"},
        {"cookie": f"{COOKIE}=1.2.3"} | ours,
    ):
        with (
            pytest.raises(WebSocketDisconnect) as refused,
            client.websocket_connect("ws://console.test/_nicegui_ws/", headers=headers),
        ):
            pass
        assert refused.value.code == 1008
    with client.websocket_connect("ws://console.test/_nicegui_ws/", headers=cookie | ours):
        pass


async def test_what_is_no_page_is_not_found_signed_in_or_not(browser):
    for _ in range(2):
        found = await browser.get("/wp-login.php")
        assert found.status_code == 404
        assert "nothing at this address" in found.text
        await sign_in(browser)


async def test_nothing_is_loaded_from_elsewhere_but_the_tiles_that_were_named(browser, door):
    policy = (await browser.get("/sign-in")).headers["content-security-policy"]
    assert "http" not in policy
    assert "frame-ancestors 'none'" in policy
    named = httpx.ASGITransport(door(tiles="https://{s}.tiles.example/{z}/{x}/{y}.png"))
    async with httpx.AsyncClient(transport=named, base_url="http://console.test") as other:
        policy = (await other.get("/sign-in")).headers["content-security-policy"]
    assert "img-src 'self' data: blob: https://*.tiles.example;" in policy


async def test_the_look_of_the_sign_in_page_is_served_without_signing_in_and_nothing_beside_it(browser):
    for name in ("doors.css", "mark.svg", "zone.js"):
        assert (await browser.get(f"/_console/{name}")).status_code == 200
    for name in ("../entrance.py", "..%2fentrance.py", "nothing.css"):
        assert (await browser.get(f"/_console/{name}")).status_code in (303, 404)
