"""What happened last in the network, each entry a way to what it is about."""

from typing import Any

from app.admin.console import parts, writing
from app.admin.console.charging import words
from app.admin.console.stations.words import page_of

SHOWN = 24

_KINDS = {
    "started": "busy", "ended": "good", "online": "good", "offline": "off", "knocked": "wait", "fault": "bad", "held": "wait",
}  # fmt: skip


class Latest:
    """The list; made anew only when something happened."""

    def __init__(self) -> None:
        with parts.card("What happened last"):
            self._list = parts.box("ol", "vb-line vb-news", aria_label="What happened last, newest first")
            self._nothing = parts.empty(
                "Nothing happened yet", "Connect a station: the page “Stations” says how."
            )

    def show(self, found: list[dict[str, Any]]) -> None:
        """These happened, newest first."""
        self._list.clear()
        with self._list:
            for each in found:
                _entry(each)
        self._nothing.set_visibility(not found)


def _entry(each: dict[str, Any]) -> None:
    with parts.box("li", f"vb-moment vb-dot-{_KINDS[each['kind']]}"), parts.box("div", "vb-news-entry"):
        parts.link(*_about(each))
        parts.time(each["at"], "ago")
        parts.text("span", _told(each))


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
