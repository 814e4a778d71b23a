"""How far partners have been told of a session or a record."""

from typing import Any

from app.admin.console import parts
from app.admin.console.partners.deliveries import STATES
from app.admin.console.partners.words import page_of
from app.admin.console.tables import Column, Table
from app.admin.console.views import View

_COLUMNS = (
    Column("Partner", "link"), Column("State", "chip"), Column("Failed tries", "number"), Column("Delivered", "time"),
    Column("What was wrong", "long"),
)  # fmt: skip


async def show(view: View, what: str, title: str, note: str) -> None:
    """The card about an object such as `cdr/<id>`, live."""
    names = {each["id"]: each["name"] for each in await view.api.get("/partners", limit=1000)}
    with parts.card(title, "vb-flush", note=note):
        table = Table(
            title,
            _COLUMNS,
            nothing=("Nobody is told", "No partner of ours has a part in it, or it is still held."),
        )

    def show_rows(found: list[dict[str, Any]]) -> None:
        table.show([_row(each, names) for each in found])

    await view.follow("/deliveries", show_rows, every=4, object=what, limit=100)


def _row(each: dict[str, Any], names: dict[str, str]) -> list[Any]:
    done = each["state"] == "delivered"
    return [
        (names.get(each["partner"], each["partner"]), page_of(each["partner"])),
        (each["state"], STATES[each["state"]].removesuffix("s")),
        str(each["attempts"]),
        each["delivered_at"],
        "" if done else each["last_error"],
    ]
