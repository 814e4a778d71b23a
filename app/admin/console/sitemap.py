"""Every page of the console: its address, its name, its place in the navigation."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from starlette.routing import compile_path

from app.admin.console import overview
from app.admin.console.views import View

Build = Callable[..., Awaitable[Any]]
"""Fills a page: takes the View, and the parts of the path by name."""


class Page(NamedTuple):
    """One page. Without an icon it has no entry of its own in the navigation but belongs to the entry `under`."""

    path: str
    title: str
    build: Callable[..., Awaitable[None]]
    icon: str | None = None
    under: str | None = None


PAGES: tuple[Page, ...] = (Page("/", "Overview", overview.page, icon="space_dashboard"),)

_PATTERNS = [compile_path(page.path)[0] for page in PAGES]
_PARTS_OF_PAGES = ("/_nicegui/", "/_nicegui_ws/", "/favicon.ico")


def mine(path: str) -> bool:
    """Whether this path is one of the console's pages, or a part of one."""
    return path.startswith(_PARTS_OF_PAGES) or any(pattern.match(path) for pattern in _PATTERNS)


__all__ = ["PAGES", "Build", "Page", "View", "mine"]
