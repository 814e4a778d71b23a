"""The pieces that pages are made of. Whatever a station or partner wrote goes in as text, never as markup."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from nicegui import ui
from nicegui.element import Element
from nicegui.elements.mixins.text_element import TextElement

TONES = {
    "Available": "good", "Charging": "busy", "Preparing": "wait", "SuspendedEV": "wait", "SuspendedEVSE": "wait",
    "Finishing": "wait", "Reserved": "kept", "Unavailable": "off", "Faulted": "bad", "Unknown": "off",
    "AVAILABLE": "good", "CHARGING": "busy", "BLOCKED": "wait", "RESERVED": "kept", "INOPERATIVE": "off",
    "OUTOFORDER": "bad", "PLANNED": "off", "REMOVED": "off", "UNKNOWN": "off",
    "online": "good", "offline": "off", "pending": "wait", "accepted": "good", "rejected": "bad",
    "waiting": "wait", "in_flight": "busy", "delivered": "good", "failing": "bad", "dead": "bad",
    "invited": "wait", "registering": "busy", "registered": "good", "paused": "off", "suspended": "bad",
    "ACTIVE": "busy", "COMPLETED": "good", "INVALID": "bad", "PENDING": "wait", "RESERVATION": "kept",
    "held": "wait", "issued": "good", "discarded": "off", "connected": "good", "planned": "wait",
}  # fmt: skip
"""The colour of a state, by its word; the word always stands beside it."""


def text(tag: str, words: Any, classes: str = "") -> TextElement:
    """An element that holds nothing but text."""
    return TextElement(tag=tag, text="" if words is None else str(words)).classes(classes)


def box(tag: str = "div", classes: str = "", **attributes: Any) -> Element:
    """An element to put others into. Attribute names are given with `_` for `-`."""
    made = ui.element(tag).classes(classes)
    for name, value in attributes.items():
        made.props[name.strip("_").replace("_", "-")] = value
    return made


def link(words: Any, to: str, classes: str = "vb-link") -> TextElement:
    """A link to another page of the console."""
    made = text("a", words, classes)
    made.props["href"] = to
    return made


def time(at: str | None, how: str = "short") -> Element:
    """An instant (RFC 3339, UTC) in the viewer's zone, UTC on hover; `how`: short, full, clock, ago."""
    made = box("vb-time", "vb-time", how=how)
    made.props["at"] = at or ""
    return made


def set_time(made: Element, at: str | None) -> None:
    """Give a `time` another instant."""
    if made.props.get("at") != (at or ""):
        made.props["at"] = at or ""
        made.update()


def chip(state: str | None, words: str | None = None) -> TextElement:
    """A state as a coloured word."""
    return text("span", words or state or "–", f"vb-chip vb-{TONES.get(state or '', 'off')}")


def set_chip(made: TextElement, state: str | None, words: str | None = None) -> None:
    """Give a `chip` another state."""
    made.set_text(words or state or "–")
    made.classes(replace=f"vb-chip vb-{TONES.get(state or '', 'off')}")


@contextmanager
def card(title: str | None = None, classes: str = "", *, note: str | None = None) -> Iterator[Element]:
    """A card with a heading; more can be put beside the heading by `with` on the yielded element."""
    with box("section", f"vb-card {classes}"):
        head = box("div", "vb-card-head")
        if title is not None:
            with head:
                text("h2", title)
                if note:
                    text("span", note, "vb-note")
        with box("div", "vb-card-body"):
            yield head


def empty(title: str, next_step: str) -> Element:
    """Says that there is nothing, and what to do next."""
    with box("div", "vb-empty") as made:
        text("p", title, "vb-empty-title")
        text("p", next_step)
    return made


def facts(pairs: list[tuple[str, Any]]) -> Element:
    """Names with their values; a value that is callable makes its own element."""
    with box("dl", "vb-facts") as made:
        for name, value in pairs:
            text("dt", name)
            if callable(value):
                with box("dd"):
                    value()
            else:
                text("dd", "–" if value is None or value == "" else value)
    return made


def code(words: str, classes: str = "") -> Element:
    """Something to read as it is, with a button that copies it."""
    with box("div", f"vb-code {classes}") as made:
        text("code", words)
        copier(words)
    return made


def copier(words: str) -> Element:
    """A button that copies these words; the browser does it alone."""
    made = text("button", "Copy", "vb-copy")
    made.props["type"] = "button"
    made.props["data-copy"] = words
    return made


def button(
    words: str, on_click: Callable[..., Any] | None = None, *, kind: str = "quiet", icon: str | None = None
) -> ui.button:
    """A button; `kind`: main, quiet, risky (leads to a question) or danger."""
    made = ui.button(words, on_click=on_click, icon=icon, color=None)
    return made.props("unelevated no-caps").classes(f"vb-button vb-button-{kind}")
