"""Two listeners in one process: bound before anything starts, stopped by one signal, ended in order."""

import asyncio
import contextlib
import errno
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence

import uvicorn
from starlette.types import ASGIApp

from app.kit import logs
from app.kit.protocols import MAX_FRAME, GuardedHttp, PatientWebSocket

PING_SECONDS = 30.0
GRACE_SECONDS = 5  # what open requests get at the end
BACKLOG = 4096

_log = logs.get("kit.listeners")


class ListenError(Exception):
    """A listener that cannot be opened; its text is one line that names the port and the variable to change."""


@contextlib.contextmanager
def bound(*, http: tuple[str, int], ocpp: tuple[str, int] | None) -> Iterator[list[socket.socket]]:
    """The listeners, open before anything else is touched. Raises ListenError if an address cannot be had."""
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(
                contextlib.closing(open_listener(*address, variable=f"VOLTBRIDGE_{name}_PORT"))
            )
            for name, address in (("HTTP", http), ("OCPP", ocpp))
            if address is not None
        ]


async def run_servers(
    http_app: ASGIApp,
    ocpp_app: ASGIApp | None,
    *,
    listeners: Sequence[socket.socket],
    on_started: Callable[[], Awaitable[None]],
    on_stopping: Callable[[], Awaitable[None]],
    ocpp_compression: bool = False,
) -> None:
    """Serve both apps, or the first alone, on their `bound` listeners until SIGINT or SIGTERM; a second signal ends the process at once.

    `on_started` is awaited once both listen. At the end first the listeners close, then `on_stopping` is awaited,
    then the open connections end: WebSockets with close code 1012, requests when they are answered or after
    GRACE_SECONDS. Raises whatever `on_started` raises.
    """
    servers = [_Server(_config(http_app))]
    if ocpp_app is not None:
        servers.append(_Server(_config(ocpp_app, compression=ocpp_compression)))
    with _stop_signal() as stop:
        # Not spawn(): whoever cancels the house's background work at the end must not cancel the servers.
        loop = asyncio.get_running_loop()
        serving = [
            loop.create_task(server.serve(sockets=[listener]))
            for server, listener in zip(servers, listeners, strict=True)
        ]
        try:
            await _until_started(servers, serving)
            await _work_until(stop, on_started, serving)
        finally:
            await _wind_down(servers, serving, on_stopping)


def open_listener(host: str, port: int, *, variable: str) -> socket.socket:
    """A socket that listens on this address. Raises ListenError, which names the variable to change."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise ListenError(f"Cannot listen on {host}: {error.strerror}; change {_host_of(variable)}") from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # Listening at once, not only later in the server, makes a port in use known before anything starts.
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ListenError(_why_not(error, host, port, variable)) from None
    listener.setblocking(False)
    return listener


class _Server(uvicorn.Server):
    """A uvicorn server that leaves the signals to its process: two of them would fight over the handlers."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop_accepting(self) -> None:
        """Close the listener; what is connected stays connected."""
        for server in getattr(self, "servers", []):
            server.close()


def _config(app: ASGIApp, *, compression: bool = False) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=GuardedHttp,
        ws=PatientWebSocket,
        ws_max_size=MAX_FRAME,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        ws_per_message_deflate=compression,
        interface="asgi3",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        # Who the caller is never hangs on an address that a header claims.
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


@contextlib.contextmanager
def _stop_signal() -> Iterator[asyncio.Event]:
    """An event that the first SIGINT or SIGTERM sets. The second one meets the system's own handler: the end."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    handled = (signal.SIGINT, signal.SIGTERM)

    def first(number: signal.Signals) -> None:
        _log.info("stopping", signal=number.name)
        for each in handled:
            loop.remove_signal_handler(each)
            signal.signal(each, signal.SIG_DFL)
        stop.set()

    for each in handled:
        loop.add_signal_handler(each, first, each)
    try:
        yield stop
    finally:
        for each in handled:
            loop.remove_signal_handler(each)


async def _until_started(servers: list[_Server], serving: list[asyncio.Task[None]]) -> None:
    while not all(server.started for server in servers):
        for task in serving:
            if task.done():
                task.result()
        await asyncio.sleep(0.005)


async def _work_until(
    stop: asyncio.Event, on_started: Callable[[], Awaitable[None]], serving: list[asyncio.Task[None]]
) -> None:
    """Run `on_started`, then wait for the signal, which may also come before the former has ended."""

    async def start() -> None:
        await on_started()

    loop = asyncio.get_running_loop()
    stopping, starting = loop.create_task(stop.wait()), loop.create_task(start())
    try:
        await asyncio.wait({stopping, starting, *serving}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            await asyncio.wait({stopping, *serving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (starting, stopping):
            task.cancel()
        await asyncio.gather(starting, stopping, return_exceptions=True)


async def _wind_down(
    servers: list[_Server], serving: list[asyncio.Task[None]], on_stopping: Callable[[], Awaitable[None]]
) -> None:
    for server in servers:
        server.stop_accepting()
    try:
        await on_stopping()
    except Exception:  # noqa: BLE001 - the servers end in any case, and the log says what went wrong
        _log.exception("stopping did not go well")
    for server in servers:
        server.should_exit = True
    await asyncio.gather(*serving)


def _why_not(error: OSError, host: str, port: int, variable: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is already in use; stop what uses it, or set {variable} to another port"
        )
    if error.errno == errno.EACCES:
        return (
            f"Port {port} on {host} needs more rights than this process has; set {variable} to one above 1023"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this machine; change {_host_of(variable)}"
    return f"Cannot listen on port {port} of {host}: {error.strerror}; see {variable}"


def _host_of(variable: str) -> str:
    return variable.removesuffix("PORT") + "HOST"
