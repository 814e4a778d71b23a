"""The timeline of a session: from the plug to the partner, each entry with what travelled."""

import json
from typing import Any

from app.admin.console import parts, writing
from app.admin.console.charging import words
from app.admin.console.views import View

_KINDS = {
    "station": ("Station", "busy"), "decision": ("Decision", "kept"), "interruption": ("Pause", "wait"),
    "partner": ("Partner", "good"), "record": ("Record", "good"),
}  # fmt: skip


async def show(view: View, session_id: str) -> None:
    """The card, live."""
    with parts.card("What happened", note="open an entry to see what travelled"):
        line = _Line()
    await view.follow(f"/sessions/{session_id}/timeline", line.show, every=4)


class _Line:
    """Entries in order. Those that stay as they are are not made anew, so that what is open stays open."""

    def __init__(self) -> None:
        self._list = parts.box("ol", "vb-line", aria_label="Timeline, oldest first")
        self._made: list[tuple[dict[str, Any], Any]] = []
        self._nothing = parts.empty("Nothing is known", "The wire log of this time is no longer kept.")

    def show(self, found: list[dict[str, Any]]) -> None:
        """These entries."""
        same = 0
        for (before, _), now in zip(self._made, found, strict=False):
            if before != now:
                break
            same += 1
        for _, element in self._made[same:]:
            element.delete()
        del self._made[same:]
        with self._list:
            self._made += [(each, _entry(each)) for each in found[same:]]
        self._nothing.set_visibility(not found)


def _entry(each: dict[str, Any]) -> Any:
    title, tone = _KINDS[each["kind"]]
    good = each.get("ok", True)
    with parts.box(
        "li", f"vb-moment vb-dot-{tone if good or each['kind'] == 'interruption' else 'bad'}"
    ) as made:
        if "asked" in each or "answered" in each:
            with parts.box("details"):
                with parts.box("summary"):
                    _head(each, title)
                _travelled(each)
        else:
            with parts.box("div", "vb-moment-plain"):
                _head(each, title)
    return made


def _head(each: dict[str, Any], title: str) -> None:
    parts.time(each["at"], "clock")
    parts.text("span", title, "vb-moment-kind")
    with parts.box("span", "vb-moment-words"):
        parts.text("span", each["words"])
        if each.get("until"):
            parts.text("span", " until ")
            parts.time(each["until"], "clock")
        if "cdr" in each:
            parts.text("span", " ")
            parts.link("open", words.record_page(each["cdr"]))


def _travelled(each: dict[str, Any]) -> None:
    with parts.box("div", "vb-travelled"):
        if "url" in each:
            parts.text("div", f"{each['method']} {each['url']}", "vb-frame")
            with parts.box("div", "vb-note"):
                parts.text("span", f"correlation id {each['correlation_id']} · ")
                parts.link("the partner", f"/partners/{each['partner']}")
        for name, text in (("Asked", each.get("asked")), ("Answered", each.get("answered"))):
            if text:
                with parts.box("div", "vb-message-head"):
                    parts.text("span", name, "vb-note")
                    parts.copier(text)
                parts.text("pre", _pretty(text), "vb-frame")


def _pretty(text: str) -> str:
    """JSON in lines; anything else, also what was cut, as it is."""
    try:
        return json.dumps(json.loads(text), indent=1, ensure_ascii=False)
    except ValueError:
        return text or writing.NOTHING
