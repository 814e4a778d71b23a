"""What was said between a partner and us: every request in both directions with its answer, tokens masked."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from nicegui import ui

from app.admin.console import parts
from app.admin.console.asking import Query
from app.admin.console.views import View

SHOWN = 60
ARROWS = {"in": "from the partner", "out": "to the partner"}


async def show(
    view: View, title: str, note: str, *, names: Mapping[str, str] | None = None, **query: Query
) -> None:
    """The newest requests that `query` asks for, live; a filter by any word in them.

    `names` are those of partners by their ids, where messages of several are shown.
    """
    with parts.card(title, note=f"the newest {SHOWN}{note}") as head:
        log = _Log(names)
        with head, parts.box("div", "vb-actions vb-push"):
            ui.input("Filter", on_change=lambda event: log.filter(event.value or "")).props(
                "outlined dense clearable debounce=200"
            )
    with log.place:
        await view.follow("/messages", log.show, every=2, limit=SHOWN, count=False, **query)


class _Log:
    """The list. What is new goes on top; what is there stays as it is."""

    def __init__(self, names: Mapping[str, str] | None) -> None:
        self._names = names
        self._entries: dict[tuple[Any, ...], tuple[Any, str]] = {}
        self._wanted = ""
        self.place = parts.box(
            "div", "vb-wire", role="log", aria_label="Messages, newest first", tabindex="0"
        )
        self._nothing = parts.empty("Nothing was said yet", "Requests appear as they come and go.")

    def show(self, found: list[dict[str, Any]]) -> None:
        """The newest, newest first."""
        keys = [
            (each["request_id"], each["direction"], each["method"], each["url"], each["at"]) for each in found
        ]
        for key in self._entries.keys() - set(keys):
            self._entries.pop(key)[0].delete()
        for key, each in reversed(list(zip(keys, found, strict=True))):
            if key not in self._entries:
                with self.place:
                    entry = _entry(each, self._names)
                entry.move(target_index=0)
                told = f"{each['method']} {each['url']} {each['request']} {each['response']} {each['correlation_id']}"
                self._entries[key] = (entry, told.lower())
                entry.set_visibility(self._wanted in told.lower())
        self._nothing.set_visibility(not found)

    def filter(self, wanted: str) -> None:
        """Show only requests that contain this."""
        self._wanted = wanted.lower()
        for entry, text in self._entries.values():
            entry.set_visibility(self._wanted in text)


def _entry(each: dict[str, Any], names: Mapping[str, str] | None) -> Any:
    with parts.box("details", f"vb-message vb-{each['direction']}") as made:
        with parts.box("summary", "vb-message-head"):
            arrow = parts.text("span", "→" if each["direction"] == "in" else "←", "vb-arrow")
            arrow.props["aria-label"] = ARROWS[each["direction"]]
            parts.time(each["at"], "clock")
            if names is not None:
                parts.text("span", names.get(each["partner"] or "", each["partner"] or "–"), "vb-strong")
            parts.text("span", each["method"], "vb-strong")
            parts.text("span", _where(each["url"]), "vb-mono vb-url")
            parts.chip(*_outcome(each))
            if each["duration_ms"] is not None:
                parts.text("span", f"{each['duration_ms']} ms", "vb-note")
            if each["routed"]:
                parts.text("span", f"Routed: {each['routed']}", "vb-routed")
        parts.facts(
            [
                ("URL", each["url"]),
                ("Request id", each["request_id"]),
                ("Correlation id", each["correlation_id"]),
            ]
        )
        for name in ("request", "response"):
            if each[name]:
                parts.text("h3", name.capitalize())
                parts.text("pre", each[name], "vb-frame")
    return made


def _where(url: str) -> str:
    split = urlsplit(url)
    return f"{split.path}?{split.query}" if split.query else split.path


def _outcome(each: dict[str, Any]) -> tuple[str, str]:
    http, ocpi = each["http_status"], each["ocpi_status"]
    if http is None:
        return "dead", "no answer"
    fine = http < 400 and (ocpi or 1000) < 2000
    return "delivered" if fine else "dead", f"{http}" if ocpi is None else f"{http} · {ocpi}"
