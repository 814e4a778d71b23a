"""What was charged in a period, and how much of it stations could serve: by day, location, partner and station."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from nicegui import ui

from app.admin.console import charts, parts, writing
from app.admin.console.stations.words import page_of
from app.admin.console.tables import Column, Table
from app.admin.console.views import View

PERIODS = {7: "7 days", 14: "14 days", 30: "30 days", 90: "90 days", 365: "A year"}
TOP = 10
_EVERY = 60.0

_BY = {"day": "Days", "location": "Locations", "partner": "Partners", "station": "Stations"}


async def page(view: View) -> None:
    """The period, its sums, its pictures."""
    await _Figures(view).show()


class _Figures:
    """One period at a time; another one is followed instead when it is chosen."""

    def __init__(self, view: View) -> None:
        self._view = view
        given = view.client.request.query_params.get("days", "")
        self._length = int(given) if given.isdigit() and int(given) in PERIODS else 14
        self._left: list[Callable[[], None]] = []
        with parts.card() as head, head:
            ui.select(PERIODS, label="Period", value=self._length, on_change=self._chosen).props(
                "outlined dense"
            ).classes("vb-choice")
            parts.text("span", "Transactions that ended in it; days are those of UTC.", "vb-note")
            with parts.box("div", "vb-actions vb-push"):
                for by, name in _BY.items():
                    button = parts.button(f"{name} as CSV", view.act(self._csv_of(by)), icon="download")
                    button.props["aria-label"] = f"{name} as CSV"
        self._sums = _Sums()
        self._day = _Chart("Energy by day", charts.bars("kWh"), charts.TEAL)
        with parts.box("div", "vb-grid"):
            with parts.box("div", "vb-half"):
                self._location = _Chart("Energy by location, kWh", charts.lying_bars(), charts.BLUE, most=TOP)
            with parts.box("div", "vb-half"):
                self._partner = _Chart("Energy by partner, kWh", charts.lying_bars(), charts.AMBER, most=TOP)
            with parts.box("div", "vb-half"):
                self._days = _Availability()
            with parts.box("div", "vb-half"):
                self._least = _Stations("Least available", "could serve least of the time", _LEAST)
            with parts.box("div", "vb-half"):
                self._used = _Stations("Most used", "by energy", _USED)
            with parts.box("div", "vb-half"):
                self._failing = _Stations("Fail most", "transactions that ended without any energy", _FAILING)
        parts.text(
            "p",
            "Utilisation is the share of the period in which connectors were in use. Availability is the share of the "
            "known time in which they could serve: the station online, the connector neither faulted nor unavailable.",
            "vb-note",
        )

    async def show(self) -> None:
        """Follow the chosen period."""
        for leave in self._left:
            leave()

        async def follow(show: Callable[[Any], None], **query: Any) -> None:
            leave = await self._view.follow("/statistics", show, every=_EVERY, days=self._length, **query)
            self._left.append(leave)

        self._left = []
        await follow(self._by_day, by="day")
        await follow(self._location.show, by="location", sort="energy_kwh", limit=TOP)
        await follow(self._partner.show, by="partner", sort="energy_kwh", limit=TOP)
        await follow(self._used.show, by="station", sort="energy_kwh", limit=TOP)
        await follow(self._failing.show, by="station", sort="empty", limit=TOP)
        await follow(self._least.show, by="station", sort="availability", limit=TOP)

    def _by_day(self, found: dict[str, Any]) -> None:
        self._sums.show(found["total"])
        known = {row["key"]: row for row in found["rows"]}
        first = datetime.fromisoformat(found["from"]).date()
        days = [(first + timedelta(days=n)).isoformat() for n in range(self._length + 1)]
        nothing = {"energy_kwh": 0, "availability": None}
        rows = [known.get(day, nothing | {"key": day}) for day in days]
        self._day.show({"rows": rows})
        self._days.show(rows)

    async def _chosen(self, event: Any) -> None:
        self._length = event.value
        await self._view.act(self.show)()

    def _csv_of(self, by: str) -> Callable[[], Any]:
        async def fetch() -> None:
            text = await self._view.api.text(
                "/statistics", by=by, format="csv", limit=10_000, days=self._length
            )
            with self._view.client:
                ui.download.content(text, f"statistics-by-{by}-{self._length}-days.csv", "text/csv")

        return fetch


class _Sums:
    """The sums of the whole period."""

    def __init__(self) -> None:
        with parts.box("div", "vb-figures vb-five"):
            self._energy, self._sessions, self._hours, self._empty, self._available = (
                self._figure(name)
                for name in ("Energy", "Transactions", "Time in use", "Without energy", "Availability")
            )

    def show(self, total: dict[str, Any]) -> None:
        """These are they."""
        self._energy.set_text(writing.energy(total["energy_kwh"]))
        self._sessions.set_text(writing.whole(total["sessions"]))
        self._hours.set_text(writing.span(total["hours"] * 3600))
        share = total["empty"] / total["sessions"] if total["sessions"] else 0
        self._empty.set_text(f"{writing.whole(total['empty'])} ({writing.share(share)})")
        self._available.set_text(writing.share(total["availability"]))

    def _figure(self, name: str) -> Any:
        with parts.box("div", "vb-figure"):
            parts.text("span", name, "vb-figure-name")
            return parts.text("span", "–", "vb-figure-value")


class _Chart:
    """Bars of energy by name."""

    def __init__(self, title: str, options: dict[str, Any], color: str, most: int | None = None) -> None:
        self._color = color
        self._shown: list[dict[str, Any]] | None = None
        self._lying = options["yAxis"].get("type") == "category"
        with parts.card(title, note=f"the first {most}" if most else None):
            self._chart = ui.echart(options).classes("vb-chart")
            self._chart.props["role"] = "img"
            self._chart.props["aria-label"] = title
            self._nothing = parts.empty("Nothing was charged", "Choose a longer period.")

    def show(self, found: dict[str, Any]) -> None:
        """One bar per row."""
        rows = found["rows"]
        if rows == self._shown:
            return
        self._shown = rows
        options = self._chart.options
        options["yAxis" if self._lying else "xAxis"]["data"] = [row["key"] or "none" for row in rows]
        options["series"] = [
            {
                "type": "bar",
                "name": "kWh",
                "data": [float(row["energy_kwh"]) for row in rows],
                "barMaxWidth": 26,
                "itemStyle": {"color": self._color, "borderRadius": 3},
            }
        ]
        self._chart.update()
        self._chart.set_visibility(bool(rows))
        self._nothing.set_visibility(not rows)


class _Availability:
    """The share of the time in which connectors could serve, by day."""

    def __init__(self) -> None:
        self._shown: list[dict[str, Any]] = []
        options = charts.bars("%")
        options["yAxis"] |= {"max": 100}
        with parts.card("Availability by day"):
            self._chart = ui.echart(options).classes("vb-chart")
            self._chart.props["role"] = "img"
            self._chart.props["aria-label"] = "Availability by day"
            self._nothing = parts.empty("Nothing is known yet", "It begins when a station tells its status.")

    def show(self, rows: list[dict[str, Any]]) -> None:
        """One point per day of which something is known."""
        if rows == self._shown:
            return
        self._shown = rows
        shares = [each["availability"] for each in rows]
        self._chart.options["xAxis"]["data"] = [each["key"] for each in rows]
        self._chart.options["series"] = [
            {
                "type": "line",
                "name": "Availability, %",
                "data": [None if share is None else round(float(share) * 100, 1) for share in shares],
                "symbolSize": 7,
                "areaStyle": {"opacity": 0.12},
                "color": charts.TEAL,
            }
        ]
        self._chart.update()
        known = any(share is not None for share in shares)
        self._chart.set_visibility(known)
        self._nothing.set_visibility(not known)


class _List(NamedTuple):
    """What a table of stations tells besides their names, and which of them it leaves out."""

    columns: tuple[str, ...]
    wanted: Callable[[dict[str, Any]], bool]


_TELLING: dict[str, Callable[[dict[str, Any]], str]] = {
    "Sessions": lambda row: writing.whole(row["sessions"]),
    "Energy": lambda row: writing.energy(row["energy_kwh"]),
    "Utilisation": lambda row: writing.share(row["utilisation"]),
    "Availability": lambda row: writing.share(row["availability"]),
    "Empty": lambda row: writing.whole(row["empty"]),
}
_USED = _List(("Sessions", "Energy", "Utilisation"), lambda row: row["sessions"] > 0)
_FAILING = _List(("Sessions", "Empty", "Availability"), lambda row: row["empty"] > 0)
_LEAST = _List(
    ("Availability", "Utilisation", "Sessions"),
    lambda row: row["availability"] is not None and row["availability"] < 1,
)


class _Stations:
    """A table of stations."""

    def __init__(self, title: str, note: str, telling: _List) -> None:
        columns = (Column("Station", "link"), *(Column(name, "number") for name in telling.columns))
        self._telling = telling
        with parts.card(title, "vb-flush", note=note):
            self._table = Table(title, columns, nothing=("None", "No station is like that in this period."))

    def show(self, found: dict[str, Any]) -> None:
        """Those of these stations that belong here."""
        columns, wanted = self._telling
        self._table.show(
            [
                [(row["key"], page_of(row["key"])), *(_TELLING[name](row) for name in columns)]
                for row in found["rows"]
                if wanted(row)
            ]
        )
