"""What passed between parties in a month: a picture of who talks to whom, the figures, and a file of them."""

from collections.abc import Callable
from datetime import date
from typing import Any

from nicegui import ui
from nicegui.element import Element

from app.admin.console import parts, writing
from app.admin.console.tables import Column, Table
from app.admin.console.views import View
from app.kit.clock import SystemClock

MONTHS = 13
_LEVELS = 5
_PICTURED = 20
_COLUMNS = (
    Column("From"), Column("To"), Column("Messages", "number"), Column("Sessions", "number"),
    Column("Energy", "number"), Column("Records", "number"), Column("Cost of records", "number"),
)  # fmt: skip


async def show(view: View, picture: Element) -> None:
    """The month that runs, live; earlier ones by choice. The picture has a place of its own."""
    await _Months(view, picture).show()


class _Months:
    """The choice of a month, the picture and the table."""

    def __init__(self, view: View, picture: Element) -> None:
        self._view, self._picture = view, picture
        months = _months(SystemClock().now().date())
        self._month = months[0]
        self._leave: Callable[[], None] | None = None
        self._pictured: Any = None
        with parts.card("Accounting", "vb-flush vb-hub") as head:
            with head, parts.box("div", "vb-actions vb-push"):
                ui.select(months, label="Month (UTC)", value=self._month, on_change=self._chosen).props(
                    "outlined dense"
                ).classes("vb-choice")
                parts.button("Export", view.act(self._export), icon="download")
            self._table = Table(
                "Accounting",
                _COLUMNS,
                nothing=(
                    "Nothing passed in this month",
                    "What parties send each other is counted here by pair.",
                ),
            )
            self._totals = parts.text("div", "", "vb-note vb-inset")

    async def show(self) -> None:
        """Follow the month that is chosen."""
        if self._leave is not None:
            self._leave()
        self._leave = await self._view.follow("/hub/accounting", self._shown, every=5, month=self._month)

    def _shown(self, found: dict[str, Any]) -> None:
        pairs = found["pairs"]
        self._table.show([_row(each) for each in pairs])
        totals = found["totals"]
        self._totals.set_text(
            f"In all {writing.whole(totals['messages'])} messages, {writing.whole(totals['sessions'])} sessions, "
            f"{writing.energy(totals['kwh'])}."
        )
        self._totals.set_visibility(bool(pairs))
        self._draw(pairs)

    def _draw(self, pairs: list[dict[str, Any]]) -> None:
        counts = {(each["from"], each["to"]): each["messages"] for each in pairs}
        if counts == self._pictured:
            return
        self._pictured = counts
        self._picture.clear()
        names = sorted({name for pair in counts for name in pair})[:_PICTURED]
        with self._picture:
            if names:
                _matrix(names, counts)
            else:
                parts.empty("Silence", "As soon as a message passes it is counted here, within seconds.")

    async def _chosen(self, event: Any) -> None:
        self._month = event.value
        await self._view.act(self.show)()

    async def _export(self) -> None:
        table = await self._view.api.text("/hub/accounting", month=self._month, format="csv")
        with self._view.client:
            ui.download.content(table, f"hub-{self._month}.csv", "text/csv")


def _matrix(names: list[str], counts: dict[tuple[str, str], int]) -> None:
    most = max(counts.values())
    with parts.box("table", "vb-matrix", aria_label="Messages from (row) to (column)"):
        with parts.box("thead"), parts.box("tr"):
            parts.text("th", "from ↓ to →", "vb-note")
            for name in names:
                with parts.box("th", scope="col"):
                    parts.text("span", name)
        with parts.box("tbody"):
            for sender in names:
                with parts.box("tr"):
                    with parts.box("th", scope="row"):
                        parts.text("span", sender)
                    for receiver in names:
                        _cell(counts.get((sender, receiver), 0), most)


def _cell(count: int, most: int) -> None:
    level = 0 if not count else 1 + (_LEVELS - 1) * count // most
    with parts.box("td"):
        parts.text("span", f"{count:,}" if count else "", f"vb-cell vb-heat vb-level-{level}")


def _row(pair: dict[str, Any]) -> list[Any]:
    amounts = pair["amounts"]
    return [
        pair["from"],
        pair["to"],
        writing.whole(pair["messages"]),
        writing.whole(pair["sessions"]),
        writing.energy(pair["kwh"]),
        writing.whole(sum(each["cdrs"] for each in amounts)),
        ", ".join(writing.money(each["excl_vat"], each["currency"]) for each in amounts) or writing.NOTHING,
    ]


def _months(today: date) -> list[str]:
    """This one and those before it, newest first."""
    last = today.year * 12 + today.month - 1
    return [f"{each // 12}-{each % 12 + 1:02}" for each in range(last, last - MONTHS, -1)]
