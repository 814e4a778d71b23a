"""The admin API as one application, to be mounted at /admin/v1."""

from typing import Any

from fastapi import FastAPI

from app import __version__
from app.admin import decisions, locations, overview, sessions, statistics, timelines, tokens, webhooks
from app.admin.billing import cdrs, pricing, settlement, simulations, tariff_checks, tariffs, verifications
from app.admin.bulk import router as bulk
from app.admin.context import AdminContext
from app.admin.gate import Gate
from app.admin.problems import MEDIA_TYPE, handle_problems
from app.admin.roaming import accounting, clearing, deliveries, hub, hub_overview, messages, partners, pulls
from app.admin.stations import availability, calls, faults, reservations, stations, transactions
from app.admin.stations import settings as station_settings

PATH = "/admin/v1"
"""Where the roof mounts it."""

_ROOMS = (
    hub, hub_overview, clearing, accounting, pulls,
    decisions, reservations,
    partners, locations, tariffs, tokens, stations, station_settings, calls, transactions, sessions, timelines, verifications, cdrs, pricing,
    simulations, tariff_checks, deliveries, messages, bulk, webhooks, settlement, statistics, overview, faults,
    availability,
)  # fmt: skip
_PROBLEM: dict[str, Any] = {
    "description": "What is wrong, as problem details (RFC 9457)",
    "content": {
        MEDIA_TYPE: {
            "schema": {
                "type": "object",
                "required": ["type", "title", "status", "detail"],
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "detail": {"type": "string"},
                    "field": {"type": "string"},
                    "errors": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {
                                "field": {"type": "string"},
                                "message": {"type": "string"},
                                "line": {"type": "integer"},
                            },
                        },
                    },
                },
            }
        }
    },
}


def admin_app(context: AdminContext) -> FastAPI:
    """The application: every request passes the gate first, every error leaves as problem details."""
    app = described()
    app.state.context = context
    app.add_middleware(Gate, token_ok=context.token_ok)
    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way to give another one
    return app


def described() -> FastAPI:
    """The routes without anything behind them."""
    app = FastAPI(
        title="Voltbridge admin API",
        version=__version__,
        description="Everything an operator sets up, looks at and decides. "
        "Lists are plain arrays; X-Total-Count tells their length.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        responses={"default": _PROBLEM},
    )
    for room in _ROOMS:
        app.include_router(room.router)
    handle_problems(app)
    return app


def document() -> dict[str, Any]:
    """The OpenAPI document; paths begin where the API is mounted."""
    found = described().openapi()
    found["servers"] = [{"url": PATH}]
    found["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    found["security"] = [{"bearer": []}]
    for path in found["paths"].values():
        for operation in path.values():
            # Refusals of every kind have one form, told once per operation under `default`.
            operation["responses"].pop("422", None)
    for unused in ("HTTPValidationError", "ValidationError"):
        found["components"]["schemas"].pop(unused, None)
    return found
