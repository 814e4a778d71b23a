"""All tokens, our own and those that partners gave us: looked for, decided about, made."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from nicegui import ui

from app.admin.console import parts, writing
from app.admin.console.tables import Column, Table
from app.admin.console.tokens import editing, words
from app.admin.console.tokens.deciding import Deciding
from app.admin.console.views import View

ROWS = 50
_WHOSE = {"own": "Our own", "received": "From partners"}
_COLUMNS = (
    Column("Uid", "link"),
    Column("State", "chip"),
    Column("Type"),
    Column("Whitelist"),
    Column("Party"),
    Column("Contract"),
    Column("Issuer"),
    Column("Ends", "time"),
    Column("Changed", "ago"),
)


async def page(view: View) -> None:
    """The decision and the form side by side, then the list."""
    given = view.client.request.query_params
    with parts.box("div", "vb-grid"):
        with parts.box("div", "vb-half"):
            Deciding(view, given.get("uid", given.get("edit", "")))
        with parts.box("div", "vb-half"):
            await editing.show(view, given.get("edit"), given.get("type"))
    await _Listing(view).show()


class _Listing:
    """Whose tokens, the search, the table, and where one is in it."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._own, self._search, self._offset = True, "", 0
        self._leave: Callable[[], None] | None = None
        with parts.card("Tokens", "vb-flush"):
            with parts.box("div", "vb-filters vb-inset"):
                ui.toggle(_WHOSE, value="own", on_change=self._chosen).props(
                    "no-caps unelevated dense"
                ).classes("vb-toggle")
                ui.input("Search a uid", on_change=self._searched).props(
                    "outlined dense debounce=300 clearable type=search"
                ).classes("vb-search")
            self._table = Table(
                "Tokens",
                _COLUMNS,
                nothing=("No token is here", "Make one above, or register a partner that sends its own."),
            )
            with parts.box("div", "vb-pager"):
                self._where = parts.text("span", "")
                with parts.box("div", "vb-actions"):
                    self._back = parts.button("Earlier", lambda: self._turn(-ROWS))
                    self._on = parts.button("Further", lambda: self._turn(ROWS))

    async def show(self) -> None:
        """Follow what is asked for now."""
        if self._leave is not None:
            self._leave()
        self._leave = await self._view.follow_list(
            "/tokens",
            self._shown,
            every=4,
            own=self._own,
            search=self._search or None,
            limit=ROWS,
            offset=self._offset,
        )

    def _shown(self, found: list[dict[str, Any]], total: int) -> None:
        self._table.show([_row(each, own=self._own) for each in found])
        first = self._offset
        self._where.set_text(
            f"{first + 1:,}–{first + len(found):,} of {total:,}"
            if found
            else f"{writing.whole(total)} tokens"
        )
        self._back.set_enabled(first > 0)
        self._on.set_enabled(first + len(found) < total)

    async def _chosen(self, event: Any) -> None:
        self._own, self._offset = event.value == "own", 0
        await self._view.act(self.show)()

    async def _searched(self, event: Any) -> None:
        self._search, self._offset = event.value or "", 0
        await self._view.act(self.show)()

    async def _turn(self, by: int) -> None:
        self._offset = max(0, self._offset + by)
        await self._view.act(self.show)()


def _row(token: dict[str, Any], *, own: bool) -> list[Any]:
    asked = {"edit": token["uid"], "type": token["type"]} if own else {"uid": token["uid"]}
    return [
        (token["uid"], f"/tokens?{urlencode(asked)}"),
        words.state_of(token),
        token["type"],
        token["whitelist"],
        f"{token['country_code']}-{token['party_id']}",
        token["contract_id"],
        token["issuer"],
        token.get("expires_at"),
        token["last_updated"],
    ]
