"""Reservations of drivers, with a way to give one up."""

from functools import partial
from typing import Any

from app.admin.console import parts
from app.admin.console.asking import read
from app.admin.console.stations.words import page_of
from app.admin.console.tables import Column, Table
from app.admin.console.views import View

SHOWN = 20
_TONES = {"requested": "waiting", "active": "Reserved", "used": "COMPLETED", "rejected": "rejected"}
_COLUMNS = (
    Column("Reservation"), Column("State", "chip"), Column("Station", "link"), Column("EVSE"), Column("Partner"),
    Column("Made", "time"), Column("Until", "time"), Column("", "do"),
)  # fmt: skip


async def show(view: View, partners: dict[str, str]) -> None:
    """The newest, live; `partners` are their names by id. Where nobody ever reserved, nothing is shown."""
    with (
        parts.box("div") as place,
        parts.card("Reservations", "vb-flush vb-hub", note=f"the newest {SHOWN}"),
    ):
        table = Table("Reservations", _COLUMNS, nothing=("No reservation", "Drivers reserve by their eMSP."))

    def shown(found: list[dict[str, Any]]) -> None:
        place.set_visibility(bool(found))
        table.show([_row(view, each, partners) for each in found])

    await view.follow("/reservations", shown, every=5, limit=SHOWN)


def _row(view: View, each: dict[str, Any], partners: dict[str, str]) -> list[Any]:
    state = each["state"]
    return [
        each["reservation_id"],
        (_TONES.get(state, "offline"), state),
        (each["station"], page_of(each["station"])),
        each["evse_uid"],
        partners.get(each["partner"], each["partner"]),
        each["created_at"],
        each["expires_at"],
        ("Give up", view.act(partial(_give_up, view, each))) if state in ("requested", "active") else None,
    ]


async def _give_up(view: View, each: dict[str, Any]) -> None:
    sure = await view.confirm(
        f"Give reservation {each['reservation_id']} up?",
        "The station is asked to cancel it; its eMSP is told that it is cancelled.",
        "Give up",
    )
    if sure:
        answered = await view.api.send("DELETE", f"/reservations/{each['number']}")
        result = read(answered.body)["result"]
        view.tell(f"The station says: {result}.", "good" if result == "ACCEPTED" else "wait")
