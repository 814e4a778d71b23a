"""The ASGI app of all our OCPI platforms."""

from starlette.types import ASGIApp

from ocpi.context import OcpiContext
from ocpi.server.corridor import Corridor


def ocpi_app(context: OcpiContext) -> ASGIApp:
    """To be mounted at `/ocpi`."""
    return Corridor(context)
