"""The price over the week as a picture: seven days from midnight to midnight, darker where it is dearer."""

from decimal import Decimal
from typing import Any

from nicegui import ui

from app.admin.console import parts
from app.admin.console.tariffs import words

_LEVELS = 5
_WATCHED = {
    "date": "the date", "duration": "how long it takes", "energy": "the energy", "power": "the power", "current": "the current",
}  # fmt: skip
_HOURS = (0, 6, 12, 18, 24)


class Week:
    """The picture of one dimension at a time."""

    def __init__(self) -> None:
        self._found: dict[str, Any] | None = None
        self._dimension = "ENERGY"
        with parts.card(
            "Price over the week", note="for a session that begins then, in the site's time"
        ) as head:
            with head, parts.box("div", "vb-push"):
                ui.select(
                    words.DIMENSIONS, label="Price for", value="ENERGY", on_change=lambda e: self._choose(e.value)
                ).props("outlined dense").classes("vb-choice")  # fmt: skip
            self._place = parts.box("div", "vb-week", role="img", aria_label="Price over the week")
            self._note = parts.text("p", "", "vb-note")

    def show(self, found: dict[str, Any]) -> None:
        """What the API says of the week."""
        if found == self._found:
            return
        self._found = found
        watches = ", ".join(_WATCHED[each] for each in found["watches"])
        self._note.set_text(
            f"Besides the clock, {watches} decide{'' if ',' in watches else 's'}." if watches else ""
        )
        self._draw()

    def _choose(self, dimension: str) -> None:
        self._dimension = dimension
        self._draw()

    def _draw(self) -> None:
        if self._found is None:
            return
        self._place.clear()
        prices = sorted({_amount(each["prices"][self._dimension]) for each in self._found["stretches"]})
        with self._place:
            for day, name in words.DAYS.items():
                parts.text("span", name, "vb-week-day")
                with parts.box("div", "vb-week-row"):
                    for each in self._found["stretches"]:
                        if each["day"] == day:
                            self._stretch(each, prices)
            parts.text("span", "")
            with parts.box("div", "vb-week-hours", aria_hidden="true"):
                for hour in _HOURS:
                    parts.text("span", f"{hour:02}")

    def _stretch(self, each: dict[str, Any], prices: list[Decimal]) -> None:
        price = each["prices"][self._dimension]
        amount = _amount(price)
        level = 0 if price is None else 1 + (_LEVELS - 1) * prices.index(amount) // max(1, len(prices) - 1)
        told = "free" if price is None else words.plain(amount)
        made = parts.text("span", told, f"vb-week-part vb-level-{level}")
        made.style(f"flex: {_minutes(each['end']) - _minutes(each['start'])} 1 0")
        unit = f" {self._found['currency']}{words.UNITS[self._dimension]}" if self._found and price else ""
        made.props["title"] = f"{each['start']}–{each['end']}: {told}{unit}"


def _amount(price: dict[str, Any] | None) -> Decimal:
    if price is None:
        return Decimal(0)
    return Decimal(price.get("incl_vat", price["excl_vat"]))


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)
