"""The console in a real browser: headless Chromium, where one is installed, before the real program."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.flows.conftest import QUICK, Shared
from tests.flows.house import ADMIN_TOKEN, House
from tests.flows.station import PASSWORD

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BEHIND = ("ERR_ABORTED",)
"""What a page that is left early gives up."""


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


class Browser:
    """A browser before one house. Whatever a page complains of, or asks of anybody else, fails the test."""

    def __init__(self, playwright: Any, chromium: Any, house: House) -> None:
        self._playwright = playwright
        self._chromium = chromium
        self._house = house
        self.trouble: list[str] = []

    @asynccontextmanager
    async def visitor(self, width: int = 1280, **more: Any) -> AsyncIterator[Any]:
        """A page of a browser that nobody has used, in Amsterdam."""
        context = await self._chromium.new_context(
            viewport={"width": width, "height": 900},
            base_url=self._house.url,
            timezone_id="Europe/Amsterdam",
            locale="en-GB",
            **more,
        )
        page = await context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda said: self._heed(said.type, said.text))
        page.on("pageerror", lambda error: self._heed("error", str(error)))
        page.on("request", lambda request: self._ours(request.url))
        yield page
        await context.close()

    async def operator(self, page: Any) -> Any:
        """The same page, signed in and on the overview."""
        await page.goto("/sign-in")
        await page.get_by_label("Admin token").fill(ADMIN_TOKEN)
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_role("heading", name="Overview").wait_for()
        return page

    def _heed(self, kind: str, text: str) -> None:
        if kind == "error" and not any(word in text for word in BEHIND):
            self.trouble.append(text)

    def _ours(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.netloc != urlsplit(self._house.url).netloc:
            self.trouble.append(f"asked of somebody else: {url}")


@pytest.fixture
async def browser(chromium: str, house: House) -> AsyncIterator[Browser]:
    """A browser before the running program."""
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        found = Browser(playwright, started, house)
        yield found
        await started.close()
    assert found.trouble == []


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Any]:
    """A page of an operator who has signed in."""
    async with browser.visitor() as page:
        yield await browser.operator(page)
