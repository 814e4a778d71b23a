"""When the connectors of a station could serve: a strip for each, and what kept them from it."""

from datetime import datetime
from typing import Any

from app.admin.console import parts, writing
from app.admin.console.tables import Column, Table
from app.admin.console.views import View

DAYS = 14
LATEST = 10
"""How many interruptions are listed."""
DRAWN = 200
"""How many of a connector's are drawn, the newest."""
_EVERY = 15.0

_WORDS = {"faulted": "Faulted", "unavailable": "Unavailable", "offline": "offline", "serving": "Available"}


async def show(view: View, station_id: str) -> None:
    """The card, live."""
    with parts.card(f"Availability, last {DAYS} days", "vb-flush") as head:
        with head, parts.box("div", "vb-legend vb-push"):
            for state in ("Available", "Faulted", "Unavailable", "offline"):
                parts.chip(state)
        strips = parts.box("div", "vb-inset vb-strips")
        table = Table(
            "Interruptions",
            (Column("From", "time"), Column("To", "time"), Column("Connector"), Column("Why", "chip"), Column("Error"), Column("For")),
            nothing=("No interruption is known", "Faults, times out of service and offline are listed here."),
        )  # fmt: skip

    def changed(found: dict[str, Any]) -> None:
        since, until = (datetime.fromisoformat(found[name]) for name in ("from", "to"))
        strips.clear()
        with strips:
            for each in found["evses"]:
                _strip(each, since, until)
        table.show(_interruptions(found["evses"]))

    await view.follow(f"/stations/{station_id}/availability", changed, every=_EVERY, days=DAYS)


def _strip(evse: dict[str, Any], since: datetime, until: datetime) -> None:
    """From left to right; what is not known is empty."""
    told = f"{writing.share(evse['availability'])} of the known time"
    parts.text("span", f"Connector {evse['evse']}", "vb-strong")
    with parts.box("div", "vb-strip", role="img", aria_label=f"Connector {evse['evse']}: could serve {told}"):
        for span in evse["spans"][-DRAWN:]:
            begin = _place(span["from"], since, until)
            end = _place(span["to"], since, until) if span["to"] else 100.0
            tone = parts.TONES[_WORDS[span["standing"]]]
            made = parts.box("span", f"vb-span vb-dot-{tone}")
            made.style(f"left: {begin:.3f}%; width: {max(end - begin, 0.0):.3f}%")
    parts.text("span", writing.share(evse["availability"]), "vb-number")


def _place(at: str, since: datetime, until: datetime) -> float:
    return (datetime.fromisoformat(at) - since) / (until - since) * 100


def _interruptions(evses: list[dict[str, Any]]) -> list[list[Any]]:
    spans = [
        (each["evse"], span) for each in evses for span in each["spans"] if span["standing"] != "serving"
    ]
    spans.sort(key=lambda pair: pair[1]["from"], reverse=True)
    return [
        [
            span["from"], span["to"], str(evse), _WORDS[span["standing"]], span["error_code"], _length(span),
        ]
        for evse, span in spans[:LATEST]
    ]  # fmt: skip


def _length(span: dict[str, Any]) -> str:
    if span["to"] is None:
        return "goes on"
    seconds = (datetime.fromisoformat(span["to"]) - datetime.fromisoformat(span["from"])).total_seconds()
    return writing.span(seconds)
