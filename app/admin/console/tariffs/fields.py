"""The form of a tariff: its elements in their order, the prices of each, and when each applies."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from nicegui import ui

from app.admin.console import parts
from app.admin.console.tariffs import words
from app.admin.console.tariffs.draft import Draft

_RESERVATIONS = {"": "Sessions", "RESERVATION": "Reservations", "RESERVATION_EXPIRES": "Expired reservations"}
_BOUNDS = (
    ("start_time", "From (HH:MM)"), ("end_time", "Until (HH:MM)"), ("start_date", "From the day"), ("end_date", "Until the day"),
    ("min_kwh", "From kWh"), ("max_kwh", "Until kWh"), ("min_duration", "After seconds"), ("max_duration", "Until seconds"),
    ("min_power", "From kW"), ("max_power", "Below kW"), ("min_current", "From A"), ("max_current", "Below A"),
)  # fmt: skip
_WORDS = ("start_time", "end_time", "start_date", "end_date")
_NEW = {"type": "ENERGY", "price": 0, "vat": 21, "step_size": 1}


class Elements:
    """All elements; made anew when one comes, goes or moves."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._place = parts.box("div", "vb-stack")
        self.show()

    def show(self) -> None:
        """As the draft has them now."""
        self._place.clear()
        with self._place:
            for number, element in enumerate(self._draft.elements):
                self._element(number, element)
            with parts.box("div", "vb-actions"):
                parts.button("Add an element", self._add, icon="add")

    def _element(self, number: int, element: dict[str, Any]) -> None:
        with parts.box("fieldset", "vb-fieldset vb-element"):
            parts.text("legend", f"Element {number + 1}")
            with parts.box("div", "vb-message-head"):
                applies = parts.text("span", f"Applies {words.when(element.get('restrictions'))}", "vb-note")
                with parts.box("div", "vb-actions vb-push"):
                    self._tools(number, element)
            for place, component in enumerate(element["price_components"]):
                with parts.box("div", "vb-price"):
                    Component(self._draft, component)
                    _icon("close", "Remove this price", self._removing(element["price_components"], place))
            _Restrictions(self._draft, element, applies)

    def _tools(self, number: int, element: dict[str, Any]) -> None:
        elements, name = self._draft.elements, f"lement {number + 1}"
        _icon("add", f"Add a price to e{name}", self._adding(element))
        _icon("arrow_upward", f"E{name} earlier", self._moving(number, -1), on=number > 0)
        _icon("arrow_downward", f"E{name} later", self._moving(number, 1), on=number < len(elements) - 1)
        _icon("delete", f"Remove e{name}", self._removing(elements, number))

    async def _add(self) -> None:
        self._draft.elements.append({"price_components": [dict(_NEW)]})
        await self._anew()

    def _adding(self, element: dict[str, Any]) -> Callable[[], Any]:
        async def add() -> None:
            taken = {each["type"] for each in element["price_components"]}
            free = next((name for name in words.DIMENSIONS if name not in taken), "ENERGY")
            element["price_components"].append(dict(_NEW) | {"type": free})
            await self._anew()

        return add

    def _removing(self, things: list[Any], number: int) -> Callable[[], Any]:
        async def remove() -> None:
            del things[number]
            await self._anew()

        return remove

    def _moving(self, number: int, by: int) -> Callable[[], Any]:
        async def move() -> None:
            elements = self._draft.elements
            elements[number], elements[number + by] = elements[number + by], elements[number]
            await self._anew()

        return move

    async def _anew(self) -> None:
        self.show()
        await self._draft.changed()


