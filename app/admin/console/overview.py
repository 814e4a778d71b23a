"""The first page: how the network is doing, each figure a way to what it counts; its last day, its map, its news."""

from typing import Any

from nicegui import ui

from app.admin.console import mapping, news, parts, writing
from app.admin.console.charts import over_time
from app.admin.console.views import View


async def page(view: View) -> None:
    """Figures and pictures that follow what happens."""
    figures = _Figures()
    with parts.box("div", "vb-grid"):
        with parts.box("div", "vb-two-thirds vb-stack-cards"):
            chart = _Power()
            spots = mapping.Map(view)
        with parts.box("div", "vb-third"):
            latest = news.Latest()
    await view.follow("/statistics/now", figures.show, every=3)
    await view.follow("/statistics/today", figures.show_today, every=10, zone=view.zone.key)
    await view.follow("/statistics/power", chart.show, every=30)
    await view.follow("/statistics/map", spots.show, every=10)
    await view.follow("/statistics/latest", latest.show, every=4, limit=news.SHOWN)


class _Power:
    """The power of the last 24 hours."""

    def __init__(self) -> None:
        with parts.card(
            "Power, last 24 hours", note="mean of each 5 minutes, from the energy that was charged"
        ):
            self._chart = ui.echart(over_time("kW")).classes("vb-chart")
            self._chart.props["role"] = "img"
            self._chart.props["aria-label"] = "Power of the last 24 hours"

    def show(self, found: dict[str, Any]) -> None:
        """The curve; points stand at the end of their step."""
        self._chart.options["series"] = [
            {
                "type": "line",
                "name": "Power",
                "showSymbol": False,
                "smooth": 0.2,
                "lineStyle": {"width": 2},
                "areaStyle": {"opacity": 0.14},
                "color": "#1a8f83",
                "data": _points(found),
            }
        ]
        self._chart.update()


def _points(found: dict[str, Any]) -> list[list[Any]]:
    began = writing.milliseconds(found["from"])
    step = found["step_seconds"] * 1000
    return [[began + (place + 1) * step, float(kw)] for place, kw in enumerate(found["kw"])]


class _Figures:
    """The row of figures at the top."""

    def __init__(self) -> None:
        with parts.box("div", "vb-figures"):
            self._online = _Figure("Stations online", "ev_station", "/stations")
            self._charging = _Figure("Charging now", "bolt", "/sessions?status=ACTIVE")
            self._power = _Figure("Power now", "speed", "/stations?status=Charging")
            self._energy = _Figure("Energy today", "battery_charging_full", "/statistics")
            self._revenue = _Figure("Revenue today", "payments", "/cdrs?state=issued")
            self._held = _Figure("Held records", "receipt_long", "/cdrs?state=held")
            self._faults = _Figure("Open faults", "report", "/stations?status=Faulted")
            self._lag = _Figure("Delivery lag", "outbox", "/partners")

    def show(self, now: dict[str, Any]) -> None:
        """What is going on now."""
        stations, deliveries = now["stations"], now["deliveries"]
        pending = stations["pending"]
        self._online.show(
            f"{stations['online']:,} / {stations['accepted']:,}",
            f"{pending} waiting to be let in" if pending else "all let in",
        )
        self._charging.show(writing.whole(now["transactions"]), "transactions under way")
        self._power.show(writing.power(now["power_kw"]), "as the meters said last")
        self._faults.show(writing.whole(now["faults"]), "connectors faulted", alarmed=now["faults"] > 0)
        held = now["held_cdrs"]
        self._held.show(writing.whole(held), "wait for your word" if held else "nothing to decide")
        waiting, dead = deliveries["waiting"], deliveries["dead"]
        self._lag.show(
            "none" if not waiting else f"{waiting:,} waiting",
            f"{dead} dead" if dead else "partners know everything" if not waiting else "on their way",
            alarmed=dead > 0,
        )

    def show_today(self, today: dict[str, Any]) -> None:
        """Since midnight."""
        self._energy.show(writing.energy(today["energy_kwh"]), "since midnight")
        records = today["records"]
        self._revenue.show(
            writing.moneys(today["revenue"]),
            f"{records:,} records, without VAT" if records else "no record yet",
        )


class _Figure:
    """One figure that leads to what it counts."""

    def __init__(self, name: str, icon: str, to: str) -> None:
        with parts.box("a", "vb-figure", href=to) as self._box:
            with parts.box("span", "vb-figure-name"):
                ui.icon(icon).props("aria-hidden=true")
                parts.text("span", name)
            self._value = parts.text("span", "", "vb-figure-value")
            self._more = parts.text("span", "", "vb-figure-more")

    def show(self, value: str, more: str = "", *, alarmed: bool = False) -> None:
        self._value.set_text(value)
        self._more.set_text(more)
        self._box.classes(add="vb-alarmed") if alarmed else self._box.classes(remove="vb-alarmed")
