"""An operator's word on a record: release or discard a held one, credit or correct an issued one."""

from decimal import Decimal, InvalidOperation
from typing import Any

from nicegui import ui

from app.admin.console import parts, writing
from app.admin.console.charging import words
from app.admin.console.views import View


def buttons(view: View, record: dict[str, Any]) -> None:
    """What can be decided about this record now."""
    if record["state"] == "held":
        parts.button("Release", lambda: _Dialog(view, record, "release").open(), kind="main", icon="outbox")
        parts.button("Discard", lambda: _Dialog(view, record, "discard").open(), kind="risky")
    elif record["state"] == "issued" and not record.get("credit"):
        parts.button("Correct", lambda: _Dialog(view, record, "correct").open(), icon="edit_note")
        parts.button("Credit", view.act(lambda: _credit(view, record)), kind="risky")


async def _credit(view: View, record: dict[str, Any]) -> None:
    sure = await view.confirm(
        "Take this record back?",
        f"A credit of {words.cost_of(record)} is made and sent to {words.party_of(record['cdr_token'])}. "
        "It cannot be taken back.",
        "Credit",
    )
    if sure:
        credit = await view.api.post(f"/cdrs/{record['id']}/credit")
        view.tell("The credit is made and on its way.")
        view.client.open(words.record_page(credit["id"]))


_ASKED = {
    "release": ("Release this record?", "It is issued and sent to {party}, with what you set right here.", "Release"),
    "discard": ("Discard this record?", "Nobody is billed for this session. The record stays to be looked at.", "Discard"),
    "correct": (
        "Correct this record?", "A credit over the whole and a right record are sent to {party}. Both stay.", "Correct"
    ),
}  # fmt: skip


class _Dialog:
    """Asks once, with what is to be set right and why."""

    def __init__(self, view: View, record: dict[str, Any], verb: str) -> None:
        self._view, self._record, self._verb = view, record, verb

    def open(self) -> None:
        """Show it."""
        title, consequence, word = _ASKED[self._verb]
        with (
            self._view.client,
            ui.dialog(value=True) as self._dialog,
            parts.box("div", "vb-dialog", role="alertdialog"),
        ):
            parts.text("h2", title)
            parts.text("p", consequence.format(party=words.party_of(self._record["cdr_token"])))
            if self._verb != "discard":
                self._kwh = ui.input(
                    "Energy in kWh", placeholder=f"{writing.energy(self._record['total_energy'])}, as it is"
                ).props("outlined dense inputmode=decimal")
                self._tariff = ui.input("Id of the tariff", placeholder="as it is").props("outlined dense")
            needed = "" if self._verb == "release" else " *"
            self._reason = ui.input(f"Reason{needed}").props("outlined dense")
            with parts.box("div", "vb-actions"):
                parts.button("Cancel", self._dialog.close)
                danger = self._verb == "discard"
                parts.button(word, self._view.act(self._do), kind="danger" if danger else "main")
        self._dialog.on("hide", self._dialog.delete)

    async def _do(self) -> None:
        reason = (self._reason.value or "").strip()
        if self._verb != "release" and not reason:
            self._view.tell("Say why: the reason is kept with the record.", "bad")
            return
        body: dict[str, Any] = {"reason": reason} if reason else {}
        if self._verb != "discard":
            try:
                body |= self._changes()
            except InvalidOperation:
                self._view.tell("Energy in kWh: a number is expected, such as 12.345.", "bad")
                return
        done = await self._view.api.post(f"/cdrs/{self._record['id']}/{self._verb}", body)
        self._dialog.close()
        self._view.tell({"release": "Released.", "discard": "Discarded."}.get(self._verb, "Corrected."))
        if self._verb == "correct":
            self._view.client.open(words.record_page(done["corrected"]["id"]))

    def _changes(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if kwh := (self._kwh.value or "").strip():
            found["kwh"] = Decimal(kwh)
        if tariff := (self._tariff.value or "").strip():
            found["tariff"] = tariff
        return found
