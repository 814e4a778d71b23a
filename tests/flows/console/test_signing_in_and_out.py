"""An operator comes in, looks around on any screen, and leaves."""

import asyncio
import re

import httpx
import pytest

from tests.flows.house import ADMIN_TOKEN


async def test_signing_in_and_out(browser):
    async with browser.visitor() as page:
        await page.goto("/?from=a-link")
        await page.get_by_label("Admin token").fill("a guess")
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_role("alert").get_by_text("not the admin token").wait_for()
        browser.trouble.clear()  # the browser notes the 403
        await page.get_by_label("Admin token").fill(ADMIN_TOKEN)
        await page.keyboard.press("Enter")
        await page.get_by_role("heading", name="Overview").wait_for()
        assert page.url.endswith("/?from=a-link")
        assert ADMIN_TOKEN not in await page.content()
        assert await page.evaluate("document.cookie") == "voltbridge_zone=Europe/Amsterdam"
        await page.get_by_role("button", name="Sign out").click()
        await page.get_by_label("Admin token").wait_for()


async def test_the_keyboard_is_enough_and_the_first_stop_skips_the_navigation(page):
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.textContent") == "Skip to the content"
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (1280, "dark"), (400, "light"), (400, "dark")]
)
async def test_it_fits_the_screen_in_both_schemes(browser, width, scheme):
    async with browser.operator(width, scheme) as page:
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        ground = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        bright = sum(map(int, re.findall(r"\d+", ground)[:3])) > 384
        assert bright == (scheme == "light")


async def test_on_a_small_screen_the_navigation_waits_behind_a_button(browser):
    async with browser.operator(400) as page:
        overview = page.get_by_role("navigation").get_by_role("link", name="Overview")
        assert not await overview.is_visible()
        await page.get_by_role("button", name="Menu").click()
        await overview.wait_for(state="visible")
        await page.keyboard.press("Escape")
        await overview.wait_for(state="hidden")


async def test_a_chosen_scheme_stays(browser):
    async with browser.visitor(color_scheme="light") as page:
        await browser.sign_in(page)
        await page.get_by_role("button", name="Light or dark").click()
        await page.locator("body.body--dark").wait_for()
        await page.reload()
        await page.locator("body.body--dark").wait_for()


async def test_the_neighbours_of_the_pages_answer_for_themselves(house):
    async with httpx.AsyncClient(base_url=house.url, trust_env=False) as client:
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        assert (await client.get("/admin/v1/nothing")).status_code == 401
        assert (await client.get("/ocpi/nothing")).headers["content-type"] == "application/json"
        assert (await client.get("/docs")).status_code == 200
        assert (await client.get("/no/such/page")).status_code == 404


async def test_a_page_takes_nothing_before_it_is_connected(browser):
    """What was typed and clicked till then would arrive in any order."""
    connect = asyncio.Event()
    held = []

    async def hold(route):
        held.append(route)
        await connect.wait()
        route.connect_to_server()

    async with browser.operator() as page:
        await page.add_init_script("performance.now = () => 0")  # its patience never ends
        await page.route_web_socket(re.compile("socket"), hold)
        load = asyncio.create_task(page.goto("/"))
        await page.get_by_role("heading", name="Overview").wait_for(state="attached")
        while not held:
            await asyncio.sleep(0.01)
        assert await page.evaluate("document.documentElement.inert")
        connect.set()
        await load
        assert await page.evaluate("window.did_handshake")
