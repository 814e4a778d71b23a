"""The first page: how the network is doing, each figure a way to what it counts."""

from typing import Any

from nicegui import ui

from app.admin.console import parts, writing
from app.admin.console.views import View


async def page(view: View) -> None:
    """Figures that follow what happens."""
    figures = _Figures()
    await view.follow("/statistics/now", figures.show)


class _Figures:
    """The row of figures at the top."""

    def __init__(self) -> None:
        with parts.box("div", "vb-figures"):
            self._online = _Figure("Stations online", "ev_station", "/stations")
            self._charging = _Figure("Charging now", "bolt", "/stations?status=Charging")
            self._power = _Figure("Power now", "speed", "/stations?status=Charging")
            self._faults = _Figure("Open faults", "report", "/stations?status=Faulted")
            self._lag = _Figure("Delivery lag", "outbox", None)

    def show(self, now: dict[str, Any]) -> None:
        stations, deliveries = now["stations"], now["deliveries"]
        pending = stations["pending"]
        self._online.show(
            f"{stations['online']:,} / {stations['accepted']:,}",
            f"{pending} waiting to be let in" if pending else "",
        )
        self._charging.show(writing.whole(now["transactions"]), "transactions under way")
        self._power.show(writing.power(now["power_kw"]), "as the meters said last")
        self._faults.show(writing.whole(now["faults"]), "connectors faulted", alarmed=now["faults"] > 0)
        waiting, dead = deliveries["waiting"], deliveries["dead"]
        self._lag.show(
            "none" if not waiting else f"{waiting:,} waiting",
            f"{dead} dead" if dead else "partners know everything" if not waiting else "",
            alarmed=dead > 0,
        )


class _Figure:
    """One figure that leads to what it counts, where there is a page of that."""

    def __init__(self, name: str, icon: str, to: str | None) -> None:
        made = parts.box("div", "vb-figure") if to is None else parts.box("a", "vb-figure", href=to)
        with made as self._box:
            with parts.box("span", "vb-figure-name"):
                ui.icon(icon).props("aria-hidden=true")
                parts.text("span", name)
            self._value = parts.text("span", "", "vb-figure-value")
            self._more = parts.text("span", "", "vb-figure-more")

    def show(self, value: str, more: str = "", *, alarmed: bool = False) -> None:
        self._value.set_text(value)
        self._more.set_text(more)
        self._box.classes(add="vb-alarmed") if alarmed else self._box.classes(remove="vb-alarmed")
