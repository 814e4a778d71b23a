"""All stations: looked for, sorted, page by page; before them those who wait to be let in."""

from collections.abc import Callable
from typing import Any

from nicegui import ui

from app.admin.console import parts, writing
from app.admin.console.stations import inbox, words
from app.admin.console.tables import Column, Table
from app.admin.console.views import View

ROWS = 50
STATUSES = {
    "": "Any status", "Available": "Available", "Preparing": "Preparing", "Charging": "Charging",
    "SuspendedEV": "Suspended by the car", "SuspendedEVSE": "Suspended by the station", "Finishing": "Finishing",
    "Reserved": "Reserved", "Unavailable": "Unavailable", "Faulted": "Faulted",
}  # fmt: skip

_COLUMNS = (
    Column("Station", "link", "id"),
    Column("State", "chip", "online"),
    Column("Location", "text", "location"),
    Column("Model", "text", "model"),
    Column("Firmware"),
    Column("OCPP"),
    Column("Last heard", "ago", "last_seen"),
)


async def page(view: View) -> None:
    """The inbox, then the list."""
    fleet = await view.api.get("/statistics/fleet")
    await inbox.show(view, fleet["ocpp_url"])
    await _Listing(view, fleet["makes"]).show()


class _Listing:
    """The filters, the table, and where one is in it."""

    def __init__(self, view: View, makes: list[dict[str, Any]]) -> None:
        self._view = view
        given = view.client.request.query_params
        self._query: dict[str, Any] = {"status": given.get("status"), "sort": "id", "offset": 0}
        for name in ("online", "model", "location", "version", "firmware", "search"):
            self._query[name] = given.get(name) or None
        self._leave: Callable[[], None] | None = None
        with parts.card("Stations", "vb-flush"):
            with parts.box("div", "vb-filters vb-inset"):
                self._filters(makes)
            self._table = Table(
                "Stations",
                _COLUMNS,
                nothing=(
                    "No station is like that",
                    "Loosen the filters, or connect a station by the URL above.",
                ),
                on_sort=self._sorted,
                sort="id",
            )
            with parts.box("div", "vb-pager"):
                self._where = parts.text("span", "")
                with parts.box("div", "vb-actions"):
                    self._back = parts.button("Earlier", lambda: self._turn(-ROWS))
                    self._on = parts.button("Further", lambda: self._turn(ROWS))

    def _filters(self, makes: list[dict[str, Any]]) -> None:
        asked = self._query
        ui.input("Search", value=asked["search"] or "", on_change=lambda e: self._ask(search=e.value)).props(
            "outlined dense debounce=300 clearable type=search"
        ).classes("vb-search")
        ui.select(
            STATUSES, label="Status", value=asked["status"] if asked["status"] in STATUSES else "",
            on_change=lambda e: self._ask(status=e.value),
        ).props("outlined dense")  # fmt: skip
        online = {"": "Online and offline", "true": "Online", "false": "Offline"}
        ui.select(
            online, label="Connection", value=asked["online"] if asked["online"] in online else "",
            on_change=lambda e: self._ask(online=e.value),
        ).props("outlined dense")  # fmt: skip
        for name, label in (("model", "Model"), ("firmware", "Firmware"), ("version", "OCPP")):
            choices = {"": f"Any {label}"} | {
                value: value for value in sorted({each[name] for each in makes if each[name]})
            }
            if asked[name] in choices or asked[name] is None:
                self._choice(name, label, choices)
        ui.input(
            "Location", value=asked["location"] or "", on_change=lambda e: self._ask(location=e.value)
        ).props("outlined dense debounce=300 clearable")

    def _choice(self, name: str, label: str, choices: dict[str, str]) -> None:
        async def chosen(event: Any) -> None:
            await self._ask(**{name: event.value})

        ui.select(choices, label=label, value=self._query[name] or "", on_change=chosen).props(
            "outlined dense"
        )

    async def show(self) -> None:
        """Follow what is asked for now."""
        if self._leave is not None:
            self._leave()
        asked = {name: value or None for name, value in self._query.items() if name != "offset"}
        self._leave = await self._view.follow_list(
            "/stations", self._shown, every=3, limit=ROWS, offset=self._query["offset"], **asked
        )

    def _shown(self, found: list[dict[str, Any]], total: int) -> None:
        self._table.show([_row(each) for each in found])
        first = self._query["offset"]
        self._where.set_text(
            f"{first + 1:,}–{first + len(found):,} of {total:,}"
            if found
            else f"{writing.whole(total)} stations"
        )
        self._back.set_enabled(first > 0)
        self._on.set_enabled(first + len(found) < total)

    async def _ask(self, **changes: Any) -> None:
        self._query |= changes | {"offset": 0}
        await self._view.act(self.show)()

    async def _sorted(self, sort: str) -> None:
        await self._ask(sort=sort)

    async def _turn(self, by: int) -> None:
        self._query["offset"] = max(0, self._query["offset"] + by)
        await self._view.act(self.show)()


def _row(station: dict[str, Any]) -> list[Any]:
    boot = station["boot"] or {}
    return [
        (station["id"], words.page_of(station["id"])),
        words.state_of(station),
        station["location_id"],
        words.model_of(station),
        boot.get("firmware_version"),
        station["ocpp_version"],
        station["last_seen"],
    ]