class Component:
    """One price: typed with or without VAT, both shown."""

    def __init__(self, draft: Draft, component: dict[str, Any]) -> None:
        self._draft, self._component = draft, component
        ui.select(
            words.DIMENSIONS, label="Price for", value=component["type"], on_change=lambda e: self._set("type", e.value)
        ).props("outlined dense")  # fmt: skip
        label = "Price with VAT" if draft.gross else "Price without VAT"
        self._price = ui.input(label, value=self._typed(), on_change=self._priced).props(
            "outlined dense inputmode=decimal debounce=250"
        )
        ui.input("VAT %", value=_text(component.get("vat")), on_change=self._taxed).props(
            "outlined dense inputmode=decimal debounce=250"
        ).classes("vb-narrow")
        step = "Step, Wh" if component["type"] == "ENERGY" else "Step, s"
        ui.input(
            step, value=_text(component.get("step_size")), on_change=lambda e: self._set("step_size", parsed(e.value))
        ).props("outlined dense inputmode=numeric debounce=250").classes("vb-narrow")  # fmt: skip
        self._other = parts.text("span", "", "vb-note vb-other")
        self._tell()

    @property
    def _vat(self) -> Decimal | None:
        given = self._component.get("vat")
        return None if given in (None, "") else words.number(given)

    def _typed(self) -> str:
        price = words.number(self._component.get("price"))
        if price is None:
            return _text(self._component.get("price"))
        return words.plain(words.gross(price, self._vat)) if self._draft.gross else words.plain(price)

    async def _priced(self, _event: Any) -> None:
        self._take()
        await self._draft.changed()

    async def _taxed(self, event: Any) -> None:
        self._component["vat"] = parsed(event.value)
        self._take()
        await self._draft.changed()

    async def _set(self, name: str, value: Any) -> None:
        self._component[name] = value
        self._tell()
        await self._draft.changed()

    def _take(self) -> None:
        typed = words.number(self._price.value)
        if typed is not None and self._draft.gross:
            typed = words.net(typed, self._vat)
        self._component["price"] = self._price.value if typed is None else typed
        self._tell()

    def _tell(self) -> None:
        price = words.number(self._component.get("price"))
        if price is None:
            self._other.set_text("not a number")
            return
        unit = f"{self._draft.currency}{words.UNITS[self._component['type']]}"
        with_vat = f"{words.plain(words.gross(price, self._vat))} {unit} with VAT"
        told = with_vat if self._vat is not None else "no VAT"
        self._other.set_text(f"{words.plain(price)} {unit} without, {told}")


class _Restrictions:
    """When an element applies; folded away, as most apply always."""

    def __init__(self, draft: Draft, element: dict[str, Any], applies: Any) -> None:
        self._draft, self._element, self._applies = draft, element, applies
        given = element.get("restrictions") or {}
        with parts.box("details", "vb-more-of"):
            parts.text("summary", "When it applies")
            with parts.box("div", "vb-form"):
                for name, label in _BOUNDS:
                    ui.input(label, value=_text(given.get(name)), on_change=self._setting(name)).props(
                        "outlined dense debounce=250"
                    )
                ui.select(
                    words.DAYS, label="Days", value=given.get("day_of_week") or [], multiple=True,
                    on_change=self._setting("day_of_week"),
                ).props("outlined dense")  # fmt: skip
                ui.select(
                    _RESERVATIONS, label="For", value=given.get("reservation") or "", on_change=self._setting("reservation")
                ).props("outlined dense")  # fmt: skip

    def _setting(self, name: str) -> Callable[[Any], Any]:
        async def take(event: Any) -> None:
            value = event.value
            if name == "day_of_week":
                value = [day for day in words.DAYS if day in value]
            elif name not in (*_WORDS, "reservation"):
                value = parsed(value)
            restrictions = self._element.setdefault("restrictions", {})
            restrictions[name] = value
            self._applies.set_text(f"Applies {words.when(restrictions)}")
            await self._draft.changed()

        return take


def parsed(text: Any) -> Any:
    """The number that was typed; whatever is none goes to the API as it is, which says what is wrong with it."""
    typed = (text or "").strip()
    found = words.number(typed)
    if found is None:
        return typed or None
    return int(found) if found == found.to_integral_value() else found


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _icon(icon: str, name: str, on_click: Callable[[], Any], *, on: bool = True) -> None:
    made = ui.button(icon=icon, on_click=on_click, color=None).props("flat round dense").classes("vb-icon")
    made.props["aria-label"] = made.props["title"] = name
    made.set_enabled(on)
