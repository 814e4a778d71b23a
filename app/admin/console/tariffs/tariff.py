"""One tariff: edited, checked while it is typed, shown over the week, tried on a visit, and only then saved."""

import json
from decimal import Decimal
from typing import Any

import msgspec
from nicegui import ui

from app.admin.console import parts
from app.admin.console.asking import Refusal, read
from app.admin.console.tariffs import words as said
from app.admin.console.tariffs.draft import Draft
from app.admin.console.tariffs.fields import Elements, parsed
from app.admin.console.tariffs.findings import Findings
from app.admin.console.tariffs.simulator import Simulator
from app.admin.console.tariffs.week import Week
from app.admin.console.views import View

_TYPES = {
    "": "All sessions", "REGULAR": "Regular", "AD_HOC_PAYMENT": "Paid on the spot", "PROFILE_CHEAP": "Cheap profile",
    "PROFILE_FAST": "Fast profile", "PROFILE_GREEN": "Green profile",
}  # fmt: skip
_INPUTS = {"net": "Without VAT", "gross": "With VAT"}


async def page(view: View, tariff_id: str) -> None:
    """The editor; an id that nobody uses yet is a new tariff."""
    try:
        tariff = await view.api.get(f"/tariffs/{tariff_id}")
    except Refusal as refusal:
        if refusal.status != 404:
            raise
        tariff = None
    parts.link("All tariffs", "/tariffs", "vb-link vb-back")
    editor = _Editor(view, tariff_id, tariff, await _zone(view))
    await editor.refresh()


async def _zone(view: View) -> str:
    """The time zone of our first site, else the viewer's."""
    found = await view.api.get("/locations", limit=1)
    return str(found[0]["time_zone"]) if found else view.zone.key


