"""The settings of a partner: what it is asked and told, and what it gets wrong."""

from typing import Any

from nicegui import ui

from app.admin.console import parts
from app.admin.console.views import View

_ASKED = {"role": "As its role says", "yes": "Always", "no": "Never"}
_BROADCAST = {"per_party": "One request per party", "per_platform": "One request per platform"}
_FLAGS = {
    "empty_ack": "Takes an empty answer with HTTP 2xx for received",
    "raw_token": "Wants its token without Base64",
    "allow_private_url": "May have http and private addresses",
}


def show(view: View, partner: dict[str, Any]) -> None:
    """The form; what is changed is sent at once by `Save`."""
    with parts.card("Settings"):
        _Form(view, partner)


class _Form:
    """All settings, each by its name in the API."""

    def __init__(self, view: View, partner: dict[str, Any]) -> None:
        self._view, self._path = view, f"/partners/{partner['id']}"
        now = partner["settings"]
        with parts.box("div", "vb-form"):
            asked = {None: "role", True: "yes", False: "no"}[
                now["authorize_unknown"] if _chosen(partner) else None
            ]
            self._asked = ui.select(_ASKED, label="Asked about tokens nobody knows", value=asked).props(
                "outlined dense"
            )
            self._broadcast = ui.select(_BROADCAST, label="Told to everybody", value=now["broadcast"]).props(
                "outlined dense"
            )
            self._limit = ui.input("Objects per page, at most", value=_text(now["page_limit"])).props(
                "outlined dense inputmode=numeric"
            )
            self._pace = ui.input("Requests per second at the start", value=_text(now["pace"])).props(
                "outlined dense inputmode=decimal"
            )
        with parts.box("div", "vb-switches"):
            self._flags = {name: ui.switch(words, value=now[name]) for name, words in _FLAGS.items()}
        with parts.box("div", "vb-actions"):
            parts.button("Save", view.act(self._save), kind="main")
        self._asked_at_first = asked

    async def _save(self) -> None:
        changes: dict[str, Any] = {name: field.value for name, field in self._flags.items()}
        changes["broadcast"] = self._broadcast.value
        try:
            limit = (self._limit.value or "").strip()
            changes["page_limit"] = int(limit) if limit else None
            changes["pace"] = float((self._pace.value or "").strip())
        except ValueError:
            self._view.tell("Pages and pace are numbers.", "bad")
            return
        if self._asked.value != self._asked_at_first:
            changes["authorize_unknown"] = {"role": None, "yes": True, "no": False}[self._asked.value]
        await self._view.api.patch(self._path, changes)
        self._asked_at_first = self._asked.value
        self._view.tell("Saved.")


def _chosen(partner: dict[str, Any]) -> bool:
    """Whether somebody set what the API otherwise fills in by the partner's role."""
    is_hub = any(each["role"] == "HUB" for each in partner["roles"])
    return bool(partner["settings"]["authorize_unknown"] != is_hub)


def _text(value: Any) -> str:
    return "" if value is None else f"{value:g}"
