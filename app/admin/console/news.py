"""What happened last in the network, each entry a way to what it is about."""

from typing import Any

from nicegui.element import Element

from app.admin.console import parts, writing
from app.admin.console.charging import words
from app.admin.console.stations.words import page_of

SHOWN = 24

_KINDS = {
    "started": "busy", "ended": "good", "online": "good", "offline": "off", "knocked": "wait", "fault": "bad", "held": "wait",
}  # fmt: skip


class Latest:
    """The list; entries that stay are not made anew."""

    def __init__(self) -> None:
        self._shown: list[dict[str, Any]] = []
        self._made: list[Element] = []
        with parts.card("What happened last"):
            self._list = parts.box("ol", "vb-line vb-news", aria_label="What happened last, newest first")
            self._nothing = parts.empty(
                "Nothing happened yet", "Connect a station: the page “Stations” says how."
            )

    def show(self, found: list[dict[str, Any]]) -> None:
        """These happened, newest first. What is new goes on top, unless it belongs further down."""
        new = next((n for n in range(len(found)) if found[n:] == self._shown[: len(found) - n]), len(found))
        for element in self._made[len(found) - new :]:
            element.delete()
        kept = self._made[: len(found) - new]
        with self._list:
            made = [_entry(each) for each in found[:new]]
        for place, element in enumerate(made):
            element.move(target_index=place)
        self._shown, self._made = found, made + kept
        self._nothing.set_visibility(not found)


def _entry(each: dict[str, Any]) -> Element:
    with (
        parts.box("li", f"vb-moment vb-dot-{_KINDS[each['kind']]}") as made,
        parts.box("div", "vb-news-entry"),
    ):
        parts.link(*_about(each))
        parts.time(each["at"], "ago")
        parts.text("span", _told(each))
    return made


def _about(each: dict[str, Any]) -> tuple[str, str]:
    if each["kind"] == "held":
        return "A record", words.record_page(each["cdr"])
    if each["kind"] in ("started", "ended") and each["session"]:
        return each["station"], words.session_page(each["session"])
    return each["station"], page_of(each["station"])


def _told(each: dict[str, Any]) -> str:
    what = each["what"]
    return {
        "started": "began to charge",
        "ended": f"charged {writing.energy_of_wh(writing.number(what))}",
        "online": "connected",
        "offline": "lost its connection",
        "knocked": "waits to be let in",
        "fault": f"has a fault: {what}",
        "held": f"is held: {words.REASONS.get(what or '', what)}",
    }[each["kind"]]
