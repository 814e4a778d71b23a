"""Who is behind the hub, and whether each one can be reached."""

from collections.abc import Mapping
from typing import Any

from app.admin.console import parts
from app.admin.console.partners import words
from app.admin.console.tables import Column, Table
from app.admin.console.views import View

STATUSES = {
    "CONNECTED": ("connected", "connected"), "OFFLINE": ("failing", "offline"), "PLANNED": ("planned", "planned"),
    "SUSPENDED": ("suspended", "suspended"),
}  # fmt: skip
"""OCPI's status of a party, as a chip."""

_COLUMNS = (
    Column("Party"), Column("Role"), Column("Partner", "link"), Column("Status", "chip"), Column("Changed", "ago"),
)  # fmt: skip


class Parties:
    """The table, and the address where others register."""

    def __init__(self, view: View, hub: dict[str, Any], names: Mapping[str, str]) -> None:
        self._names = names
        with parts.card("Parties", "vb-flush vb-hub", note=f"the hub itself is {hub['party']}") as head:
            with head, parts.box("div", "vb-actions vb-push"):
                parts.button("Add a party", lambda: view.client.open("/partners/new"), icon="handshake")
            self._table = Table(
                "Parties",
                _COLUMNS,
                nothing=("Nobody is behind the hub yet", "Add a partner that is connected to the hub."),
            )
            with parts.box("div", "vb-inset vb-stack"):
                parts.text("span", "Parties register at", "vb-note")
                parts.code(hub["versions_url"])

    def show(self, found: list[dict[str, Any]]) -> None:
        """These parties; without a partner it is our own CPO."""
        self._table.show([self._row(each) for each in found])

    def _row(self, each: dict[str, Any]) -> list[Any]:
        partner = each["partner"]
        return [
            each["party"],
            each["role"],
            ("our stations", "/stations")
            if partner is None
            else (self._names.get(partner, partner), words.page_of(partner)),
            STATUSES.get(each["status"], (None, each["status"])),
            each["last_updated"],
        ]
