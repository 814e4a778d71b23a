"""Stations that wait to be let in, and what to type into a new one."""

from typing import Any

import segno
from nicegui import ui

from app.admin.console import parts
from app.admin.console.views import View

MOST = 100


async def show(view: View, ocpp_url: str) -> None:
    """Both cards side by side."""
    with parts.box("div", "vb-grid"):
        with (
            parts.box("div", "vb-two-thirds"),
            parts.card("Waiting to be let in", note="stations nobody has set up"),
        ):
            waiting = _Waiting(view)
        connect = parts.card("Connect a station")
        with parts.box("div", "vb-third"), connect, parts.box("div", "vb-connect"):
            qr_code(ocpp_url)
            with parts.box("div", "vb-stack"):
                parts.text("p", "Type this URL into the charger. It adds its own id at the end.")
                parts.code(ocpp_url)
    await view.follow_list("/stations", waiting.show, state="pending", limit=MOST)


def qr_code(address: str) -> None:
    """The address as a picture to photograph, made here."""
    parts.box(
        "img", "vb-qr", src=segno.make(address, error="m").svg_data_uri(border=2), alt=f"QR code of {address}"
    )


class _Waiting:
    """The list, and letting in."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._ids: list[str] = []
        self._list = parts.box("ul", "vb-events")
        self._nothing = parts.empty(
            "Nobody is waiting",
            "A station that knocks without being set up appears here, to be let in by a click.",
        )

    def show(self, found: list[dict[str, Any]], total: int) -> None:
        """These stations wait."""
        ids = [each["id"] for each in found]
        self._nothing.set_visibility(not ids)
        if ids == self._ids:
            return
        self._ids = ids
        self._list.clear()
        with self._list:
            for each in found:
                self._entry(each)
            if total > len(found):
                parts.text("li", f"and {total - len(found):,} more", "vb-note")

    def _entry(self, station: dict[str, Any]) -> None:
        with parts.box("li", "vb-waiting"):
            with parts.box("div", "vb-stack"):
                parts.text("span", station["id"], "vb-strong")
                with parts.box("span", "vb-note"):
                    parts.text("span", "first seen ")
                    parts.time(station["created_at"], "ago")
            parts.button(
                "Let in", self._view.act(lambda: self._accept(station["id"])), kind="main", icon="how_to_reg"
            ).props["aria-label"] = f"Let {station['id']} in"

    async def _accept(self, station_id: str) -> None:
        accepted = await self._view.api.post(f"/stations/{station_id}/accept")
        with self._view.client, ui.dialog(value=True), parts.box("div", "vb-dialog"):
            parts.text("h2", f"{station_id} is let in")
            if "password" in accepted:
                parts.text("p", "Set this password at the station. It is shown only now:")
                parts.code(accepted["password"])
            else:
                parts.text("p", "It is welcome from its next try on, which is usually within a minute.")
            parts.text("p", "Its URL:")
            parts.code(accepted["url"])
