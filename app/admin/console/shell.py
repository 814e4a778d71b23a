"""The frame around every page: navigation, heading, the place where things are told, and what the browser loads."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from nicegui import ui

from app.admin.console import parts
from app.admin.console.entrance import ASSETS, SIGN_OUT, STATIC
from app.admin.console.views import View

Entry = tuple[str, str, str]
"""Address, name and icon of an entry of the navigation."""


def head() -> str:
    """What every page loads from us; the version in an address changes with the file."""
    scripts = "".join(f'<script src="{_asset(name)}"></script>' for name in ("zone.js", "console.js"))
    return f'<link rel="stylesheet" href="{_asset("console.css")}">{scripts}'


@contextmanager
def shell(view: View, title: str, entries: Sequence[Entry], current: str) -> Iterator[None]:
    """The frame; what is made inside stands in its main part, under the heading `title`."""
    parts.link("Skip to the content", "#main", "vb-skip")
    with parts.box("div", "vb-shell"):
        _navigation(entries, current)
        with parts.box("div", "vb-body"):
            with parts.box("header", "vb-top"):
                _menu_button()
                parts.text("h1", title)
            view.banner()
            with parts.box("main", "vb-main", id="main", tabindex="-1"):
                yield
    view.watch()
    ui.run_javascript("window.voltbridge.settle()")


def _navigation(entries: Sequence[Entry], current: str) -> None:
    with parts.box("nav", "vb-nav", aria_label="Pages", id="vb-nav"):
        with parts.box("a", "vb-brand", href="/"):
            parts.box("img", src=_asset("mark.svg"), alt="", width="30", height="30")
            parts.text("span", "Voltbridge")
        with parts.box("ul"):
            for address, name, icon in entries:
                with parts.box("li"), parts.box("a", "vb-entry", href=address) as entry:
                    if address == current:
                        entry.props["aria-current"] = "page"
                    ui.icon(icon).props("aria-hidden=true")
                    parts.text("span", name)
        with parts.box("div", "vb-nav-foot"):
            with parts.box("button", "vb-entry", type="button", data_vb_scheme=""):
                ui.icon("contrast").props("aria-hidden=true")
                parts.text("span", "Light or dark")
            with (
                parts.box("form", method="post", action=SIGN_OUT),
                parts.box("button", "vb-entry", type="submit"),
            ):
                ui.icon("logout").props("aria-hidden=true")
                parts.text("span", "Sign out")


def _menu_button() -> None:
    with parts.box(
        "button", "vb-menu", type="button", data_vb_menu="", aria_label="Menu", aria_expanded="false",
        aria_controls="vb-nav",
    ):  # fmt: skip
        ui.icon("menu").props("aria-hidden=true")


def _asset(name: str) -> str:
    version = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"{ASSETS}/{name}?v={version}"
