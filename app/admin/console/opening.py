"""Opening the console: its pages registered with NiceGUI, behind the entrance, as one app for the roof to mount."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from nicegui import app as pages
from nicegui import ui
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp

from app.admin.console import shell, sitemap
from app.admin.console.asking import Api, Refusal
from app.admin.console.entrance import STATIC, Entrance
from app.admin.console.failures import refused, went_wrong
from app.admin.console.feed import Feed
from app.admin.console.passes import Attempts, Passes
from app.admin.console.views import Console, View
from app.admin.context import AdminContext
from app.kit import logs

BUILD_SECONDS = 20.0
"""How long a page may take to be made before the browser is told that it failed."""
RECONNECT_SECONDS = 30.0
"""For how long a page that lost its connection is kept, with all that stands on it."""

_log = logs.get("console")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedConsole:
    """The app to mount at /, and what has to be entered while it serves."""

    app: ASGIApp
    running: AbstractAsyncContextManager[Any]


def open_console(
    context: AdminContext, *, secret: bytes, public_url: str, tiles: str | None = None
) -> OpenedConsole:
    """Once per process: NiceGUI keeps its pages in the module. `secret` makes the passes of who is signed in."""
    api = Api.of(context)
    console = Console(api=api, feed=Feed(api), tiles=tiles)
    ui.add_head_html(shell.head(), shared=True)
    for page in sitemap.PAGES:
        ui.page(page.path, title="Voltbridge", response_timeout=BUILD_SECONDS)(_builder(console, page))
    host = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    ui.run_with(
        host,
        title="Voltbridge",
        favicon=STATIC / "mark.svg",
        dark=None,
        binding_refresh_interval=None,
        reconnect_timeout=RECONNECT_SECONDS,
        tailwind=False,
        show_welcome_message=False,
    )
    # Its other middlewares fail loudly whenever a browser goes away early; what they do, the entrance does.
    pages.user_middleware = [Middleware(GZipMiddleware)]
    entrance = Entrance(
        host,
        passes=Passes(context.clock, secret),
        attempts=Attempts(context.clock),
        token_ok=context.token_ok,
        mine=sitemap.mine,
        cookie=f"voltbridge_{_port(public_url)}",
        secure=public_url.startswith("https:"),
        tiles=tiles,
    )
    return OpenedConsole(app=entrance, running=host.router.lifespan_context(host))


def _builder(console: Console, page: sitemap.Page) -> Any:
    entries = [(each.path, each.title, each.icon) for each in sitemap.PAGES if each.icon is not None]

    async def build(request: Request) -> None:
        view = View(console, ui.context.client)
        title = page.title.format(**request.path_params)
        ui.page_title(f"{title} · Voltbridge")
        with shell.shell(view, title, entries, page.under or page.path):
            try:
                await page.build(view, **request.path_params)
            except Refusal as refusal:
                refused(refusal)
            except Exception:  # noqa: BLE001 - the frame stays, so that one can go elsewhere
                _log.exception("a page of the console failed", page=page.path)
                went_wrong()

    return build


def _port(url: str) -> str:
    """Two servers of one host share its cookies, whatever their ports."""
    port = url.rpartition(":")[2].partition("/")[0]
    return port if port.isdigit() else "443"
