"""The ASGI apps of the house, and the process that serves them."""

import asyncio
import contextlib
import importlib.util
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Protocol

from fastapi.openapi.docs import get_swagger_ui_html
from fastapi_offline import FastAPIOffline
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp
from uvicorn.loops.auto import auto_loop_factory

from app.admin.api import admin_app
from app.cluster.roles import Role
from app.kit import collector, logs, metrics, tasks
from app.kit.listeners import ListenError, bound, run_servers
from app.settings import Settings, SettingsError, admin_token, secret_key
from app.store.database.errors import StoreError
from app.wiring import House, build, check_role, only_one
from ocpi.server import openapi
from ocpi.server.router import ocpi_app, partners_first
from ocpp_bridge.server import ocpp_app

if TYPE_CHECKING:
    from app.admin.console.opening import OpenedConsole


class Guest(Protocol):
    """What lives beside the house for as long as it is served, such as the demo."""

    async def begin(self, house: House) -> None:
        """Both ports answer."""
        ...

    async def end(self) -> None:
        """The house is about to stop."""
        ...


READY_SECONDS = 5.0

_FRONT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Voltbridge</title>
<h1>Voltbridge is running</h1>
<p>The operator console is not installed here. <code>make install</code> brings it, and so does
<code>pip install 'voltbridge[console]'</code>; start the server again afterwards.</p>
<ul>
<li><a href="/docs">Admin API</a>: everything an operator can do, to read and to try</li>
<li><a href="/docs/ocpi">OCPI</a>: what roaming partners may call; they begin at <code>/ocpi/cpo/versions</code></li>
<li><a href="/metrics">Metrics</a> for Prometheus, <a href="/readyz">readiness</a></li>
</ul>
"""

_log = logs.get("main")


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run the process's main coroutine on the quickest event loop there is.

    A wrong setting, a database that cannot be used or a port in use ends the process with one line on stderr and
    exit code 1.
    """
    try:
        with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
            runner.run(main)
    except (SettingsError, StoreError, ListenError) as error:
        sys.exit(str(error))


async def serve(settings: Settings, guest: Guest | None = None, role: Role = Role.ALL) -> None:
    """The house until a signal ends it: OCPP on one port, OCPI, admin API and health on the other.

    A process of one `role` serves its part; health and metrics are on the HTTP port of each.
    `guest` begins once both ports answer and ends before they close. Raises SettingsError, StoreError, ListenError.
    """
    # The ports come first: where they are taken, another house may be at work on the same database.
    check_role(settings, role)
    http = settings.http_host, settings.http_port
    ocpp = (settings.ocpp_host, settings.ocpp_port) if role.serves_ocpp else None
    with bound(http=http, ocpp=ocpp) as listeners, only_one(settings):
        house = await build(settings, role=role)
        try:
            await house.start()
            console = _console(house) if role.serves_http else None
            async with contextlib.nullcontext() if console is None else console.running:
                await run_servers(
                    http_app(house, console) if role.serves_http else health_app(house),
                    ocpp_app(house.bridge) if role.serves_ocpp else None,
                    listeners=listeners,
                    on_started=_started(house, guest),
                    on_stopping=_stopping(house, guest),
                    ocpp_compression=settings.ocpp_compression,
                )
        finally:
            await tasks.cancel_all()
            await house.close()


def _started(house: House, guest: Guest | None) -> Callable[[], Awaitable[None]]:
    async def started() -> None:
        settings = house.settings
        collector.settle()
        _log.info("listening", role=str(house.role), http=settings.public_url, ocpp=settings.ocpp_public_url)
        if guest is not None:
            await guest.begin(house)

    return started


def _stopping(house: House, guest: Guest | None) -> Callable[[], Awaitable[None]]:
    async def stopping() -> None:
        if guest is not None:
            await guest.end()
        await house.stop()

    return stopping


def _console(house: House) -> "OpenedConsole | None":
    """The operator's pages, where the extra they need is installed; it is loaded by nothing else."""
    if importlib.util.find_spec("nicegui") is None:
        return None
    from app.admin.console.opening import open_console

    settings = house.settings
    return open_console(
        house.admin,
        secret=secret_key(settings) + admin_token(settings).encode(),
        public_url=settings.public_url,
        tiles=settings.map_tiles,
    )


def http_app(house: House, console: "OpenedConsole | None" = None) -> ASGIApp:
    """Everything behind the HTTP port. OCPI and the admin API answer all that begins with their paths; what nobody
    else knows is the console's.
    """
    admin = admin_app(house.admin)
    root = FastAPIOffline(
        title="Voltbridge", docs_url="/docs", redoc_url=None, openapi_url="/docs/admin.json"
    )
    root.openapi = lambda: {**admin.openapi(), "servers": [{"url": "/admin/v1"}]}  # type: ignore[method-assign]
    root.router.routes += [
        *health_routes(house.ready),
        Mount("/admin/v1", admin),
        Route("/docs/ocpi", _ocpi_pages, methods=["GET"]),
        Route("/docs/ocpi.json", lambda _: JSONResponse(openapi.document()), methods=["GET"]),
        Route("/", _front_page, methods=["GET"]) if console is None else Mount("/", console.app),
    ]
    return partners_first(ocpi_app(house.ocpi), root)


def health_app(house: House) -> ASGIApp:
    """What is behind the HTTP port of a process that serves neither partners nor operators."""
    return Starlette(routes=health_routes(house.ready))


def _ocpi_pages(_request: Request) -> Response:
    """The OCPI document to read, from the same files as the admin API's page."""
    return get_swagger_ui_html(
        openapi_url="/docs/ocpi.json",
        title="Voltbridge OCPI",
        swagger_js_url="/static-offline-docs/swagger-ui-bundle.js",
        swagger_css_url="/static-offline-docs/swagger-ui.css",
        swagger_favicon_url="/static-offline-docs/favicon.png",
    )


def _front_page(_request: Request) -> Response:
    return HTMLResponse(_FRONT)


def health_routes(ready: Callable[[], Awaitable[bool]]) -> list[BaseRoute]:
    """GET /healthz (the process lives), /readyz (200, or 503 with the reason) and /metrics (Prometheus text)."""

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_request: Request) -> Response:
        reason = await _why_not_ready(ready)
        if reason is None:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "not ready", "reason": reason}, status_code=503)

    async def metrics_page(_request: Request) -> Response:
        return Response(metrics.render(), headers={"content-type": metrics.CONTENT_TYPE})

    return [
        Route("/healthz", healthz, methods=["GET"]),
        Route("/readyz", readyz, methods=["GET"]),
        Route("/metrics", metrics_page, methods=["GET"]),
    ]


async def _why_not_ready(ready: Callable[[], Awaitable[bool]]) -> str | None:
    try:
        async with asyncio.timeout(READY_SECONDS):
            if await ready():
                return None
    except TimeoutError:
        return f"the database gave no answer within {READY_SECONDS:.0f} s"
    except Exception as error:  # noqa: BLE001 - a probe answers, whatever the driver raised; the log has the rest
        _log.warning("readiness cannot be told", exc_info=error)
        return f"the database cannot be asked ({type(error).__name__})"
    return "the database is not reachable, or its migrations are not done"
