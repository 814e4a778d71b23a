"""One charge detail record: what it says, why it costs what it costs, who has it, and what can be decided."""

from typing import Any

from nicegui import ui

from app.admin.console import parts, writing
from app.admin.console.charging import cost, deciding, telling, words
from app.admin.console.views import View


async def page(view: View, cdr_id: str) -> None:
    """Everything about one record."""
    path = f"/cdrs/{cdr_id}"
    await view.api.get(path)
    parts.link("All records", "/cdrs", "vb-link vb-back")
    about = _About(view)
    place = parts.box("div", "vb-stack-cards")

    def show(record: dict[str, Any]) -> None:
        if about.show(record):
            place.clear()
            ui.timer(0, lambda: _below(view, place, record["id"]), once=True)

    await view.follow(path, show)


async def _below(view: View, place: Any, cdr_id: str) -> None:
    with place:
        await cost.show(view, cdr_id)
        await telling.show(view, f"cdr/{cdr_id}", "At partners", "what they have been told of it")


class _About:
    """The facts and the decisions."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._shown: dict[str, Any] | None = None
        with parts.card("Record") as head:
            with head:
                self._state = parts.chip(None)
            self._place = parts.box("div")

    def show(self, record: dict[str, Any]) -> bool:
        """The record as it is now; whether anything is different."""
        if record == self._shown:
            return False
        self._shown = record
        credit = " credit" if record.get("credit") else ""
        parts.set_chip(self._state, record["state"], f"{record['state'].capitalize()}{credit}")
        self._place.clear()
        with self._place:
            if record["state"] == "held":
                parts.text(
                    "p",
                    f"Nobody has been billed: {words.reason_of(record)}. Release it, or discard it.",
                    "vb-trouble",
                )
            with parts.box("div", "vb-two-columns"):
                found = [(name, value) for name, value in _facts(record) if value not in (None, "")]
                half = (len(found) + 1) // 2
                parts.facts(found[:half])
                parts.facts(found[half:])
            with parts.box("div", "vb-actions vb-more"):
                deciding.buttons(self._view, record)
        return True


def _facts(record: dict[str, Any]) -> list[tuple[str, Any]]:
    place, token = record.get("cdr_location", {}), record["cdr_token"]
    decided, of = record["decided_at"], record.get("credit_reference_id")
    return [
        ("Energy", writing.energy(record["total_energy"])),
        ("Cost", words.cost_of(record)),
        ("Time", writing.span(record["total_time"] * 3600)),
        (
            "Parking",
            writing.span(record["total_parking_time"] * 3600) if record.get("total_parking_time") else None,
        ),
        ("Began", lambda: parts.time(record["start_date_time"])),
        ("Ended", lambda: parts.time(record["end_date_time"])),
        (
            "Session",
            lambda: parts.link(words.short(record["session_id"]), words.session_page(record["session_id"])),
        ),
        (
            "Place",
            " · ".join(filter(None, (place.get("name"), place.get("evse_id") or place.get("evse_uid")))),
        ),
        ("Driver of", words.party_of(token)),
        ("Card", token["uid"]),
        ("Tariffs", ", ".join(each["id"] for each in record.get("tariffs", ()))),
        (
            "Signed values",
            str(len(record["signed_data"]["signed_values"])) if "signed_data" in record else None,
        ),
        ("Takes back", None if of is None else lambda: parts.link(words.short(of), words.record_page(of))),
        ("Remark", record.get("remark")),
        ("Was held for", words.reason_of(record) if record["state"] != "held" else None),
        ("Decided", None if decided is None else lambda: parts.time(decided)),
        ("Note", record["note"]),
        ("Id", record["id"]),
    ]
