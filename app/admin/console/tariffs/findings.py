"""What the check of a tariff found, each with the session that shows it in money."""

from typing import Any

from app.admin.console import parts, writing
from app.admin.console.asking import Refusal

_LEVELS = {"error": ("dead", "error"), "warning": ("waiting", "warning"), "info": ("RESERVED", "note")}


class Findings:
    """The list; filled anew when it changed."""

    def __init__(self) -> None:
        self._shown: Any = None
        self._place = parts.box("div", "vb-findings", role="status", aria_label="What the check found")

    def show(self, findings: list[dict[str, Any]], currency: str) -> None:
        """These findings, the worst first."""
        if self._new((findings, currency)):
            with self._place:
                if not findings:
                    parts.chip("delivered", "nothing to say")
                    parts.text("p", "Every element can apply, and nothing looks like a mistake.", "vb-note")
                for each in findings:
                    _finding(each, currency)

    def refused(self, refusal: Refusal) -> None:
        """The tariff cannot be meant at all."""
        told = [(each["field"].removeprefix("tariff."), each["message"]) for each in refusal.errors]
        if self._new(told or refusal.detail):
            with self._place:
                parts.chip("dead", "cannot be saved")
                for field, message in told or [("", refusal.detail)]:
                    with parts.box("div", "vb-finding"):
                        parts.text("div", message, "vb-strong")
                        parts.text("div", field, "vb-note vb-mono")

    def _new(self, shown: Any) -> bool:
        if shown == self._shown:
            return False
        self._shown = shown
        self._place.clear()
        return True


def _finding(each: dict[str, Any], currency: str) -> None:
    with parts.box("div", "vb-finding"):
        with parts.box("div", "vb-message-head"):
            parts.chip(*_LEVELS[each["level"]])
            parts.text("span", each["where"], "vb-note vb-mono")
        parts.text("div", each["words"])
        example = each.get("example")
        if example is not None:
            _example(example, currency)


def _example(example: dict[str, Any], currency: str) -> None:
    cost, otherwise = (_amount(example[name], currency) for name in ("cost", "otherwise"))
    with parts.box("div", "vb-example"):
        parts.text("div", f"For example: {example['session']}", "vb-note")
        with parts.box("div", "vb-message-head"):
            parts.text("span", f"costs {cost}", "vb-strong")
            if otherwise != cost:
                parts.text("span", f"and not {otherwise} ({example['meaning']})")


def _amount(price: dict[str, Any], currency: str) -> str:
    incl = price.get("incl_vat")
    return writing.money(price["excl_vat"] if incl is None else incl, currency)
