"""One partner: how it is, what it offers, what it is told and says, and what an operator does with it."""

from typing import Any

from nicegui import ui

from app.admin.console import parts, writing
from app.admin.console.asking import read
from app.admin.console.partners import adding, deliveries, messages, prices, reading, settings, words
from app.admin.console.tables import Column, Table
from app.admin.console.views import View

_FIRST = ("invited", "suspended", "registering")


async def page(view: View, partner_id: str) -> None:
    """Everything about one partner, live."""
    path = f"/partners/{partner_id}"
    partner = await view.api.get(path)
    ui.page_title(f"{partner['name']} · Voltbridge")
    parts.link("All partners", "/partners", "vb-link vb-back")
    about = _About(view, partner)
    with parts.box("div", "vb-stack-cards") as arriving:
        if partner["state"] in _FIRST:
            await _arrival(view, partner)
    with parts.box("div", "vb-grid"):
        with parts.box("div", "vb-two-thirds vb-stack-cards vb-top-cards"):
            endpoints = _Endpoints()
            if partner["platform"] == "cpo":
                await prices.show(view, partner)
            await reading.show(view, partner_id)
        with parts.box("div", "vb-third"):
            settings.show(view, partner)

    def show(found: dict[str, Any]) -> None:
        about.show(found)
        endpoints.show(found)
        arriving.set_visibility(found["state"] in _FIRST)

    await view.follow(path, show, every=2)
    await deliveries.show(view, "Deliveries", partner=partner_id)
    await messages.show(view, "Messages", ", tokens masked", partner=partner_id)


async def _arrival(view: View, partner: dict[str, Any]) -> None:
    with parts.box("div", "vb-grid"):
        with parts.box("div", "vb-half"), parts.card("They come to us"), parts.box("div", "vb-stack"):
            parts.text("p", "Once they have their token A, each step appears here. A lost token is replaced by "
                "“Invite anew”.", "vb-note")  # fmt: skip
            await adding.coming(view, {"id": partner["id"]})
        with parts.box("div", "vb-half"), parts.card("We go to them"), parts.box("div", "vb-stack"):
            adding.Registering(view, partner["id"])


