"""All tariffs with what they ask, and the way to a new one."""

from typing import Any

from nicegui import ui

from app.admin.console import parts
from app.admin.console.tables import Column, Table
from app.admin.console.tariffs import words
from app.admin.console.views import View

MOST = 200

_COLUMNS = (
    Column("Tariff", "link"),
    Column("Currency"),
    *(Column(title) for title in ("Energy", "Charging", "Parking", "Once")),
    Column("Elements", "number"),
    Column("Changed", "ago"),
)


async def page(view: View) -> None:
    """The list; a click leads to the editor."""
    with parts.card("Tariffs", "vb-flush", note="prices with VAT, where there is one") as head:
        with head, parts.box("div", "vb-actions vb-push"):
            _new(view)
        table = Table(
            "Tariffs",
            _COLUMNS,
            nothing=("No tariff yet", "Name a new one above; its prices are checked while you type."),
        )
        more = parts.text("div", "", "vb-note vb-inset")

    def show(found: list[dict[str, Any]], total: int) -> None:
        table.show([_row(each) for each in found])
        more.set_text(f"The first {len(found)} of {total:,}." if total > len(found) else "")
        more.set_visibility(total > len(found))

    await view.follow_list("/tariffs", show, every=5, limit=MOST)


def _new(view: View) -> None:
    name = ui.input("Id of a new tariff").props("outlined dense maxlength=36")

    def begin() -> None:
        wanted = (name.value or "").strip()
        if wanted:
            view.client.open(words.page_of(wanted))
        else:
            view.tell("Give the new tariff an id first.", "wait")

    name.on("keydown.enter", begin)
    parts.button("New tariff", begin, kind="main", icon="add")


def _row(tariff: dict[str, Any]) -> list[Any]:
    return [
        (tariff["id"], words.page_of(tariff["id"])),
        tariff["currency"],
        *(words.range_of(tariff, dimension) for dimension in words.DIMENSIONS),
        str(len(tariff["elements"])),
        tariff["last_updated"],
    ]
