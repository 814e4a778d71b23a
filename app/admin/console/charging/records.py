"""All charge detail records, newest first; those held for an operator can be picked out."""

from typing import Any

from app.admin.console import writing
from app.admin.console.charging import words
from app.admin.console.charging.paged import Paged
from app.admin.console.tables import Column
from app.admin.console.views import View

STATES = {"": "Any state", "held": "Held", "issued": "Issued", "discarded": "Discarded"}

_COLUMNS = (
    Column("Record", "link"),
    Column("State", "chip"),
    Column("Why held", "long"),
    Column("Made", "time"),
    Column("Session", "link"),
    Column("Location"),
    Column("Driver of"),
    Column("Energy", "number"),
    Column("Cost", "number"),
)


async def page(view: View) -> None:
    """The list with its filters."""
    found = Paged(
        view,
        "/cdrs",
        "Charge detail records",
        columns=_COLUMNS,
        row=_row,
        nothing=("No record is like that", "Loosen the filters; every session that ends makes one."),
    )
    found.choice("state", "State", STATES)
    partners = await view.api.get("/partners", limit=1000)
    found.choice("partner", "Partner", {"": "Any partner"} | {each["id"]: each["name"] for each in partners})
    await found.show()


def _row(record: dict[str, Any]) -> list[Any]:
    kind = " (credit)" if record.get("credit") else ""
    return [
        (words.short(record["id"]), words.record_page(record["id"])),
        (record["state"], STATES[record["state"]] + kind),
        words.reason_of(record) if record["state"] == "held" else "",
        record["created_at"],
        (words.short(record["session_id"]), words.session_page(record["session_id"])),
        record.get("cdr_location", {}).get("name") or record.get("cdr_location", {}).get("id"),
        words.party_of(record["cdr_token"]),
        writing.energy(record["total_energy"]),
        words.cost_of(record),
    ]
