"""A partner comes in: it is invited, or we register with one that invited us, every step of the way shown."""

from typing import Any

from nicegui import ui

from app.admin.console import parts
from app.admin.console.asking import Refusal
from app.admin.console.partners import words
from app.admin.console.partners.steps import REGISTERING, Steps, of_registration
from app.admin.console.views import View

_WAYS = {"invite": "They come to us", "register": "We go to them"}


async def page(view: View) -> None:
    """Choose the way, then walk it."""
    parts.link("All partners", "/partners", "vb-link vb-back")
    with parts.box("div", "vb-grid"):
        with parts.box("div", "vb-half"):
            _Wizard(view)
        with parts.box("div", "vb-half"), parts.card("What happens"), parts.box("div", "vb-stack"):
            parts.text("h3", "They come to us")
            parts.text("p", "You give them a URL and a token. They ask what we offer, then send their credentials; "
                "we ask back at their side before we take them, so that both ways are known to work.")  # fmt: skip
            parts.text("h3", "We go to them")
            parts.text("p", "They gave you a URL and a token. “Look first” tries everything that can be tried without "
                "changing anything, and says what to mend; “Register” then exchanges credentials.")  # fmt: skip
            parts.text("p", "Whenever a step fails nothing has changed on either side, and it can be tried again.",
                "vb-note")  # fmt: skip


class _Wizard:
    """The form at the beginning; its place is taken by the way that was chosen."""

    def __init__(self, view: View) -> None:
        self._view = view
        with parts.card("A new partner"), parts.box("div", "vb-stack") as self._place:
            self._name = ui.input("Name of the partner").props("outlined dense maxlength=100 autofocus")
            self._platform = ui.select(words.PLATFORMS, label="Connected to", value="cpo").props(
                "outlined dense"
            )
            self._way = ui.radio(_WAYS, value="invite").props("inline")
            with parts.box("div", "vb-actions"):
                parts.button("Begin", view.act(self._begin), kind="main")

    async def _begin(self) -> None:
        made = await self._view.api.post(
            "/partners", {"name": self._name.value or "", "platform": self._platform.value}
        )
        way = self._way.value
        self._place.clear()
        with self._place:
            parts.text("h3", made["name"])
            if way == "invite":
                await coming(self._view, made)
            else:
                Registering(self._view, made["id"])


async def coming(view: View, invited: dict[str, Any]) -> None:
    """What to give to a partner that was invited, and how far it has come; `token_a` only just after inviting."""
    if "token_a" in invited:
        parts.text("p", "Give these to the partner. The token is shown only now.")
        parts.text("div", "URL of our versions", "vb-note")
        parts.code(invited["versions_url"])
        parts.text("div", "Token A", "vb-note")
        parts.code(invited["token_a"])
    steps = Steps("Handshake")
    with parts.box("div", "vb-actions") as done:
        parts.link("To the partner", words.page_of(invited["id"]))
    done.set_visibility(False)

    def show(found: dict[str, Any]) -> None:
        steps.show(found["steps"])
        done.set_visibility(found["state"] == "registered")

    await view.follow(f"{_path(invited['id'])}/handshake", show, every=1)


class Registering:
    """We begin: look first, then exchange credentials."""

    def __init__(self, view: View, partner_id: str) -> None:
        self._view, self._id = view, partner_id
        self._url = ui.input("URL of their versions", placeholder="https://").props("outlined dense type=url")
        self._token = ui.input("Their token A", password=True).props("outlined dense autocomplete=off")
        with parts.box("div", "vb-switches"):
            self._raw = ui.switch("Token without Base64")
            self._private = ui.switch("Allow http and private addresses")
        with parts.box("div", "vb-actions"):
            self._looker = parts.button("Look first", view.act(self._look), icon="troubleshoot")
            self._doer = parts.button("Register", view.act(self._register), kind="main", icon="handshake")
        self._steps = Steps("Steps")
        self._done = parts.box("div", "vb-actions")
        with self._done:
            parts.link("To the partner", words.page_of(partner_id))
        self._done.set_visibility(False)

    async def _look(self) -> None:
        asked: dict[str, Any] = {
            "versions_url": self._url.value or "",
            "token_a": self._token.value or None,
            "raw_token": self._raw.value,
            "allow_private_url": self._private.value,
        }
        self._busy(True)
        try:
            self._steps.show((await self._view.api.post("/partners/probe", asked))["checks"])
        finally:
            self._busy(False)

    async def _register(self) -> None:
        self._busy(True)
        try:
            settings = {"raw_token": self._raw.value, "allow_private_url": self._private.value}
            await self._view.api.patch(_path(self._id), settings)
            given = {"versions_url": self._url.value or "", "token_a": self._token.value or ""}
            await self._view.api.post(f"{_path(self._id)}/register", given)
        except Refusal as refusal:
            step, _, reason = refusal.detail.partition(": ")
            if refusal.status != 502 or step not in REGISTERING:
                raise
            self._steps.show(of_registration(step, reason))
        else:
            self._steps.show(of_registration(None, ""))
            self._done.set_visibility(True)
            self._doer.set_visibility(False)
            self._view.tell("Registered.")
        finally:
            self._busy(False)

    def _busy(self, busy: bool) -> None:
        for each in (self._looker, self._doer):
            each.set_enabled(not busy)


def _path(partner_id: str) -> str:
    return f"/partners/{partner_id}"
