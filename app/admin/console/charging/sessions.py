"""All sessions, newest first, as they go on; below them reservations."""

from typing import Any

from app.admin.console import writing
from app.admin.console.charging import reservations, words
from app.admin.console.charging.paged import Paged
from app.admin.console.stations.words import page_of
from app.admin.console.tables import Column
from app.admin.console.views import View

STATUSES = {
    "": "Any status", "ACTIVE": "Active", "PENDING": "Pending", "RESERVATION": "Reservation", "COMPLETED": "Completed",
    "INVALID": "Invalid",
}  # fmt: skip

_COLUMNS = (
    Column("Session", "link"),
    Column("Status", "chip"),
    Column("Began", "time"),
    Column("Ended", "time"),
    Column("Station", "link"),
    Column("Driver of"),
    Column("Energy", "number"),
    Column("Cost", "number"),
)


async def page(view: View) -> None:
    """The list with its filters."""
    found = Paged(
        view,
        "/sessions",
        "Sessions",
        columns=_COLUMNS,
        row=_row,
        nothing=(
            "No session is like that",
            "Loosen the filters; the next car that charges appears here at once.",
        ),
    )
    found.choice("status", "Status", STATUSES)
    partners = await view.api.get("/partners", limit=1000)
    names = {each["id"]: each["name"] for each in partners}
    found.choice("partner", "Partner", {"": "Any partner"} | names)
    found.field("station", "Station")
    await found.show()
    await reservations.show(view, names)


def _row(session: dict[str, Any]) -> list[Any]:
    station = session["station"]
    return [
        (words.short(session["id"]), words.session_page(session["id"])),
        (session["status"], STATUSES[session["status"]]),
        session["start_date_time"],
        session.get("end_date_time"),
        None if station is None else (station, page_of(station)),
        words.party_of(session["cdr_token"]),
        writing.energy(session["kwh"]),
        words.cost_of(session),
    ]
