"""The wire log of a station: every message in both directions, as it was."""

import json
from typing import Any

from nicegui import ui

from app.admin.console import parts
from app.admin.console.views import View

SHOWN, EXPORTED = 60, 1000
ARROWS = {"in": "from the station", "out": "to the station"}


async def show(view: View, station_id: str) -> None:
    """The newest messages, live; a filter by any word in them; a file of more."""
    with parts.card("Wire log", note=f"the newest {SHOWN} messages") as head:
        log = _Log()
        with head, parts.box("div", "vb-actions vb-push"):
            ui.input("Filter", on_change=lambda event: log.filter(event.value or "")).props(
                "outlined dense clearable debounce=200"
            )
            parts.button("Export", view.act(lambda: _export(view, station_id)), icon="download")
    with log.place:
        await view.follow(f"/stations/{station_id}/frames", log.show, every=2, limit=SHOWN, count=False)


async def _export(view: View, station_id: str) -> None:
    found = await view.api.get(f"/stations/{station_id}/frames", limit=EXPORTED, count=False)
    name = "".join(sign if sign.isalnum() or sign in "-_." else "_" for sign in station_id)
    with view.client:
        ui.download.content(
            json.dumps(found, indent=1, default=str), f"wire-log-{name}.json", "application/json"
        )


class _Log:
    """The list. What is new goes on top; what is there stays as it is."""

    def __init__(self) -> None:
        self._entries: dict[tuple[Any, ...], tuple[Any, str]] = {}
        self._wanted = ""
        self.place = parts.box(
            "div", "vb-wire", role="log", aria_label="Messages, newest first", tabindex="0"
        )
        self._nothing = parts.empty("Nothing was said yet", "Messages appear as they come.")

    def show(self, found: list[dict[str, Any]]) -> None:
        """The newest messages, newest first."""
        keys = [_key(each) for each in found]
        for key in self._entries.keys() - set(keys):
            self._entries.pop(key)[0].delete()
        for key, each in reversed(list(zip(keys, found, strict=True))):
            if key not in self._entries:
                with self.place:
                    entry = _entry(each)
                entry.move(target_index=0)
                text = f"{each['action']} {each['text'] or ''} {each['message_id']}".lower()
                self._entries[key] = (entry, text)
                entry.set_visibility(self._wanted in text)
        self._nothing.set_visibility(not found)

    def filter(self, wanted: str) -> None:
        """Show only messages that contain this."""
        self._wanted = wanted.lower()
        for entry, text in self._entries.values():
            entry.set_visibility(self._wanted in text)


def _key(each: dict[str, Any]) -> tuple[Any, ...]:
    return each["message_id"], each["kind"], each["direction"], each["at"], each["outcome"]


def _entry(each: dict[str, Any]) -> Any:
    with parts.box("div", f"vb-message vb-{each['direction']}") as made:
        with parts.box("div", "vb-message-head"):
            parts.text("span", "→" if each["direction"] == "in" else "←", "vb-arrow").props["aria-label"] = (
                ARROWS[each["direction"]]
            )
            parts.time(each["at"], "clock")
            parts.text(
                "span", each["action"] if each["kind"] == "call" else f"{each['action']} answer", "vb-strong"
            )
            if each["outcome"] not in (None, "result"):
                parts.chip("failing", each["outcome"])
            for deviation in each.get("deviations") or []:
                parts.chip("waiting", str(deviation))
            if each["text"]:
                parts.copier(each["text"])
        parts.text("div", each["text"] or "no answer", "vb-frame")
    return made
