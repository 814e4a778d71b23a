"""The settings of a partner: what it is asked and told, what it gets wrong, and how much it may ask of us."""

from math import isfinite
from typing import Any

from nicegui import ui

from app.admin.console import parts
from app.admin.console.views import View

_ASKED = {"role": "As its role says", "yes": "Always", "no": "Never"}
_ASKED_AS = {"role": None, "yes": True, "no": False}
_BROADCAST = {"per_party": "One request per party", "per_platform": "One request per platform"}
_NUMBERS = {
    "page_limit": "Objects per page, at most", "pace": "Requests per second at the start", "rate": "May ask per second",
    "at_once": "May have under way", "largest_body": "Largest body, bytes",
}  # fmt: skip
_FLAGS = {
    "empty_ack": "Takes an empty answer with HTTP 2xx for received",
    "raw_token": "Wants its token without Base64",
    "allow_private_url": "May have http and private addresses",
    "both_platforms": "May be on both of our platforms",
}
_CHECKS = {
    "duplicate": "Doubled records",
    "overlap": "Overlapping sessions",
    "price": "Wrong prices",
    "unpriced": "Prices nobody can judge",
    "late": "Late records",
}
_DAYS = "Late after days"
_RULES = {"pass": "Pass", "warn": "Pass and mark", "refuse": "Refuse"}


class _NoNumber(Exception):
    """A field holds no number; the message is its label."""


def show(view: View, partner: dict[str, Any]) -> None:
    """The form; `Save` sends what was changed."""
    with parts.card("Settings"):
        _Form(view, partner)


class _Form:
    """All settings, each by its name in the API."""

    def __init__(self, view: View, partner: dict[str, Any]) -> None:
        self._view, self._path = view, f"/partners/{partner['id']}"
        now = partner["settings"]
        asked = {None: "role", True: "yes", False: "no"}[
            now["authorize_unknown"] if _chosen(partner) else None
        ]
        with parts.box("div", "vb-form"):
            self._asked = _choice(_ASKED, "Asked about tokens nobody knows", asked)
            self._broadcast = _choice(_BROADCAST, "Told to everybody", now["broadcast"])
            self._numbers = {
                name: ui.input(label, value=_text(now[name])).props("outlined dense inputmode=decimal")
                for name, label in _NUMBERS.items()
            }
            self._checks = self._clearing(partner)
        with parts.box("div", "vb-switches"):
            self._flags = {name: ui.switch(words, value=now[name]) for name, words in _FLAGS.items()}
        with parts.box("div", "vb-actions"):
            parts.button("Save", view.act(self._save), kind="main")
        self._saved = self._typed()

    def _clearing(self, partner: dict[str, Any]) -> dict[str, ui.select]:
        """What becomes of its records on their way through the hub, if it is behind it."""
        if partner["platform"] != "hub":
            return {}
        rules = partner["settings"]["clearing"]
        found = {name: _choice(_RULES, label, rules[name]) for name, label in _CHECKS.items()}
        self._days = ui.input(_DAYS, value=str(rules["late_days"])).props("outlined dense inputmode=numeric")
        return found

    def _typed(self) -> dict[str, Any]:
        found: dict[str, Any] = {name: field.value for name, field in self._flags.items()}
        found |= {name: _number(_NUMBERS[name], field.value) for name, field in self._numbers.items()}
        found["broadcast"] = self._broadcast.value
        found["authorize_unknown"] = _ASKED_AS[self._asked.value]
        if self._checks:
            rules = {name: field.value for name, field in self._checks.items()}
            days = _number(_DAYS, self._days.value)
            if days is None:
                raise _NoNumber(_DAYS)
            found["clearing"] = rules | {"late_days": days}
        return found

    async def _save(self) -> None:
        try:
            typed = self._typed()
        except _NoNumber as label:
            self._view.tell(f"{label}: a number is expected, or nothing.", "bad")
            return
        changes = {name: value for name, value in typed.items() if value != self._saved[name]}
        await self._view.api.patch(self._path, changes)
        self._saved = typed
        self._view.tell("Saved." if changes else "Nothing was changed.")


def _choice(options: dict[str, str], label: str, value: str) -> ui.select:
    return ui.select(options, label=label, value=value).props("outlined dense")


def _chosen(partner: dict[str, Any]) -> bool:
    """Whether somebody set what the API otherwise fills in by the partner's role."""
    is_hub = any(each["role"] == "HUB" for each in partner["roles"])
    return bool(partner["settings"]["authorize_unknown"] != is_hub)


def _number(label: str, text: Any) -> int | float | None:
    typed = (text or "").strip()
    if not typed:
        return None
    try:
        found = float(typed)
    except ValueError:
        raise _NoNumber(label) from None
    if not isfinite(found):
        raise _NoNumber(label)
    return int(found) if found.is_integer() else found


def _text(value: Any) -> str:
    return "" if value is None else str(int(value)) if value == int(value) else str(value)
