"""A visit made up: what it would cost by the tariff as it stands in the editor, and how the cost grows."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from nicegui import ui

from app.admin.console import parts, writing
from app.admin.console.asking import Refusal
from app.admin.console.tables import Column, Table
from app.admin.console.tariffs import words
from app.admin.console.tariffs.draft import Draft
from app.admin.console.views import View
from app.kit.clock import SystemClock

_GREY, _COST, _ENERGY = "#7d8b98", "#1a8f83", "#2f74d0"
_COLUMNS = (
    Column("For"), Column("From", "time"), Column("Element", "number"), Column("Billed", "number"),
    Column("Price", "number"), Column("Cost", "number"), Column("Because"),
)  # fmt: skip


class Simulator:
    """The visit, its bill, and the curve; priced anew whenever the tariff or the visit changes."""

    def __init__(self, view: View, draft: Draft, zone: str) -> None:
        self._view, self._draft = view, draft
        with parts.card("What would it cost", note="nothing is stored"):
            with parts.box("div", "vb-form"):
                self._arrival = self._field(
                    "Arrival", f"{SystemClock().now().astimezone(ZoneInfo(zone)):%Y-%m-%dT%H:00}"
                )
                self._arrival.props("type=datetime-local")
                self._stay = self._field("Stays for hours", "4")
                self._kwh = self._field("Energy, kWh", "22")
                self._kw = self._field("Power, kW", "11")
                self._zone = self._field("Time zone of the site", zone)
            self._trouble = parts.text("p", "", "vb-trouble")
            self._total = parts.text("p", "", "vb-total")
            self._chart = ui.echart(_options()).classes("vb-chart")
            self._lines = Table(
                "Bill", _COLUMNS, nothing=("It costs nothing", "No element prices this visit.")
            )

    def _field(self, label: str, value: str) -> ui.input:
        return ui.input(label, value=value, on_change=self._view.act(self.price)).props(
            "outlined dense debounce=250"
        )

    async def price(self) -> None:
        """Ask what the visit costs now, and show it."""
        try:
            asked = self._question()
        except ValueError:
            self._trouble.set_text("The stay, the energy and the power are numbers, the arrival is a time.")
            self._trouble.set_visibility(True)
            return
        try:
            found = await self._view.api.post("/pricing/simulate", asked)
        except Refusal as refusal:
            self._trouble.set_text(refusal.detail)
            self._trouble.set_visibility(True)
            return
        self._trouble.set_visibility(False)
        self._show(found, asked["visit"]["arrival"])

    def _question(self) -> dict[str, Any]:
        try:
            zone = ZoneInfo(self._zone.value or "")
        except (ValueError, OSError):
            zone = ZoneInfo("UTC")  # the API says what is wrong with the name
        arrival = datetime.fromisoformat(self._arrival.value or "").replace(tzinfo=zone).astimezone(UTC)
        hours, kwh, kw = (_number(each.value) for each in (self._stay, self._kwh, self._kw))
        if not 0 < hours <= 10_000:
            raise ValueError("stay")
        departure = arrival + timedelta(seconds=int(hours * 3600))
        return {
            "tariff": self._draft.document(),
            "location_time_zone": self._zone.value or "",
            "visit": {"arrival": _written(arrival), "departure": _written(departure), "kwh": kwh, "kw": kw},
        }

    def _show(self, found: dict[str, Any], arrival: str) -> None:
        currency, total = found["currency"], found["total_cost"]
        incl = total.get("incl_vat")
        without = writing.money(total["excl_vat"], currency)
        self._total.set_text(
            without if incl is None else f"{writing.money(incl, currency)} with VAT, {without} without"
        )
        began = datetime.fromisoformat(arrival)
        self._chart.options["yAxis"][0]["name"] = currency
        self._chart.options["series"] = _series(found["cost_over_time"], began)
        self._chart.update()
        self._lines.show([_line(each, currency) for each in found["lines"]])


def _line(line: dict[str, Any], currency: str) -> list[Any]:
    cost, element, price = line["cost"], line.get("element"), line.get("unit_price")
    return [
        words.SHORT.get(line.get("dimension", ""), line["kind"].replace("_", " ").lower()),
        line.get("start"),
        None if element is None else str(element + 1),
        _billed(line),
        None if price is None else words.plain(Decimal(price)),
        writing.money(cost.get("incl_vat", cost["excl_vat"]), currency),
        line.get("why"),
    ]


def _billed(line: dict[str, Any]) -> str | None:
    """Energy as it was drawn, time as it was spent, in steps."""
    dimension, billed = line.get("dimension"), line.get("billed")
    if billed is None or dimension == "FLAT":
        return None
    return writing.span(billed) if dimension in ("TIME", "PARKING_TIME") else writing.energy(billed)


def _options() -> dict[str, Any]:
    hours = {
        "type": "value", "name": "hours", "nameLocation": "end", "min": 0, "axisLabel": {"color": _GREY},
        "nameTextStyle": {"color": _GREY}, "axisLine": {"lineStyle": {"color": _GREY}}, "splitLine": {"show": False},
    }  # fmt: skip
    return {
        "animation": False,
        "grid": {"left": 52, "right": 58, "top": 34, "bottom": 28},
        "legend": {"top": 0, "textStyle": {"color": _GREY}},
        "tooltip": {"trigger": "axis", "renderMode": "richText"},
        "xAxis": hours,
        "yAxis": [_axis("EUR", split=True), _axis("kWh", split=False)],
        "series": [],
    }


def _axis(name: str, *, split: bool) -> dict[str, Any]:
    return {
        "type": "value",
        "name": name,
        "min": 0,
        "nameTextStyle": {"color": _GREY},
        "axisLabel": {"color": _GREY},
        "splitLine": {"show": split, "lineStyle": {"color": _GREY, "opacity": 0.2}},
    }


def _series(curve: list[dict[str, Any]], began: datetime) -> list[dict[str, Any]]:
    def hours(at: str) -> float:
        return round((datetime.fromisoformat(at) - began).total_seconds() / 3600, 4)

    def cost(price: dict[str, Any]) -> float:
        return float(price.get("incl_vat", price["excl_vat"]))

    shared = {"type": "line", "showSymbol": False}
    costs = [[hours(each["at"]), cost(each["total_cost"])] for each in curve]
    energy = [[hours(each["at"]), float(each["kwh"])] for each in curve]
    return [
        shared | {"name": "Cost", "data": costs, "areaStyle": {"opacity": 0.12}, "color": _COST},
        shared | {"name": "Energy", "data": energy, "yAxisIndex": 1, "color": _ENERGY},
    ]


def _number(text: Any) -> Decimal:
    found = words.number(text)
    if found is None:
        raise ValueError("not a number")
    return found


def _written(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
