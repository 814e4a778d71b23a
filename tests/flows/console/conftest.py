"""The console in a real browser: headless Chromium, where one is installed, before the real program.

One browser serves all tests of this folder, so they and what they ask for run in one event loop.
"""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from tests.flows.conftest import QUICK, Shared, lent, partnered
from tests.flows.house import ADMIN_TOKEN, House
from tests.flows.partner import Partner
from tests.flows.station import PASSWORD

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BEHIND = ("ERR_ABORTED",)
"""What a page that is left early gives up."""
HEIGHT = 900
PATIENCE_MS = 30_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder share a loop."""
    for item in items:
        if Path(__file__).parent in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(loop_scope="session")
async def house(shared: Shared) -> AsyncIterator[House]:
    """A running program, shared with other tests; what it logs during the test is looked at."""
    async with lent(shared) as house:
        yield house


@pytest_asyncio.fixture(loop_scope="session")
async def partner(shared: Shared, house: House) -> AsyncIterator[Partner]:
    """An eMSP registered with the shared program."""
    async with partnered(shared) as partner:
        yield partner


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """One running program; the pages are the same on every database."""
    folder = tmp_path_factory.mktemp("console")
    found = Shared(House(f"sqlite+aiosqlite:///{folder / 'voltbridge.db'}", folder, **QUICK))
    found.house.secrets.add(PASSWORD)
    found.house.start()
    yield found
    found.end()
    found.house.check_log()


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a browser; without one the test is skipped."""
    pytest.importorskip("playwright", reason="playwright is not installed (group e2e)")
    pytest.importorskip("nicegui", reason="the console is not installed (extra console)")
    named = os.environ.get("VOLTBRIDGE_TEST_CHROMIUM")
    found = named or next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(
            "no Chromium here; install Debian's package chromium, or name one in VOLTBRIDGE_TEST_CHROMIUM"
        )
    return found


async def new_context(chromium: Any, house: House, width: int = 1280, **more: Any) -> Any:
    """A browser that nobody has used, in Amsterdam."""
    return await chromium.new_context(
        viewport={"width": width, "height": HEIGHT},
        base_url=house.url,
        timezone_id="Europe/Amsterdam",
        locale="en-GB",
        **more,
    )


async def choose(page: Any, label: str, wanted: str) -> None:
    """Choose from a list; ends when the list has gone, so that the next one cannot be mistaken for it."""
    await page.get_by_label(label, exact=True).click()
    await page.get_by_role("option", name=wanted, exact=True).click()
    await page.get_by_role("listbox").wait_for(state="detached")


def _usable(page: Any) -> Any:
    """Its `goto`, which ends when the page can be used: what is typed before goes nowhere."""
    load = page.goto

    async def goto(address: str) -> None:
        await load(address)
        await page.wait_for_function("!document.documentElement.inert")

    return goto


class Browser:
    """A browser before one house. Whatever a page complains of, or asks of anybody else, fails the test."""

    def __init__(self, chromium: Any, signed_in: Any, house: House) -> None:
        self._chromium = chromium
        self._signed_in = signed_in
        self._house = house
        self.trouble: list[str] = []

    @asynccontextmanager
    async def visitor(self, width: int = 1280, **more: Any) -> AsyncIterator[Any]:
        """A page of a browser that nobody has used."""
        context = await new_context(self._chromium, self._house, width, **more)
        yield await self._page(context)
        await context.close()

    @asynccontextmanager
    async def operator(self, width: int = 1280, color_scheme: str = "light") -> AsyncIterator[Any]:
        """A page of an operator who has signed in, on the overview."""
        page = await self._page(self._signed_in)
        await page.set_viewport_size({"width": width, "height": HEIGHT})
        await page.emulate_media(color_scheme=color_scheme)
        await page.goto("/")
        await page.get_by_role("heading", name="Overview").wait_for()
        yield page
        await page.close()

    @staticmethod
    async def sign_in(page: Any) -> None:
        """Sign in; ends on the overview."""
        await page.goto("/sign-in")
        await page.get_by_label("Admin token").fill(ADMIN_TOKEN)
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_role("heading", name="Overview").wait_for()

    async def _page(self, context: Any) -> Any:
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto = _usable(page)
        page.on("console", lambda said: self._heed(said.type, said.text))
        page.on("pageerror", lambda error: self._heed("error", str(error)))
        page.on("request", lambda request: self._ours(request.url))
        return page

    def _heed(self, kind: str, text: str) -> None:
        if kind == "error" and not any(word in text for word in BEHIND):
            self.trouble.append(text)

    def _ours(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.netloc != urlsplit(self._house.url).netloc:
            self.trouble.append(f"asked of somebody else: {url}")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _running_chromium(chromium: str) -> AsyncIterator[Any]:
    """The one browser, driven by Playwright."""
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        await started.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _signed_in(_running_chromium: Any, shared: Shared) -> AsyncIterator[Any]:
    """A browser's memory in which the operator has signed in: what pages are made of is fetched once."""
    context = await new_context(_running_chromium, shared.house)
    page = await context.new_page()
    await Browser.sign_in(page)
    await page.close()
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def browser(_running_chromium: Any, _signed_in: Any, house: House) -> AsyncIterator[Browser]:
    """A browser before the running program."""
    found = Browser(_running_chromium, _signed_in, house)
    yield found
    assert found.trouble == []


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Any]:
    """A page of an operator who has signed in."""
    async with browser.operator() as page:
        yield page
