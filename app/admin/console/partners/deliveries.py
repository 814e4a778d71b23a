"""What partners have yet to be told, and what they would not take: tried again, or put away."""

from collections.abc import Callable, Mapping
from typing import Any

from nicegui import ui
from nicegui.element import Element

from app.admin.console import parts
from app.admin.console.partners import words
from app.admin.console.views import View

AT_ONCE = 30
STATES = {
    "": "Any state", "waiting": "Waiting", "in_flight": "Under way", "failing": "Failing", "dead": "Dead letters",
    "discarded": "Discarded", "delivered": "Delivered",
}  # fmt: skip
_NOTHING = {
    "dead": ("No dead letters", "What a partner refuses for good is kept here, to be tried again or discarded."),
    "failing": ("Nothing is failing", "What a partner could not be told is tried again by itself."),
}  # fmt: skip


async def show(
    view: View, title: str, *, partner: str | None = None, names: Mapping[str, str] | None = None, state: str = ""
) -> None:  # fmt: skip
    """The card: of one partner, or of all of them, whose names are then told by `names`."""
    await _Deliveries(view, title, partner, names, state).show()


class _Deliveries:
    """The list and what can be done with it."""

    def __init__(
        self, view: View, title: str, partner: str | None, names: Mapping[str, str] | None, state: str
    ) -> None:
        self._view, self._partner, self._names = view, partner, names
        self._state, self._limit = state, AT_ONCE
        self._shown: list[dict[str, Any]] | None = None
        self._made: dict[str, tuple[dict[str, Any], Element]] = {}
        self._leave: Callable[[], None] | None = None
        with parts.card(title) as head:
            with head, parts.box("div", "vb-actions vb-push"):
                ui.select(STATES, label="State", value=state, on_change=self._chosen).props(
                    "outlined dense"
                ).classes("vb-choice")
                self._all = parts.button("Retry all shown", view.act(self._retry_all), icon="replay")
            self._list = parts.box("ul", "vb-events vb-limited", aria_label=title, tabindex="0")
            self._nothing = parts.box("div")
            with parts.box("div", "vb-actions vb-more") as self._foot:
                parts.button("Show more", view.act(self._further))
                self._where = parts.text("span", "", "vb-note")

    async def show(self) -> None:
        """Follow what is asked for now."""
        if self._leave is not None:
            self._leave()
        self._shown = None
        self._leave = await self._view.follow_list(
            "/deliveries", self._take, partner=self._partner, state=self._state or None, limit=self._limit
        )

    def _take(self, found: list[dict[str, Any]], total: int) -> None:
        if found != self._shown:
            self._shown = found
            self._fill(found)
        self._foot.set_visibility(total > len(found))
        self._where.set_text(f"{len(found):,} of {total:,}")
        self._all.set_visibility(self._state in ("dead", "failing") and bool(found))

    def _fill(self, found: list[dict[str, Any]]) -> None:
        """Entries that stay as they are are not made anew."""
        stay = {name: made for name, made in self._made.items() if made[0] in found}
        for name in self._made.keys() - stay.keys():
            self._made[name][1].delete()
        self._made = stay
        for place, each in enumerate(found):
            if each["id"] not in stay:
                with self._list:
                    entry = self._entry(each)
                entry.move(target_index=place)
                self._made[each["id"]] = (each, entry)
        self._nothing.clear()
        if not found:
            with self._nothing:
                parts.empty(
                    *_NOTHING.get(
                        self._state, ("Nothing here", "What happens is told to partners from here.")
                    )
                )

    def _entry(self, each: dict[str, Any]) -> Element:
        with parts.box("li", "vb-waiting vb-delivery") as made:
            with parts.box("div", "vb-stack"):
                with parts.box("div", "vb-message-head"):
                    parts.text("span", each["object"], "vb-strong")
                    parts.chip(each["state"], STATES.get(each["state"], each["state"]).removesuffix("s"))
                    self._whose(each)
                with parts.box("div", "vb-note"):
                    _times(each)
                if each["last_error"] and each["state"] != "delivered":
                    parts.text("div", each["last_error"], "vb-step-found")
            if each["state"] in ("waiting", "failing", "dead", "discarded"):
                self._doings(each)
        return made

    def _whose(self, each: dict[str, Any]) -> None:
        if self._names is None:
            return
        partner = each["partner"]
        if partner is None:
            parts.text("span", "inside this server", "vb-note")
        else:
            parts.link(self._names.get(partner, partner), words.page_of(partner))

    def _doings(self, each: dict[str, Any]) -> None:
        path, about = f"/deliveries/{each['id']}", each["object"]
        with parts.box("div", "vb-actions"):
            if each["partner"] is not None:
                again = parts.button(
                    "Retry", self._view.act(lambda: self._view.api.post(f"{path}/retry"), "It is tried now.")
                )
                again.props["aria-label"] = f"Retry {about}"
            if each["state"] != "discarded":
                gone = parts.button(
                    "Discard", self._view.act(lambda: self._discard(path, about)), kind="risky"
                )
                gone.props["aria-label"] = f"Discard {about}"

    async def _discard(self, path: str, about: str) -> None:
        sure = await self._view.confirm(
            f"Discard {about}?",
            "The partner is not told this version. Later changes of it travel as ever; it stays listed as discarded.",
            "Discard",
        )
        if sure:
            await self._view.api.post(f"{path}/discard", {"reason": "by an operator, in the console"})

    async def _retry_all(self) -> None:
        wanted = [each for each in self._shown or () if each["partner"] is not None]
        sure = await self._view.confirm(
            f"Try {len(wanted)} again?", "Each of them is sent to its partner now.", "Retry", danger=False
        )
        if sure:
            for each in wanted:
                await self._view.api.post(f"/deliveries/{each['id']}/retry")
            self._view.tell(f"{len(wanted)} are tried now.")

    async def _chosen(self, event: Any) -> None:
        self._state, self._limit = event.value, AT_ONCE
        await self._view.act(self.show)()

    async def _further(self) -> None:
        self._limit += AT_ONCE
        await self.show()


def _times(each: dict[str, Any]) -> None:
    parts.text("span", "noted ")
    parts.time(each["created_at"], "short")
    if each["attempts"]:
        parts.text("span", f" · tried {each['attempts']} times" if each["attempts"] > 1 else " · tried once")
    if each["state"] == "failing":
        parts.text("span", " · again ")
        parts.time(each["next_at"], "ago")
    if each["delivered_at"] and each["state"] == "delivered":
        parts.text("span", " · delivered ")
        parts.time(each["delivered_at"], "short")
