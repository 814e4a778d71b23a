"""Tables that stay: rows are filled anew in place, so that what changes is all that travels to the browser."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from nicegui.element import Element
from nicegui.elements.mixins.text_element import TextElement

from app.admin.console import parts


class Column(NamedTuple):
    """`kind`: text, long (sentences), number, time, ago, chip (a state), link (words and address) or do (a button).

    `sort` names it to the API.
    """

    title: str
    kind: str = "text"
    sort: str | None = None


_CLASSES = {"number": "vb-number", "long": "vb-long"}

Cell = Any
"""A text; for a chip a state or (state, words); for a link (words, address); for a time an RFC 3339 text;
for a button (words, what a click does), or None where there is nothing to do."""


class Table:
    """A table of text cells. `on_sort` is called with a column's `sort`, with `-` before it for the other way."""

    def __init__(
        self,
        caption: str,
        columns: Sequence[Column],
        *,
        nothing: tuple[str, str],
        on_sort: Callable[[str], Any] | None = None,
        sort: str = "",
    ) -> None:
        self._columns = columns
        self._rows: list[_Row] = []
        self._on_sort = on_sort
        self._heads: dict[str, Element] = {}
        with (
            parts.box("div", "vb-scroll") as self._scroll,
            parts.box("table", "vb-table", aria_label=caption),
        ):
            with parts.box("thead"), parts.box("tr"):
                for column in columns:
                    self._head(column)
            self._body = parts.box("tbody")
        self._nothing = parts.empty(*nothing)
        self._sort = sort
        self._mark()
        self.show([])

    def show(self, rows: Sequence[Sequence[Cell]]) -> None:
        """These rows, each with one cell per column."""
        with self._body:
            while len(self._rows) < len(rows):
                self._rows.append(_Row(self._columns))
        for row, cells in zip(self._rows, rows, strict=False):
            row.show(cells)
        for row in self._rows[len(rows) :]:
            row.hide()
        self._scroll.set_visibility(bool(rows))
        self._nothing.set_visibility(not rows)

    def _head(self, column: Column) -> None:
        with parts.box("th", _CLASSES.get(column.kind, ""), scope="col") as head:
            if column.sort is None or self._on_sort is None:
                parts.text("span", column.title)
                return
            name = column.sort
            parts.text("button", column.title, "vb-sort").on("click", lambda: self._sorted(name))
            self._heads[name] = head

    async def _sorted(self, name: str) -> None:
        self._sort = f"-{name}" if self._sort == name else name
        self._mark()
        if self._on_sort is not None:
            await self._on_sort(self._sort)

    def _mark(self) -> None:
        for name, head in self._heads.items():
            on = name == self._sort.removeprefix("-")
            head.props["aria-sort"] = (
                ("descending" if self._sort.startswith("-") else "ascending") if on else "none"
            )
            head.update()


class _Row:
    """One row and what it shows."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._shown: list[Cell] = [None] * len(columns)
        with parts.box("tr") as self._row:
            self._cells = [_cell(column) for column in columns]
        for number, column in enumerate(columns):
            if column.kind == "do":
                self._cells[number].on("click", partial(self._do, number))
        self._kinds = [column.kind for column in columns]
        self._visible = True

    def show(self, cells: Sequence[Cell]) -> None:
        for number, (kind, element, value) in enumerate(zip(self._kinds, self._cells, cells, strict=True)):
            if kind == "do":
                self._offer(number, element, value)
            elif value != self._shown[number]:
                self._shown[number] = value
                _fill(kind, element, value)
        self._see(True)

    def hide(self) -> None:
        self._see(False)

    def _offer(self, number: int, element: Element, value: Cell) -> None:
        """The button does what it was offered last, though it stays the same one."""
        words = None if value is None else value[0]
        before = self._shown[number]
        self._shown[number] = value
        if before is None or words != before[0]:
            element.set_visibility(words is not None)
            if words is not None and isinstance(element, TextElement):
                element.set_text(words)

    async def _do(self, number: int) -> None:
        if self._shown[number] is not None:
            await self._shown[number][1]()

    def _see(self, visible: bool) -> None:
        if visible != self._visible:
            self._visible = visible
            self._row.set_visibility(visible)


def _cell(column: Column) -> Element:
    with parts.box("td", _CLASSES.get(column.kind, "")):
        if column.kind in ("time", "ago"):
            return parts.time(None, "short" if column.kind == "time" else "ago")
        if column.kind == "chip":
            return parts.chip(None)
        if column.kind == "link":
            return parts.link("", "#")
        if column.kind == "do":
            button = parts.text("button", "", "vb-copy")
            button.props["type"] = "button"
            return button
        return parts.text("span", "–")


def _fill(kind: str, element: Element, value: Cell) -> None:
    if kind in ("time", "ago"):
        parts.set_time(element, value)
        return
    if not isinstance(element, TextElement):
        return
    if kind == "chip":
        state, words = value if isinstance(value, tuple) else (value, None)
        parts.set_chip(element, state, words)
    elif kind == "link":
        words, address = value if value is not None else ("–", None)
        element.set_text(words)
        element.props["href"] = address or "#"
        element.update()
    else:
        element.set_text("–" if value is None or value == "" else str(value))
