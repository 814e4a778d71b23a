"""Who may reach whom, as a matrix: a click on two parties makes, changes or ends their agreement."""

from collections.abc import Sequence
from typing import Any

from nicegui import ui

from app.admin.console import parts
from app.admin.console.views import View

MOST = 24
"""So many parties make a matrix that can be read; of more only those that the search finds are shown."""

Pair = tuple[str, str]


class Agreements:
    """The matrix. Cells are made when parties come or go, else changed in place."""

    def __init__(self, view: View, hub: dict[str, Any]) -> None:
        self._view, self._modules = view, hub["modules"]
        self._parties: list[str] = []
        self._agreed: dict[Pair, list[str]] = {}
        self._cells: dict[Pair, Any] = {}
        self._wanted = ""
        with parts.card("Agreements", note="click on two parties") as head:
            with head, parts.box("div", "vb-push"):
                self._search = ui.input("Find a party", on_change=lambda e: self._find(e.value or "")).props(
                    "outlined dense clearable debounce=200"
                )
            if hub["agreements"] == "open":
                parts.text("p", "Agreements are switched off: everybody may reach everybody.", "vb-note")
            self._place = parts.box("div", "vb-scroll")
            self._note = parts.text("p", "", "vb-note")

    def parties(self, names: Sequence[str]) -> None:
        """These parties are there, each perhaps in several roles."""
        found = list(dict.fromkeys(names))
        if found != self._parties:
            self._parties = found
            self._draw()

    def show(self, found: list[dict[str, Any]]) -> None:
        """These agreements are in force."""
        self._agreed = {(each["parties"][0], each["parties"][1]): each["modules"] for each in found}
        for pair in self._cells:
            self._fill(pair)

    def _find(self, wanted: str) -> None:
        self._wanted = wanted.upper()
        self._draw()

    def _draw(self) -> None:
        named = [each for each in self._parties if self._wanted in each.upper()]
        rows, columns = named[:MOST], self._parties[:MOST]
        self._search.set_visibility(len(self._parties) > MOST or bool(self._wanted))
        self._cells = {}
        self._place.clear()
        with self._place, parts.box("table", "vb-matrix", aria_label="Agreements"):
            with parts.box("thead"), parts.box("tr"):
                parts.text("th", "")
                for column in columns:
                    with parts.box("th", scope="col"):
                        parts.text("span", column)
            with parts.box("tbody"):
                for row in rows:
                    self._row(row, columns)
        self._note.set_text(self._told(len(columns)))

    def _told(self, shown: int) -> str:
        if len(self._parties) < 2:
            return "As soon as two parties are here they can be let reach each other."
        more = (
            f" The first {shown} of {len(self._parties)} parties are shown."
            if shown < len(self._parties)
            else ""
        )
        return f"✓ all modules; a number: so many modules; empty: no agreement.{more}"

    def _row(self, row: str, columns: Sequence[str]) -> None:
        with parts.box("tr"):
            with parts.box("th", scope="row"):
                parts.text("span", row)
            for column in columns:
                with parts.box("td"):
                    if row != column:
                        self._cells[row, column] = parts.text("button", "", "vb-cell")
                        self._cells[row, column].props["type"] = "button"
                        self._cells[row, column].on("click", self._clicking(row, column))
                        self._fill((row, column))

    def _clicking(self, one: str, other: str) -> Any:
        return self._view.act(lambda: self._ask(one, other))

    def _fill(self, pair: Pair) -> None:
        modules = self._agreed.get(_ordered(pair))
        cell = self._cells[pair]
        agreed = "none" if modules is None else "all modules" if not modules else ", ".join(modules)
        cell.set_text("" if modules is None else "✓" if not modules else str(len(modules)))
        cell.classes(
            replace="vb-cell"
            if modules is None
            else "vb-cell vb-agreed"
            if not modules
            else "vb-cell vb-partly"
        )
        cell.props["aria-label"] = f"{pair[0]} and {pair[1]}: {agreed}"
        cell.props["title"] = f"{pair[0]} and {pair[1]}: {agreed}"
        cell.update()

    async def _ask(self, one: str, other: str) -> None:
        modules = self._agreed.get(_ordered((one, other)))
        with self._view.client, ui.dialog() as dialog, parts.box("div", "vb-dialog", role="dialog"):
            parts.text("h2", f"{one} and {other}")
            parts.text(
                "p", "They have no agreement: nothing passes between them." if modules is None else
                "They may reach each other. Ending it stops every message between them; what they know they keep.",
            )  # fmt: skip
            chosen = ui.select(
                self._modules, label="Modules (none chosen: all)", value=list(modules or ()), multiple=True
            ).props("outlined dense use-chips")
            with parts.box("div", "vb-actions"):
                parts.button("Cancel", lambda: dialog.submit(None))
                if modules is not None:
                    parts.button("End agreement", lambda: dialog.submit("end"), kind="danger")
                parts.button(
                    "Agree" if modules is None else "Change", lambda: dialog.submit("put"), kind="main"
                )
        try:
            said = await dialog
        finally:
            dialog.delete()
        path = f"/hub/agreements/{one}/{other}"
        if said == "put":
            await self._view.api.put(path, {"modules": list(chosen.value)})
            self._view.tell(f"{one} and {other} may reach each other.")
        elif said == "end":
            await self._view.api.delete(path)
            self._view.tell(f"Nothing passes between {one} and {other} any more.")


def _ordered(pair: Pair) -> Pair:
    first, second = sorted(pair)
    return first, second
