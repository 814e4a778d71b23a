"""All partners: how each one is doing, and what none of them would take."""

from typing import Any

from app.admin.console import parts
from app.admin.console.partners import deliveries, words
from app.admin.console.tables import Column, Table
from app.admin.console.views import View

MOST = 200

_COLUMNS = (
    Column("Partner", "link"),
    Column("State", "chip"),
    Column("Roles"),
    Column("Platform"),
    Column("OCPI"),
    Column("Last contact", "ago"),
    Column("To be told"),
    Column("Oldest", "ago"),
    Column("Failing", "chip"),
)


async def page(view: View) -> None:
    """The list, then the dead letters of all."""
    with parts.card("Partners", "vb-flush") as head:
        with head, parts.box("div", "vb-actions vb-push"):
            parts.button(
                "Add a partner", lambda: view.client.open("/partners/new"), kind="main", icon="handshake"
            )
        table = Table(
            "Partners",
            _COLUMNS,
            nothing=("No partner yet", "Invite one, or register with one that invited you: “Add a partner”."),
        )
        more = parts.text("div", "", "vb-note vb-inset")
    names: dict[str, str] = {}

    def show(found: list[dict[str, Any]], total: int) -> None:
        names.update((each["id"], each["name"]) for each in found)
        table.show([_row(each) for each in found])
        more.set_text(f"The first {len(found)} of {total:,}." if total > len(found) else "")
        more.set_visibility(total > len(found))

    await view.follow_list("/partners", show, every=3, limit=MOST)
    await deliveries.show(view, "Dead letters", names=names, state="dead")


def _row(partner: dict[str, Any]) -> list[Any]:
    return [
        (partner["name"], words.page_of(partner["id"])),
        words.state_of(partner),
        words.roles_of(partner),
        words.PLATFORMS.get(partner["platform"], partner["platform"]),
        partner["version"],
        partner["last_contact"],
        words.waiting_of(partner),
        partner["delivery"]["oldest"],
        words.failures_of(partner),
    ]
