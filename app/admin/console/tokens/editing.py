"""A token of our own, made or changed."""

from typing import Any

from nicegui import ui

from app.admin.console import parts
from app.admin.console.asking import Refusal
from app.admin.console.views import View

_TYPES = ("RFID", "APP_USER", "AD_HOC_USER", "OTHER")
_WHITELISTS = {
    "ALWAYS": "Always allowed", "ALLOWED": "Allowed, we decide", "ALLOWED_OFFLINE": "Allowed where nobody can be asked",
    "NEVER": "Only after asking",
}  # fmt: skip
_TEXTS = (
    ("uid", "Uid"), ("contract_id", "Contract id"), ("issuer", "Issuer"), ("visual_number", "Printed number"),
    ("group_id", "Group"), ("language", "Language, such as en"), ("expires_at", "Ends (2026-01-31T12:00:00Z)"),
)  # fmt: skip
_SET_BY_US = ("country_code", "party_id", "last_updated")


async def show(view: View, uid: str | None, kind: str | None) -> None:
    """The form: of this token, or of a new one."""
    token: dict[str, Any] = {}
    if uid is not None:
        try:
            token = await view.api.get(f"/tokens/{uid}", type=kind)
        except Refusal as refusal:
            view.complain(refusal)
    _Form(view, token)


class _Form:
    """Its fields; what a token has besides them stays as it is."""

    def __init__(self, view: View, token: dict[str, Any]) -> None:
        self._view, self._token = view, token
        with parts.card(f"Token {token['uid']}" if token else "New token", note="of our own drivers"):
            with parts.box("div", "vb-form"):
                self._fields = {
                    name: ui.input(label, value=str(token.get(name) or "")).props("outlined dense")
                    for name, label in _TEXTS
                }
                self._kind = ui.select(list(_TYPES), label="Type", value=token.get("type", "RFID"))
                self._whitelist = ui.select(
                    _WHITELISTS, label="Whitelist", value=token.get("whitelist", "ALLOWED")
                )
            for select in (self._kind, self._whitelist):
                select.props("outlined dense")
            if token:
                for fixed in (self._fields["uid"], self._kind):
                    fixed.disable()
            with parts.box("div", "vb-switches"):
                self._valid = ui.switch("Valid", value=token.get("valid", True))
            with parts.box("div", "vb-actions"):
                parts.button("Save", view.act(self._save), kind="main", icon="save")
                if token:
                    parts.button("Forget", view.act(self._forget), kind="risky")
                    parts.button("New token", lambda: view.client.open("/tokens"), icon="add")

    async def _save(self) -> None:
        uid = (self._fields["uid"].value or "").strip()
        if not uid:
            self._view.tell("A token needs a uid.", "wait")
            return
        kept = {name: value for name, value in self._token.items() if name not in _SET_BY_US}
        typed = {name: (field.value or "").strip() or None for name, field in self._fields.items()}
        chosen = {"type": self._kind.value, "whitelist": self._whitelist.value, "valid": self._valid.value}
        document = {name: value for name, value in (kept | typed | chosen).items() if value is not None}
        saved = await self._view.api.put(f"/tokens/{uid}", document)
        self._view.tell(f"{saved['uid']} is saved.")

    async def _forget(self) -> None:
        uid = self._token["uid"]
        sure = await self._view.confirm(
            f"Forget {uid}?",
            "Nobody can start with it any more. To block it and still know whose it is, switch “Valid” off instead.",
            "Forget",
        )
        if sure:
            await self._view.api.delete(f"/tokens/{uid}", type=self._token["type"])
            self._view.client.open("/tokens")