class _Editor:
    """All parts of the page around one draft."""

    def __init__(self, view: View, tariff_id: str, tariff: dict[str, Any] | None, zone: str) -> None:
        self._view, self._id, self._path = view, tariff_id, f"/tariffs/{tariff_id}"
        self._asked = 0
        self._stored = tariff is not None
        self._draft = Draft(tariff, self._changed)
        with parts.box("div", "vb-grid"):
            with parts.box("div", "vb-two-thirds"), parts.card("Prices") as head:
                with head:
                    self._state = parts.chip(None)
                    with parts.box("div", "vb-push"):
                        ui.toggle(_INPUTS, value="net", on_change=self._typed_as).props(
                            "no-caps unelevated dense aria-label='Prices are typed'"
                        ).classes("vb-toggle")
                self._whole = parts.box("div", "vb-stack")
            with parts.box("div", "vb-third vb-sticky"), parts.card("Check"):
                self._findings = Findings()
                with parts.box("div", "vb-actions vb-more"):
                    parts.button("Save", view.act(self._save), kind="main", icon="save")
                    self._withdraw = parts.button("Withdraw", view.act(self._take_back), kind="risky")
        self._week = Week()
        self._simulator = Simulator(view, self._draft, zone)
        self._as_json()
        self._form()
        self._mark("saved" if self._stored else "not saved yet")

    def _form(self) -> None:
        self._whole.clear()
        body = self._draft.body
        with self._whole:
            with parts.box("div", "vb-form"):
                ui.input(
                    "Currency", value=body.get("currency", ""), on_change=self._setting("currency")
                ).props("outlined dense debounce=250 maxlength=3")
                ui.select(
                    _TYPES, label="For", value=body.get("type") or "", on_change=self._setting("type")
                ).props("outlined dense")
            Elements(self._draft)
            self._limits(body)

    def _limits(self, body: dict[str, Any]) -> None:
        with parts.box("details", "vb-more-of"):
            parts.text("summary", "Least and most, validity")
            with parts.box("div", "vb-form"):
                for name, label in (("min_price", "At least"), ("max_price", "At most")):
                    for part, words in (("excl_vat", "without VAT"), ("incl_vat", "with VAT")):
                        value = (body.get(name) or {}).get(part)
                        ui.input(
                            f"{label}, {words}", value="" if value is None else str(value),
                            on_change=self._limiting(name, part),
                        ).props("outlined dense inputmode=decimal debounce=250")  # fmt: skip
                for name, label in (
                    ("start_date_time", "Valid from (UTC)"),
                    ("end_date_time", "Valid until (UTC)"),
                ):
                    ui.input(
                        label, value=body.get(name) or "", placeholder="2026-01-31T12:00:00Z", on_change=self._setting(name)
                    ).props("outlined dense debounce=250")  # fmt: skip

    def _as_json(self) -> None:
        with parts.card(), parts.box("details", "vb-more-of"):
            parts.text(
                "summary", "As OCPI: everything a tariff may have, texts for drivers and the energy mix too"
            )
            with parts.box("div", "vb-stack"):
                self._json = ui.textarea("Tariff (JSON)").props("outlined dense autogrow").classes("vb-json")
                with parts.box("div", "vb-actions"):
                    parts.button("Take over", self._view.act(self._take_over))

    async def refresh(self) -> None:
        """Check, draw and price what stands in the form now; of several at once only the last is shown."""
        self._asked += 1
        asked, document = self._asked, self._draft.document()
        self._json.set_value(_written(document))
        try:
            checked = await self._view.api.post("/pricing/lint", {"tariff": document})
            drawn = await self._view.api.post("/pricing/week", {"tariff": document})
        except Refusal as refusal:
            if asked == self._asked:
                self._findings.refused(refusal)
            return
        if asked == self._asked:
            self._findings.show(checked["findings"], self._draft.currency)
            self._week.show(drawn)
            await self._simulator.price()

    async def _changed(self) -> None:
        self._mark("changed" if self._stored else "not saved yet")
        await self._view.act(self.refresh)()

    def _setting(self, name: str) -> Any:
        async def take(event: Any) -> None:
            self._draft.body[name] = (event.value or "").strip() or None
            await self._draft.changed()

        return take

    def _limiting(self, name: str, part: str) -> Any:
        async def take(event: Any) -> None:
            self._draft.body.setdefault(name, {})[part] = parsed(event.value)
            await self._draft.changed()

        return take

    def _typed_as(self, event: Any) -> None:
        self._draft.gross = event.value == "gross"
        self._form()

    async def _take_over(self) -> None:
        try:
            found = read((self._json.value or "").encode())
        except msgspec.DecodeError as error:
            self._view.tell(f"This is not JSON: {error}", "bad")
            return
        if not _is_tariff(found):
            self._view.tell("A tariff is an object whose elements have price_components.", "bad")
            return
        self._draft.replace(found)
        self._form()
        await self._draft.changed()

    async def _save(self) -> None:
        await self._view.api.put(self._path, self._draft.document())
        self._stored = True
        self._mark("saved")
        self._view.tell("Saved. Partners are told; sessions under way keep the prices they began with.")

    async def _take_back(self) -> None:
        sure = await self._view.confirm(
            f"Withdraw {self._id}?",
            "Partners are told to delete it. Sessions that begin where only this tariff is named have no price then, "
            "so their CDRs are held.",
            "Withdraw",
        )
        if sure:
            await self._view.api.delete(self._path)
            self._view.client.open("/tariffs")

    def _mark(self, words: str) -> None:
        parts.set_chip(self._state, "delivered" if words == "saved" else "pending", words)
        self._withdraw.set_visibility(self._stored)


def _is_tariff(found: Any) -> bool:
    elements = found.get("elements") if isinstance(found, dict) else None
    return isinstance(elements, list) and all(
        isinstance(each, dict)
        and isinstance(each.get("price_components"), list)
        and isinstance(each.get("restrictions") or {}, dict)
        and all(
            isinstance(one, dict) and one.get("type") in said.DIMENSIONS for one in each["price_components"]
        )
        for each in elements
    )


def _written(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, default=_number, ensure_ascii=False)


def _number(value: object) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)
