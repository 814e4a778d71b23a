"""Prices that a partner gets in place of ours: pairs of tariffs, set together."""

from typing import Any

from nicegui import ui
from nicegui.element import Element

from app.admin.console import parts
from app.admin.console.views import View

_MOST = 1000


async def show(view: View, partner: dict[str, Any]) -> None:
    """The form; `Set prices` sets them all."""
    tariffs = sorted(each["id"] for each in await view.api.get("/tariffs", limit=_MOST))
    with parts.card("Special prices", note="for its drivers, in place of what a location names"):
        _Form(view, partner, tariffs)


class _Form:
    """A row for each pair."""

    def __init__(self, view: View, partner: dict[str, Any], tariffs: list[str]) -> None:
        self._view, self._path, self._tariffs = view, f"/partners/{partner['id']}/tariffs", tariffs
        self._pairs: list[tuple[ui.select, ui.select]] = []
        self._nothing = parts.text("p", "It gets the same prices as everybody.", "vb-note")
        self._rows = parts.box("div", "vb-stack")
        by_key = {each.upper(): each for each in tariffs}
        for ours, theirs in partner["tariffs"].items():
            self._add(by_key.get(ours.upper(), ours), by_key.get(theirs.upper(), theirs))
        with parts.box("div", "vb-actions vb-after"):
            add = parts.button("Add", self._one_more, icon="add")
            add.set_enabled(bool(tariffs))
            parts.button("Set prices", view.act(self._save), kind="main")
        if not tariffs:
            self._nothing.set_text("Make a tariff first: a special price is a tariff of its own.")

    def _one_more(self) -> None:
        self._add(None, None)

    def _add(self, ours: str | None, theirs: str | None) -> None:
        self._nothing.set_visibility(False)
        with self._rows, parts.box("div", "vb-pair") as row:
            pair = (self._choice("In place of", ours), self._choice("This partner gets", theirs))
            self._pairs.append(pair)
            ui.button(icon="close", on_click=lambda: self._remove(row, pair), color=None).props(
                "flat round dense aria-label='Take this price back'"
            )

    def _choice(self, label: str, value: str | None) -> ui.select:
        known = list(dict.fromkeys([*self._tariffs, *([value] if value else [])]))
        return ui.select(known, label=label, value=value).props("outlined dense options-dense")

    def _remove(self, row: Element, pair: tuple[ui.select, ui.select]) -> None:
        self._pairs.remove(pair)
        row.delete()
        self._nothing.set_visibility(not self._pairs)

    async def _save(self) -> None:
        typed = [(ours.value, theirs.value) for ours, theirs in self._pairs]
        if any(not ours or not theirs for ours, theirs in typed):
            self._view.tell("Choose both tariffs of each row, or take the row away.", "bad")
            return
        if len({ours for ours, _ in typed}) < len(typed):
            self._view.tell("A tariff can be replaced by one other only.", "bad")
            return
        await self._view.api.put(self._path, {"map": dict(typed)})
        self._view.tell("Saved. The partner is told its new prices now.")
