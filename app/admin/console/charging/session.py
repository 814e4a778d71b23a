"""One session: how it goes, what happened from the plug to the partner, what it costs and why."""

from typing import Any

from nicegui import ui

from app.admin.console import parts, writing
from app.admin.console.charging import cost, happened, telling, words
from app.admin.console.charging.sessions import STATUSES
from app.admin.console.stations import meter
from app.admin.console.stations.words import page_of
from app.admin.console.tables import Column, Table
from app.admin.console.views import View


async def page(view: View, session_id: str) -> None:
    """Everything about one session, live."""
    path = f"/sessions/{session_id}"
    session = await view.api.get(path)
    parts.link("All sessions", "/sessions", "vb-link vb-back")
    with parts.box("div", "vb-grid"):
        with parts.box("div", "vb-two-thirds"):
            await _chart(view, session["transaction"])
        with parts.box("div", "vb-third"):
            about = _About(view)
    await view.follow(path, about.show)
    await happened.show(view, session_id)
    await _records(view, session_id)
    await telling.show(
        view, f"session/{session_id}", "The session at partners", "what they have been told of it"
    )


async def _chart(view: View, ref: str | None) -> None:
    with parts.card("Power and energy"):
        if ref is None:
            parts.empty("It has not begun", "Power and energy appear when the car charges.")
            return
        chart = ui.echart(meter.options([])).classes("vb-chart vb-tall")
        nothing = parts.empty("No meter value", "The station told none in this session.")

    def show(samples: list[dict[str, Any]]) -> None:
        chart.options["series"] = meter.series(samples)
        chart.update()
        chart.set_visibility(bool(samples))
        nothing.set_visibility(not samples)

    await view.follow(f"/transactions/{ref}/samples", show, every=3)


class _About:
    """What the API tells of the session, and what can be done."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._shown: dict[str, Any] | None = None
        with parts.card("Session") as head:
            with head:
                self._status = parts.chip(None)
            self._place = parts.box("div")
            with parts.box("div", "vb-actions vb-more") as self._actions:
                parts.button("Stop charging", view.act(self._stop), kind="risky", icon="stop_circle")
                parts.button("Close by hand", view.act(self._close), kind="risky")

    def show(self, session: dict[str, Any]) -> None:
        """The session as it is now."""
        self._shown = session
        parts.set_chip(self._status, session["status"], STATUSES[session["status"]])
        self._actions.set_visibility(session["status"] == "ACTIVE" and session["transaction"] is not None)
        self._place.clear()
        with self._place:
            parts.facts([(name, value) for name, value in _facts(session) if value not in (None, "")])

    async def _stop(self) -> None:
        sure = await self._view.confirm(
            "Stop charging?",
            "The station is asked to end the transaction; the driver's charging ends.",
            "Stop",
        )
        if sure:
            answer = await self._view.api.post(f"/transactions/{self._ref()}/stop")
            good = answer["result"] == "ACCEPTED"
            self._view.tell(f"The station answered: {answer['result']}", "good" if good else "bad")

    async def _close(self) -> None:
        sure = await self._view.confirm(
            "Close this session by hand?",
            "It ends with its last good reading, and its record is made at once. For a stop that never comes.",
            "Close",
        )
        if sure:
            await self._view.api.post(f"/transactions/{self._ref()}/close")
            self._view.tell("Closed; its record is made.")

    def _ref(self) -> str:
        return str(self._shown["transaction"]) if self._shown is not None else ""


def _facts(session: dict[str, Any]) -> list[tuple[str, Any]]:
    station, token = session["station"], session["cdr_token"]
    ended = session.get("end_date_time")
    return [
        ("Energy", writing.energy(session["kwh"])),
        ("Cost" if ended else "Cost so far", words.cost_of(session)),
        ("Began", lambda: parts.time(session["start_date_time"])),
        ("Ended", None if ended is None else lambda: parts.time(ended)),
        ("Station", None if station is None else lambda: parts.link(station, page_of(station))),
        (
            "Place",
            None if session["location_id"] == "#NA" else f"{session['location_id']} · {session['evse_uid']}",
        ),
        ("Driver of", words.party_of(token)),
        ("Card", token["uid"]),
        ("Contract", token["contract_id"]),
        ("Let in by", session["auth_method"].replace("_", " ").lower()),
        ("Reference", session.get("authorization_reference")),
        ("Partners", None if session["published"] else "do not see it"),
        ("Id", session["id"]),
    ]


async def _records(view: View, session_id: str) -> None:
    """The records it ended in; what the newest one costs is explained here."""
    columns = (
        Column("Record", "link"), Column("State", "chip"), Column("Why held", "long"), Column("Made", "time"),
        Column("Energy", "number"), Column("Cost", "number"),
    )  # fmt: skip
    with parts.card("Records", "vb-flush"):
        table = Table("Records", columns, nothing=("No record yet", "It is made when the session ends."))
    place = parts.box("div", "vb-stack-cards")
    explained: list[str] = []

    def show(found: list[dict[str, Any]]) -> None:
        table.show([_record(each) for each in found])
        newest = found[0]["id"] if found else None
        if newest is not None and newest not in explained:
            explained.append(newest)
            ui.timer(0, lambda: _explain(view, place, newest), once=True)

    await view.follow("/cdrs", show, every=4, session=session_id, limit=100)


async def _explain(view: View, place: Any, cdr_id: str) -> None:
    place.clear()
    with place:
        await cost.show(view, cdr_id)
        await telling.show(view, f"cdr/{cdr_id}", "The record at partners", "what they have been told of it")


def _record(record: dict[str, Any]) -> list[Any]:
    return [
        (words.short(record["id"]), words.record_page(record["id"])),
        (record["state"], record["state"].capitalize() + (" (credit)" if record.get("credit") else "")),
        words.reason_of(record),
        record["created_at"],
        writing.energy(record["total_energy"]),
        words.cost_of(record),
    ]
