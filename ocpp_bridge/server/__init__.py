"""The OCPP listener: the ASGI app, one open connection, and the adoption of a station."""

from ocpp_bridge.server.app import ocpp_app

__all__ = ["ocpp_app"]
