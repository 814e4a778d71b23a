"""Every call of OCPP as a form made from its schema, and what the station really answered."""

import json
from typing import Any

from nicegui import ui

from app.admin.console import parts
from app.admin.console.asking import Refusal
from app.admin.console.stations.forms import Fields, Unfinished
from app.admin.console.views import View

DANGEROUS = {
    "Reset": "The station restarts; a hard reset ends running transactions.",
    "UpdateFirmware": "The station loads and installs the firmware, and may be out of service meanwhile.",
    "SignedUpdateFirmware": "The station loads and installs the firmware, and may be out of service meanwhile.",
    "UnlockConnector": "The cable is released; a running transaction there ends.",
    "RemoteStopTransaction": "The driver's charging ends.",
    "ChangeAvailability": "The connector may be taken out of service, or put back.",
    "ChangeConfiguration": "The station works by the new value at once or after its next start.",
    "ClearCache": "Drivers known to the station only by its cache are asked about again.",
    "DeleteCertificate": "Without the certificate the station may be unable to connect.",
    "InstallCertificate": "The station trusts this certificate from then on.",
    "SendLocalList": "The station's list of tokens is changed.",
}
"""Asked about once before they are sent, with what they do."""


async def show(view: View, station: dict[str, Any]) -> None:
    """Choose an action, fill its form, send it, see the answer."""
    schemas = await view.api.get(f"/stations/{station['id']}/ocpp")
    with parts.card("Send a message", note="any call of OCPP, as the station gets it"):
        _Calls(view, station["id"], schemas)


class _Calls:
    """The form of one action at a time."""

    def __init__(self, view: View, station_id: str, schemas: dict[str, Any]) -> None:
        self._view, self._id, self._schemas = view, station_id, schemas
        first = "TriggerMessage" if "TriggerMessage" in schemas else next(iter(schemas))
        with parts.box("div", "vb-grid"):
            with parts.box("div", "vb-half vb-stack"):
                self._action = ui.select(
                    list(schemas),
                    label="Action",
                    value=first,
                    with_input=True,
                    on_change=lambda _: self._choose(),
                ).props("outlined dense")
                self._place = parts.box("div", "vb-stack")
                with parts.box("div", "vb-actions"):
                    self._button = parts.button("Send", view.act(self._send), kind="main", icon="send")
            with parts.box("div", "vb-half vb-stack"):
                parts.text("h3", "Answer")
                self._outcome = parts.box(
                    "div", "vb-answer", role="status", aria_label="Answer of the station"
                )
        with self._outcome:
            parts.text("p", "What the station answers appears here.", "vb-note")
        self._choose()

    def _choose(self) -> None:
        self._place.clear()
        with self._place:
            self._fields = Fields(self._schemas[self._action.value])

    async def _send(self) -> None:
        action = self._action.value
        try:
            payload = self._fields.payload()
        except Unfinished as problem:
            self._view.tell(str(problem), "bad")
            return
        if action in DANGEROUS and not await self._view.confirm(
            f"Send {action} to {self._id}?", DANGEROUS[action], "Send"
        ):
            return
        self._button.disable()
        self._say("waiting", "Waiting for the station", None)
        try:
            answer = await self._view.api.post(f"/stations/{self._id}/ocpp/{action}", payload)
        except Refusal as refusal:
            self._say("failing", f"{refusal.status} {refusal.title}", refusal.detail)
        else:
            state = "delivered" if answer["outcome"] == "result" else "failing"
            self._say(state, answer["outcome"], json.dumps(answer["response"], indent=2, default=str))
        finally:
            self._button.enable()

    def _say(self, state: str, words: str, told: str | None) -> None:
        self._outcome.clear()
        with self._outcome:
            parts.chip(state, words)
            if told is not None:
                parts.text("pre", told, "vb-frame")
