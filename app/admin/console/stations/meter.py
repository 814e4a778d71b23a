"""The running transaction of a station as a chart: power and energy over time."""

from decimal import Decimal
from typing import Any

from nicegui import ui

from app.admin.console import parts, writing
from app.admin.console.views import View

_GREY = "#7d8b98"
_POWER, _ENERGY = "#1a8f83", "#2f74d0"


async def show(view: View, station_id: str) -> None:
    """A card per transaction under way; gone when it ends."""
    place = parts.box("div", "vb-stack-cards")
    running: dict[str, Any] = {}

    def changed(found: list[dict[str, Any]]) -> None:
        for ref in running.keys() - {each["ref"] for each in found}:
            card, leave = running.pop(ref)
            leave()
            card.delete()
        for each in found:
            if each["ref"] not in running:
                _begin(view, place, running, each)

    await view.follow("/transactions", changed, station=station_id, active=True, limit=20)


def _begin(view: View, place: Any, running: dict[str, Any], transaction: dict[str, Any]) -> None:
    ref = transaction["ref"]
    with (
        place,
        parts.box("div") as card,
        parts.card(f"Charging at connector {transaction['connector']}") as head,
    ):
        with head, parts.box("span", "vb-note"):
            parts.text("span", f"{writing.said(transaction['id_tag'])}, since ")
            parts.time(transaction["started_at"])
        chart = ui.echart(options([])).classes("vb-chart")
        note = parts.text("p", "", "vb-note")
    left: list[Any] = []

    def changed(samples: list[dict[str, Any]]) -> None:
        chart.options["series"] = series(samples)
        chart.update()
        last = samples[-1] if samples else {}
        soc = last.get("soc")
        told = [f"{writing.power(last.get('power_kw'))} now"] if last else ["No meter value yet."]
        note.set_text(", ".join([*told, *([f"battery at {soc} %"] if soc is not None else [])]))

    async def follow() -> None:
        left.append(await view.follow(f"/transactions/{ref}/samples", changed, every=3))

    running[ref] = (card, lambda: [leave() for leave in left])
    ui.timer(0, follow, once=True)


def options(samples: list[dict[str, Any]]) -> dict[str, Any]:
    """The chart. What it shows are numbers and times only."""
    return {
        "animation": False,
        "useUTC": False,
        "grid": {"left": 52, "right": 58, "top": 34, "bottom": 28},
        "legend": {"top": 0, "textStyle": {"color": _GREY}},
        "tooltip": {"trigger": "axis", "renderMode": "richText"},
        "xAxis": {
            "type": "time",
            "axisLabel": {"color": _GREY, "hideOverlap": True},
            "axisLine": {"lineStyle": {"color": _GREY}},
        },
        "yAxis": [_axis("kW"), _axis("kWh", split=False)],
        "series": series(samples),
    }


def series(samples: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Power as metered, and energy since the first reading."""
    power = [[each["at"], float(each["power_kw"])] for each in samples if each["power_kw"] is not None]
    registers = [
        (each["at"], Decimal(each["register_wh"])) for each in samples if each["register_wh"] is not None
    ]
    first = registers[0][1] if registers else Decimal(0)
    energy = [[at, float((wh - first) / 1000)] for at, wh in registers]
    shared = {"type": "line", "showSymbol": False}
    return [
        shared | {"name": "Power", "data": power, "areaStyle": {"opacity": 0.12}, "color": _POWER},
        shared | {"name": "Energy", "data": energy, "yAxisIndex": 1, "color": _ENERGY},
    ]


def _axis(name: str, *, split: bool = True) -> dict[str, Any]:
    return {
        "type": "value",
        "name": name,
        "min": 0,
        "nameTextStyle": {"color": _GREY},
        "axisLabel": {"color": _GREY},
        "splitLine": {"show": split, "lineStyle": {"color": _GREY, "opacity": 0.2}},
    }
