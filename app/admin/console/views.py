"""What a page is handed: the API, the feed, and ways to ask, to tell and to complain."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from nicegui import Client, ui
from nicegui.element import Element
from nicegui.events import GenericEventArguments

from app.admin.console import parts
from app.admin.console.asking import Api, Query, Refusal
from app.admin.console.feed import Feed
from app.kit import logs

_log = logs.get("console")


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """What all pages share. `tiles` is the address of map tiles (`https://.../{z}/{x}/{y}.png`), if any."""

    api: Api
    feed: Feed
    tiles: str | None = None


class View:
    """One page in one browser. Everything it follows ends with it."""

    def __init__(self, console: Console, client: Client) -> None:
        self.console = console
        self.api = console.api
        self.client = client
        self.looked_at = True
        self._banner: Element | None = None
        self._failing: set[object] = set()

    @property
    def zone(self) -> ZoneInfo:
        """The viewer's time zone, as the browser told; UTC as long as it has not."""
        try:
            return ZoneInfo(self.client.request.cookies.get("voltbridge_zone", "UTC"))
        except (KeyError, ValueError, OSError):
            return ZoneInfo("UTC")

    def watch(self) -> None:
        """Hear from the browser whether the page can be seen; while it cannot, it is told nothing new."""

        def seen(event: GenericEventArguments) -> None:
            self.looked_at = event.args is True

        ui.on("vb-looking", seen)

    def banner(self) -> None:
        """Where it is told that live data cannot be read; made by the shell."""
        self._banner = parts.box("div", "vb-banner", role="status")
        self._banner.set_visibility(False)

    async def follow(
        self, path: str, show: Callable[[Any], None], *, every: float = 2.0, **query: Query
    ) -> Callable[[], None]:
        """Show this document of the API now and whenever it changes; ends with the page, or by the result.

        All pages that follow the same path and query share one question per `every` seconds. `show` changes
        what is on the page; it runs with the page's content as the place for new elements. Raises Refusal
        when there is nothing to show at all.
        """
        return await self.follow_list(path, lambda document, _total: show(document), every=every, **query)

    async def follow_list(
        self, path: str, show: Callable[[Any, int], None], *, every: float = 2.0, **query: Query
    ) -> Callable[[], None]:
        """As `follow`, for a page of a list; `show` also gets the length of the whole list."""
        mark = object()

        def take(document: Any, total: int | None) -> None:
            if not self.client.is_deleted:
                with self.client:
                    show(document, len(document) if total is None else total)

        def fail(refusal: Refusal | None) -> None:
            if not self.client.is_deleted:
                self._complain_live(mark, refusal)

        leave = await self.console.feed.follow(
            path, query, take, fail, every=every, looking=lambda: self.looked_at
        )

        def end() -> None:
            leave()
            self._complain_live(mark, None)

        self.client.on_delete(leave)
        return end

    def act(
        self, work: Callable[..., Awaitable[Any]], done: str | None = None
    ) -> Callable[..., Awaitable[None]]:
        """An event handler that does this, then says `done`; a refusal is shown with its reason and code."""

        async def handler(*given: Any) -> None:
            try:
                await work(*given)
            except Refusal as refusal:
                self.complain(refusal)
            except Exception:  # noqa: BLE001 - the page stays; the log has the rest
                _log.exception("an action of the console failed")
                self.tell("Something went wrong inside; the log of the server says what.", "bad")
            else:
                if done is not None:
                    self.tell(done)

        return handler

    def tell(self, words: str, tone: str = "good") -> None:
        """A short message at the edge of the page; `tone`: good, wait, bad."""
        with self.client:
            ui.notify(words, classes=f"vb-notice vb-notice-{tone}", position="bottom-right", multi_line=True)

    def complain(self, refusal: Refusal) -> None:
        """What the API refused, why, and its code."""
        with self.client:
            ui.notify(
                explained(refusal),
                classes="vb-notice vb-notice-bad",
                position="bottom-right",
                multi_line=True,
                timeout=12_000,
                close_button="Close",
            )

    async def confirm(self, title: str, consequence: str, verb: str, *, danger: bool = True) -> bool:
        """Ask once before something that cannot be undone; `consequence` says what it will do."""
        with self.client, ui.dialog() as dialog, parts.box("div", "vb-dialog", role="alertdialog"):
            parts.text("h2", title)
            parts.text("p", consequence)
            with parts.box("div", "vb-actions"):
                parts.button("Cancel", lambda: dialog.submit(False)).props("autofocus")
                parts.button(verb, lambda: dialog.submit(True), kind="danger" if danger else "main")
        try:
            return await dialog is True
        finally:
            dialog.delete()

    def _complain_live(self, mark: object, refusal: Refusal | None) -> None:
        if refusal is None:
            self._failing.discard(mark)
        else:
            self._failing.add(mark)
        if self._banner is None or self.client.is_deleted:
            return
        self._banner.clear()
        self._banner.set_visibility(bool(self._failing))
        if refusal is not None:
            with self._banner:
                parts.text("span", f"What you see is not the newest: {explained(refusal)}")


def explained(refusal: Refusal) -> str:
    """A refusal in one line."""
    return f"{refusal.detail} ({refusal.status} {refusal.title})"
