"""The ASGI app of all our OCPI platforms, and its place before everything else."""

from starlette.types import ASGIApp, Receive, Scope, Send

from ocpi.context import OcpiContext
from ocpi.server.corridor import Corridor

PREFIX = "/ocpi"


def ocpi_app(context: OcpiContext) -> ASGIApp:
    """To be mounted at `/ocpi`."""
    return Corridor(context)


def partners_first(ocpi: ASGIApp, rest: ASGIApp) -> ASGIApp:
    """What begins with `/ocpi` goes to partners' app at once, everything else to `rest`.

    The layers of a framework around it would cost a message that is passed on a tenth of its time.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path: str = scope["path"]
            if path.startswith(PREFIX) and path[len(PREFIX) :][:1] in ("", "/"):
                scope["root_path"] = scope.get("root_path", "") + PREFIX
                await ocpi(scope, receive, send)
                return
        await rest(scope, receive, send)

    return app
