"""A list of the API page by page, with choices that narrow it: what sessions and records have in common."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nicegui import ui

from app.admin.console import parts, writing
from app.admin.console.tables import Column, Table
from app.admin.console.views import View

ROWS = 50


class Paged:
    """The card with its table. `row` makes cells of an entry; filters are added with `choice` and `field`."""

    def __init__(
        self,
        view: View,
        path: str,
        title: str,
        *,
        columns: Sequence[Column],
        row: Callable[[dict[str, Any]], list[Any]],
        nothing: tuple[str, str],
    ) -> None:
        self._view, self._path, self._row = view, path, row
        self._query: dict[str, str | None] = {}
        self._offset = 0
        self._leave: Callable[[], None] | None = None
        with parts.card(title, "vb-flush") as self.head:
            self._filters = parts.box("div", "vb-filters vb-inset")
            self._table = Table(title, columns, nothing=nothing)
            with parts.box("div", "vb-pager"):
                self._where = parts.text("span", "")
                with parts.box("div", "vb-actions"):
                    self._back = parts.button("Newer", lambda: self._turn(-ROWS))
                    self._on = parts.button("Older", lambda: self._turn(ROWS))

    def choice(self, name: str, label: str, choices: Mapping[str, str]) -> None:
        """One of several words; the first, empty one is all of them. The address may say which at first."""
        given = self._given(name)
        self._query[name] = given if given in choices else None
        with self._filters:
            ui.select(
                dict(choices),
                label=label,
                value=self._query[name] or "",
                on_change=lambda event: self._ask(name, event.value),
            ).props("outlined dense")

    def field(self, name: str, label: str) -> None:
        """An id that is typed in."""
        self._query[name] = self._given(name)
        with self._filters:
            ui.input(
                label, value=self._query[name] or "", on_change=lambda event: self._ask(name, event.value)
            ).props("outlined dense debounce=300 clearable")

    async def show(self) -> None:
        """Follow what is asked for now."""
        if self._leave is not None:
            self._leave()
        asked = {name: value or None for name, value in self._query.items()}
        self._leave = await self._view.follow_list(
            self._path, self._shown, every=4, limit=ROWS, offset=self._offset, **asked
        )

    def _given(self, name: str) -> str | None:
        return self._view.client.request.query_params.get(name)

    def _shown(self, found: list[dict[str, Any]], total: int) -> None:
        self._table.show([self._row(each) for each in found])
        first, last = self._offset + 1, self._offset + len(found)
        self._where.set_text(f"{first:,}–{last:,} of {writing.whole(total)}" if found else "None")
        self._back.set_enabled(self._offset > 0)
        self._on.set_enabled(last < total)

    async def _ask(self, name: str, value: str | None) -> None:
        self._query[name] = (value or "").strip() or None
        self._offset = 0
        await self._view.act(self.show)()

    async def _turn(self, by: int) -> None:
        self._offset = max(0, self._offset + by)
        await self._view.act(self.show)()