class _About:
    """Figures, facts and doings at the top."""

    def __init__(self, view: View, partner: dict[str, Any]) -> None:
        self._view, self._path, self._name = view, f"/partners/{partner['id']}", partner["name"]
        self._state = partner["state"]
        self._shown: Any = None
        with parts.card(partner["name"]) as head:
            with head:
                self._chip = parts.chip(None)
                with parts.box("span", "vb-note vb-push"):
                    self._heard = parts.text("span", "")
                    self._contact = parts.time(None, "ago")
            self._trouble = parts.text("p", "", "vb-trouble")
            self._facts = parts.box("div")
            with parts.box("div", "vb-actions vb-more"):
                self._pause = parts.button(
                    "Pause", view.act(self._do_pause, "Nothing is sent until it is resumed.")
                )
                self._resume = parts.button(
                    "Resume", view.act(lambda: view.api.post(f"{self._path}/resume"), "What waited travels now."),
                    kind="main",
                )  # fmt: skip
                self._rotate = parts.button("New credentials", view.act(self._do_rotate), icon="key")
                parts.button("Invite anew", view.act(self._reinvite), kind="risky")
                parts.button("Unregister", view.act(self._unregister), kind="risky")

    def show(self, partner: dict[str, Any]) -> None:
        """What the API tells now."""
        self._state = partner["state"]
        parts.set_chip(self._chip, *words.state_of(partner))
        self._heard.set_text("last contact " if partner["last_contact"] else "never heard of yet")
        parts.set_time(self._contact, partner["last_contact"])
        self._pause.set_visibility(self._state == "registered")
        self._resume.set_visibility(self._state == "paused" or partner["delivery"]["stopped"])
        self._rotate.set_visibility(self._state in ("registered", "paused"))
        error = partner["delivery"]["last_error"] if partner["delivery"]["failures"] else None
        self._trouble.set_text(f"Last failure: {error}" if error else "")
        self._trouble.set_visibility(error is not None)
        self._fill(partner)

    def _fill(self, partner: dict[str, Any]) -> None:
        delivery, traffic = partner["delivery"], partner["traffic"]
        shown = (
            partner["roles"], partner["version"], partner["platform"], partner["versions_url"],
            delivery["depth"], delivery["oldest"], traffic, partner["created_at"],
        )  # fmt: skip
        if shown == self._shown:
            return
        self._shown = shown
        facts: list[tuple[str, Any]] = [
            ("Roles", words.roles_of(partner)),
            ("Connected to", words.PLATFORMS.get(partner["platform"], partner["platform"])),
            ("OCPI", partner["version"]),
            ("Versions URL", partner["versions_url"]),
            ("To be told", words.waiting_of(partner)),
            ("Oldest of it", (lambda: parts.time(delivery["oldest"], "ago")) if delivery["oldest"] else None),
            (
                "Failing",
                f"{traffic['failed']} of the last {traffic['requests']} requests"
                if traffic["requests"]
                else None,
            ),
            ("Id", partner["id"]),
            ("Since", lambda: parts.time(partner["created_at"], "full")),
        ]
        self._facts.clear()
        with self._facts:
            parts.facts([(name, value) for name, value in facts if value not in (None, "", writing.NOTHING)])

    async def _do_pause(self) -> None:
        await self._view.api.post(f"{self._path}/pause")

    async def _do_rotate(self) -> None:
        sure = await self._view.confirm(
            f"New credentials with {self._name}?",
            "Both sides get new tokens. The old ones work until the new ones are used; if it fails they stay.",
            "Exchange", danger=False,
        )  # fmt: skip
        if sure:
            await self._view.api.post(f"{self._path}/rotate")
            self._view.tell("New credentials are in use.")

    async def _reinvite(self) -> None:
        ends = "Its tokens end at once, and nothing travels until it registers again. "
        sure = await self._view.confirm(
            f"Invite {self._name} anew?",
            f"{'' if self._state == 'invited' else ends}A new token A is made; a former one is void. What we know of it stays.",
            "Invite",
        )  # fmt: skip
        if not sure:
            return
        invited = await self._view.api.post(f"{self._path}/reinvite")
        with self._view.client, ui.dialog(value=True) as dialog, parts.box("div", "vb-dialog", role="dialog"):
            parts.text("h2", f"{self._name} is invited")
            parts.text("p", "Give these to the partner. The token is shown only now.")
            parts.code(invited["versions_url"])
            parts.code(invited["token_a"])
            with parts.box("div", "vb-actions"):
                parts.button("Close", dialog.close, kind="main")
        dialog.on("hide", lambda: self._view.client.open(words.page_of(invited["id"])))

    async def _unregister(self) -> None:
        told = "It is forgotten." if self._state == "invited" else (
            "The partner is told, tokens become void on both sides, and what it was not told yet ends as dead letters."
        )  # fmt: skip
        if not await self._view.confirm(f"Unregister {self._name}?", told, "Unregister"):
            return
        left = read((await self._view.api.send("DELETE", self._path)).body)
        if left["state"] == "removed":
            self._view.client.open("/partners")
        elif "trouble" in left:
            self._view.tell(f"Ended here. The partner could not be told: {left['trouble']}", "wait")
        else:
            self._view.tell("Unregistered on both sides.")


class _Endpoints:
    """What it offers."""

    def __init__(self) -> None:
        with parts.card("Endpoints", "vb-flush"):
            self._table = Table(
                "Endpoints",
                (Column("Module"), Column("Interface"), Column("URL")),
                nothing=("No endpoints yet", "They are learnt in the handshake."),
            )

    def show(self, partner: dict[str, Any]) -> None:
        """By module."""
        found = sorted(partner["endpoints"], key=lambda each: (each["identifier"], each["role"]))
        self._table.show([[each["identifier"], each["role"].lower(), each["url"]] for each in found])
