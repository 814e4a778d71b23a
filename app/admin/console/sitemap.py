"""Every page of the console: its address, its name, its place in the navigation."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from starlette.routing import compile_path

from app.admin.console import figures, overview
from app.admin.console.charging import record, records, session, sessions
from app.admin.console.hub import hub
from app.admin.console.partners import adding, partner
from app.admin.console.partners import listing as partners
from app.admin.console.stations import listing, station
from app.admin.console.tariffs import listing as tariffs
from app.admin.console.tariffs import tariff
from app.admin.console.tokens import listing as tokens

Build = Callable[..., Awaitable[None]]
"""Fills a page: takes the View (`views.py`), and the parts of the path by name."""


class Page(NamedTuple):
    """One page. Without an icon it has no entry of its own in the navigation but belongs to the entry `under`.

    Parts of the path in braces may stand in the title.
    """

    path: str
    title: str
    build: Build
    icon: str | None = None
    under: str | None = None


PAGES: tuple[Page, ...] = (
    Page("/", "Overview", overview.page, icon="space_dashboard"),
    Page("/stations", "Stations", listing.page, icon="ev_station"),
    Page("/stations/{station_id}", "{station_id}", station.page, under="/stations"),
    Page("/tariffs", "Tariffs", tariffs.page, icon="sell"),
    Page("/tariffs/{tariff_id}", "{tariff_id}", tariff.page, under="/tariffs"),
    Page("/sessions", "Sessions", sessions.page, icon="bolt"),
    Page("/sessions/{session_id}", "Session", session.page, under="/sessions"),
    Page("/cdrs", "Records", records.page, icon="receipt_long"),
    Page("/cdrs/{cdr_id}", "Record", record.page, under="/cdrs"),
    Page("/tokens", "Tokens", tokens.page, icon="badge"),
    Page("/partners", "Partners", partners.page, icon="handshake"),
    Page("/partners/new", "Add a partner", adding.page, under="/partners"),
    Page("/partners/{partner_id}", "Partner", partner.page, under="/partners"),
    Page("/hub", "Hub", hub.page, icon="hub"),
    Page("/statistics", "Statistics", figures.page, icon="insights"),
)

_PATTERNS = [compile_path(page.path)[0] for page in PAGES]
_PARTS_OF_PAGES = ("/_nicegui/", "/_nicegui_ws/", "/favicon.ico")


def mine(path: str) -> bool:
    """Whether this path is one of the console's pages, or a part of one."""
    return path.startswith(_PARTS_OF_PAGES) or any(pattern.match(path) for pattern in _PATTERNS)
