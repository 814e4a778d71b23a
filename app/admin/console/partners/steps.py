"""Steps of a handshake: each green, red, or not reached, with what was seen and what to do."""

from collections.abc import Sequence
from typing import Any

from app.admin.console import parts

_CHIPS: dict[bool | None, tuple[str | None, str]] = {
    True: ("delivered", "done"), False: ("dead", "failed"), None: (None, "not reached"),
}  # fmt: skip

REGISTERING = ("versions", "version details", "credentials", "parties")
"""What a registration of ours goes through, as its refusals name it."""


class Steps:
    """The list; filled anew only when something in it changed."""

    def __init__(self, title: str) -> None:
        self._shown: Any = None
        self._list = parts.box("ol", "vb-steps", aria_label=title, aria_live="polite")
        self._list.set_visibility(False)

    def show(self, steps: Sequence[dict[str, Any]]) -> None:
        """These steps, in their order; each with `step`, `ok`, `found`, and perhaps `advice` and `at`."""
        self._list.set_visibility(bool(steps))
        if steps == self._shown:
            return
        self._shown = list(steps)
        self._list.clear()
        with self._list:
            for each in steps:
                _step(each)


def of_registration(failed: str | None, reason: str) -> list[dict[str, Any]]:
    """The steps of a registration of ours: all done, or as far as the one that failed."""
    reached = len(REGISTERING) if failed is None else REGISTERING.index(failed)
    return [
        {
            "step": step,
            "ok": True if place < reached else False if place == reached else None,
            "found": reason if place == reached else "",
        }
        for place, step in enumerate(REGISTERING)
    ]


def _step(each: dict[str, Any]) -> None:
    state, words = _CHIPS[each["ok"]]
    with parts.box("li", "vb-step"):
        parts.chip(state, words)
        with parts.box("div", "vb-step-words"):
            with parts.box("div", "vb-step-name"):
                parts.text("span", _name(each["step"]), "vb-strong")
                if each.get("at"):
                    with parts.box("span", "vb-note"):
                        parts.time(each["at"], "clock")
            if each["found"] not in ("", words) and each["ok"] is not None:
                parts.text("div", each["found"], "vb-step-found")
            if each.get("advice") and each["ok"] is not True:
                parts.text("div", each["advice"], "vb-note")
            elif each.get("advice"):
                parts.text("div", f"Note: {each['advice']}", "vb-note")


def _name(step: str) -> str:
    return "TLS" if step == "tls" else step[:1].upper() + step[1:]
